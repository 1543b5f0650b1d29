import json
from typing import Any

import pytest

from mizzen.run.declared import Undeclared, understood

ONE = {"name": "one", "namespace": "ns", "labels": {}}
TWO = {"name": "two", "namespace": "ns", "labels": {}}


def status(*proxies: Any, sound: Any = True) -> dict[str, Any]:
    found = understood({"sound": sound, "proxies": list(proxies), "gateways": {}})
    assert found is not None
    return dict(found)


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
        b'{"proxies": [], "gateways": {}, "problems": "none"}',
    ],
)
def test_what_is_no_status_is_none(body: bytes) -> None:
    assert understood(json.loads(body)) is None


def test_a_gateway_ends_when_it_is_missing_twice() -> None:
    undeclared, running = Undeclared(), {"one.ns", "two.ns"}

    assert undeclared.follow(status(ONE), running) == set()
    assert undeclared.follow(status(ONE), running) == {"two.ns"}


def test_one_that_is_named_in_between_stays() -> None:
    undeclared, running = Undeclared(), {"one.ns"}

    for named in ((), (ONE,), (), (ONE,)):
        assert undeclared.follow(status(*named), running) == set()


@pytest.mark.parametrize("sound", [False, None, "true", 1])
def test_without_a_sound_build_nothing_ends(sound: Any) -> None:
    undeclared, running = Undeclared(), {"one.ns"}

    for _ in range(5):
        assert undeclared.follow(status(sound=sound), running) == set()
    assert undeclared.follow(status(), running) == set()  # and what was missing meanwhile does not count
