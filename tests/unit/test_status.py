"""What a control plane says of itself is read as it was written, and what is none is refused."""

import json
from typing import Any

import pytest

from mizzen.status import (
    FROM_THE_START,
    Brief,
    EnvoyStatus,
    Holds,
    ListenerStatus,
    MirrorStatus,
    ProblemValue,
    ProxyValue,
    Rejected,
    Status,
    TypeSync,
    Word,
)

ENVOY = EnvoyStatus(
    key="gw.ns",
    version="1.40.0",
    synced=True,
    occupied=(ProblemValue(code="PORT-001"),),
    types={"LDS": TypeSync(state="SYNCED", held=2, sent=3, last_error="none")},
    rejected=(Rejected(resource="Gateway/ns/gw"),),
    mirrors=(MirrorStatus(server="https.443", announced="clear"),),
    listeners=(ListenerStatus(name="0.0.0.0_8443", address="0.0.0.0", port=8443, transport="tcp"),),
)
STATUS = Status(
    pid=7,
    generation=3,
    sound=True,
    problems=(ProblemValue(code="GW-001", message="is wrong"),),
    proxies=(ProxyValue(name="gw", namespace="ns", labels={"a": "b"}),),
    gateways={"gw.ns": ENVOY},
)


@pytest.mark.parametrize(
    "status", [STATUS, Status(), Status(holds={"gw.ns": Holds(name="gw", objects=("a",))}, leader="pilot-1")]
)
def test_a_status_is_read_as_it_was_written(status: Status) -> None:
    assert Status.from_json(json.loads(json.dumps(status.to_json()))) == status


def test_what_only_clusters_tell_is_not_there_elsewhere() -> None:
    assert not STATUS.to_json().keys() & {"holds", "leader"}
    assert STATUS.held == {}


def test_the_short_one_is_read_as_it_was_written_and_out_of_the_long_one() -> None:
    brief = Brief(generation=3, sound=True, proxies=STATUS.proxies, gateways={"gw.ns": Word(synced=True)})
    assert Brief.from_json(json.loads(json.dumps(brief.to_json()))) == brief
    assert Brief.from_json(STATUS.to_json()) == brief


@pytest.mark.parametrize("sound", [False, None, "true", 1])
def test_only_true_is_sound(sound: Any) -> None:
    assert not Brief.from_json({"sound": sound, "proxies": [], "gateways": {}}).is_sound


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[]",
        b"{}",
        b'{"proxies": []}',
        b'{"proxies": {}, "gateways": {}}',
        b'{"proxies": null, "gateways": {}}',
        b'{"proxies": ["one"], "gateways": {}}',
        b'{"proxies": [{"name": "one"}], "gateways": {}}',
        b'{"proxies": [{"name": "one", "namespace": 1}], "gateways": {}}',
        b'{"proxies": [{"name": "", "namespace": "ns"}], "gateways": {}}',
        b'{"proxies": [{"name": "one", "namespace": "ns", "labels": []}], "gateways": {}}',
        b'{"proxies": [], "gateways": {"one.ns": null}}',
    ],
)
def test_what_is_no_status_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        Brief.from_json(json.loads(body))


def test_of_an_envoy_all_but_what_it_is_called_by_is_for_its_whole_life() -> None:
    """A field that is new is one or the other: whoever runs it says that it comes later, and a plan that it closes all."""
    called_by = {"name", "namespace", "kind", "labels"}

    assert set(ProxyValue.__struct_fields__) == called_by | FROM_THE_START.keys()
    assert not called_by & FROM_THE_START.keys()
