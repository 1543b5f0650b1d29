"""Settings that nobody misses."""

import dataclasses

import pytest

from mizzen.errors import ResourceRef
from mizzen.resources.declaring.compile import declared_fields, decoder_of
from mizzen.resources.declaring.declare import Unknown
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.istio import idle
from mizzen.resources.istio.mesh import MeshConfig, ProxyConfig, ProxyHeaders


@pytest.mark.parametrize(
    ("declaration", "table"),
    [(MeshConfig, idle.MESH_CONFIG), (ProxyConfig, idle.PROXY_CONFIG), (ProxyHeaders, idle.PROXY_HEADERS)],
)
def test_they_are_told_without_a_warning(declaration, table):
    assert dataclasses.is_dataclass(declaration)
    assert not {one.key for one in declared_fields(declaration)} & set(table)
    found = Findings(ResourceRef(kind="IstioOperator", name="one"))
    decoder_of(declaration, Unknown.WARN)(dict.fromkeys(table, "anything"), "spec", found)
    assert {(one.severity.value, one.code) for one in found.problems} == {("info", "FLD-005")}
    assert len(found.problems) == len(table)


def test_what_nobody_knows_is_a_warning():
    found = Findings(ResourceRef(kind="IstioOperator", name="one"))
    decoder_of(MeshConfig, Unknown.WARN)({"inboundTrafficPolicy": {}}, "spec.meshConfig", found)
    assert [(one.severity.value, one.code) for one in found.problems] == [("warning", "FLD-005")]


@pytest.mark.parametrize(
    ("declaration", "table"),
    [(MeshConfig, idle.MISSED_IN_MESH_CONFIG), (ProxyConfig, idle.MISSED_IN_PROXY_CONFIG)],
)
def test_of_what_would_be_missed_is_told_what_stands_in_its_place(declaration, table):
    assert not {one.key for one in declared_fields(declaration)} & set(table)
    found = Findings(ResourceRef(kind="IstioOperator", name="one"))
    decoder_of(declaration, Unknown.WARN)(dict.fromkeys(table, "anything"), "spec", found)
    assert {(one.severity.value, one.code) for one in found.problems} == {("warning", "FLD-005")}
    assert {one.hint for one in found.problems} == {hint for _, hint in table.values()}
