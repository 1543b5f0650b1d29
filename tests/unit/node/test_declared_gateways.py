from typing import Any

import pytest

from mizzen.node.declared_gateways import Undeclared
from mizzen.status import Brief, ProxyValue

ONE, TWO = ProxyValue(name="one", namespace="ns"), ProxyValue(name="two", namespace="ns")


def status(*proxies: ProxyValue, sound: Any = True) -> Brief:
    return Brief(sound=sound, proxies=proxies, gateways={})


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
