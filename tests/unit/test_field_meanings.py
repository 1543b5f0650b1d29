"""docs/fields.md says of every declared field what it becomes, and names no field of Envoy that there is not."""

import re
from collections.abc import Iterable

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorSet

from scripts.envoy_fields import ENVOY, PATH, faults, meanings, read
from tests.unit.test_problem_codes import ROOT


def _messages(some: Iterable[DescriptorProto]) -> Iterable[DescriptorProto]:
    for message in some:
        yield message
        yield from _messages(message.nested_type)


@pytest.fixture(scope="module")
def known() -> dict[str, frozenset[str]]:
    """The fields of Envoy's messages, by the simple name of the message."""
    found: dict[str, frozenset[str]] = {}
    for name in ("descriptors.binpb", "others.binpb"):
        files = FileDescriptorSet()
        files.ParseFromString((ROOT / "mizzen" / "_api" / name).read_bytes())
        for file in files.file:
            for message in _messages(file.message_type):
                fields = {one.name for one in (*message.field, *message.oneof_decl)}
                found[message.name] = found.get(message.name, frozenset()) | fields
    return found


def test_every_declared_field_has_a_meaning_and_no_other(known: dict[str, frozenset[str]]) -> None:
    assert list(faults(known)) == []


def test_every_named_field_of_envoy_is_one_that_we_write() -> None:
    written = "".join(
        path.read_text()
        for room in ("envoy", "proxy", "agent", "node")
        for path in (ROOT / "mizzen" / room).rglob("*.py")
    )
    named = {field for _, field in ENVOY.findall(PATH.read_text())}

    assert {field for field in named if not re.search(rf"\b{field}\b", written)} == set()


def test_a_field_of_envoy_that_is_none_is_noticed() -> None:
    assert "[gateway.Server] hosts: Envoy has no VirtualHost.domains" in list(faults({}))


def test_the_statuses_are_told_apart() -> None:
    route = meanings()["virtual_service.HTTPRoute"]
    mesh = meanings()["mesh.MeshConfig"]

    assert route["timeout"].status == "read"
    assert route["timeout"].becomes == "RouteAction.timeout"
    assert route["websocketUpgrade"].status == "retired"
    assert mesh["configSources"].status == "noted"
    assert mesh["caCertificates"].status == "warned of"
    assert mesh["proxyHttpPort"].status == "not for a gateway"


def test_a_line_that_is_none_is_told() -> None:
    assert read("[a.B]\nc = d\n") == {"a.B": {"c": "d"}}
    with pytest.raises(ValueError, match=f"{PATH.name}:2: nothing"):
        read("[a.B]\nnothing\n")
