"""Which names may be asked for where endpoints are whatever is asked for."""

from types import SimpleNamespace

import pytest

from mizzen.errors import ResourceRef
from mizzen.resolve.routes.dynamic_names import are_allowed, names_allowed, odd_port
from mizzen.resolve.services.destinations import Target


def indexes(mode: str | None = None):
    tls = SimpleNamespace(mode=mode) if mode else None
    policies = SimpleNamespace(rule=lambda *_: None, policy=lambda *_: SimpleNamespace(tls=tls))
    return SimpleNamespace(policies=policies)


def target(port: int, *, is_dynamic: bool = True) -> Target:
    service = SimpleNamespace(is_dynamic=is_dynamic, namespace="n")
    return Target(host="*.wild.test", port=port, subset="", service=service)


@pytest.mark.parametrize(
    ("authority", "port", "mode", "expected"),
    [
        ("a.wild.test", 80, None, True),
        ("A.b.Wild.Test:80", 80, None, True),
        ("a.wild.test", 443, "SIMPLE", True),
        ("a.wild.test", 443, "DISABLE", False),
        ("a.wild.test", 8080, None, False),
        ("a.wild.test:8080", 8080, None, True),
        ("a.wild.test:81", 80, None, False),
        ("wild.test", 80, None, False),
        (".wild.test", 80, None, False),
        ("a.wildxtest", 80, None, False),
        ("a.wild.test.evil.test", 80, None, False),
        ("127.0.0.1", 80, None, False),
        ("x@a.wild.test", 80, None, False),
        ("", 80, None, False),
    ],
)
def test_names_below_the_host_at_the_port_of_the_service(authority, port, mode, expected):
    assert are_allowed(indexes(mode), [target(port)], authority) is expected


def test_other_services_take_any_name():
    assert names_allowed(indexes(), [target(80, is_dynamic=False)]) == ()
    assert are_allowed(indexes(), [target(80, is_dynamic=False)], "127.0.0.1")
    assert len(names_allowed(indexes(), [target(80), target(80)])) == 1


def test_a_port_that_has_to_be_named_is_told_of():
    ref = ResourceRef(kind="VirtualService")
    assert odd_port(indexes(), target(80), ref, "at") is None
    assert odd_port(indexes("SIMPLE"), target(443), ref, "at") is None
    assert odd_port(indexes(), target(443), ref, "at").code == "BE-009"
