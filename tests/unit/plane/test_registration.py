"""What a workload may say of itself, and what of it is refused."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mizzen._api import pb
from mizzen.authority.identity import Identity
from mizzen.plane.admission import judge
from mizzen.plane.registration import METADATA, Registrations, WorkloadPort, registered, workload_metadata
from mizzen.resources.decode import decode
from mizzen.resources.raw_objects import parse_documents
from mizzen.resources.world import World

MINE = Identity(namespace="shop", service_account="backend")
GOOD: dict[str, Any] = workload_metadata(
    "10.0.0.1", {"app": "web"}, [WorkloadPort(name="http", number=80, application=8080)]
)


def node(said: str, name: str = "vm-1") -> pb.Node:
    found = pb.Node(id=f"sidecar~10.0.0.1~{name}.shop~shop.svc.cluster.local")
    found.metadata.fields[METADATA].string_value = said
    return found


def test_a_workload_becomes_an_entry_and_a_sidecar() -> None:
    found = registered(node(json.dumps(GOOD)), "vm-1", MINE)

    assert [one.kind for one in found] == ["WorkloadEntry", "Sidecar"]
    assert not [problem for one in found for problem in decode(one).problems]
    assert registered(pb.Node(), "vm-1", MINE) == ()


def with_port(**port: Any) -> str:
    return json.dumps({**GOOD, "ports": [{"name": "http", "number": 80, "application": 8080, **port}]})


@pytest.mark.parametrize(
    "said",
    [
        "",
        "null",
        "[]",
        "[" * 30_000,
        " " * 40_000 + json.dumps(GOOD),
        json.dumps({**GOOD, "ports": GOOD["ports"] * 3_000}),
        json.dumps({**GOOD, "labels": {f"l{number}": "" for number in range(65)}}),
        json.dumps({**GOOD, "labels": {"a b": "c"}}),
        json.dumps({**GOOD, "labels": {"a": {"deep": 1}}}),
        json.dumps({**GOOD, "address": "unix:///run/mizzen/ads.sock"}),
        json.dumps({**GOOD, "address": ""}),
        json.dumps({**GOOD, "address": 1}),
        json.dumps(GOOD).replace("8080", "1e999"),
        json.dumps(GOOD).replace("8080", "NaN"),
        json.dumps(GOOD).replace("8080", "1" * 5_000),
        with_port(number=0),
        with_port(number=65_536),
        with_port(number=True),
        with_port(number="80"),
        with_port(application=-1),
        with_port(name="a b"),
        with_port(name="x" * 64),
        with_port(name=None),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(said: str) -> None:
    verdict = judge(World(), {}, node(said), MINE)

    assert verdict.refusal
    assert not verdict.said
    assert len(verdict.refusal) < 200


def test_a_name_that_no_object_has_is_refused() -> None:
    assert judge(World(), {}, node(json.dumps(GOOD), "../a b"), MINE).refusal
    assert not judge(World(), {}, node(json.dumps(GOOD)), MINE).refusal


def test_what_is_said_again_costs_nothing_and_too_much_is_refused() -> None:
    registrations, who = Registrations(), Identity(namespace="shop", service_account="web")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    said = [parse_documents(f"a: {number}", "said")[0] for number in range(60)]

    assert registrations.take("one.shop", said[0], who, now) == ""
    assert registrations.take("one.shop", said[0], who, now) == ""
    assert registrations.number == 1
    refusals = [registrations.take("one.shop", some, who, now) for some in said[1:]]

    assert refusals[:49] == [""] * 49
    assert all("too often" in refusal for refusal in refusals[49:])
    assert registrations.take("one.shop", said[59], who, now + timedelta(seconds=2)) == ""
    registrations.forget("one.shop")
    assert "one.shop" not in registrations
    assert registrations.objects == ()
