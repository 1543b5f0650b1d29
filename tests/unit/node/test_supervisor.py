import sys
from dataclasses import replace
from pathlib import Path

from mizzen.node.child_process import Command
from mizzen.node.instance import Instance
from mizzen.node.supervisor import EAGER_SECONDS, FIRST_SECONDS, Plan, first_pause, proxy_spec
from mizzen.status import ProxyValue

PLAN = Plan(
    instance=Instance(Path("/run/mizzen")),
    control_plane=Command(name="control plane", argv=(sys.executable,)),
    envoy=Path("/usr/bin/envoy"),
    concurrency=2,
)


def test_the_first_gateway_has_the_ports_of_the_plan() -> None:
    spec = proxy_spec(PLAN, ProxyValue(name="a", namespace="ns", labels={"x": "y"}), frozenset())

    assert (spec.key, spec.status_port, spec.prometheus_port) == ("a.ns", 15021, 15090)
    assert spec.admin_socket == Path("/run/mizzen/a.ns/admin.sock")
    assert spec.labels == {"x": "y"}
    assert spec.concurrency == 2


def test_the_proxys_configuration_says_how_many_threads_it_has_unless_the_plan_does() -> None:
    asked = ProxyValue(name="a", namespace="ns", concurrency=3)

    assert proxy_spec(PLAN, asked, frozenset()).concurrency == 2
    assert proxy_spec(replace(PLAN, concurrency=None), asked, frozenset()).concurrency == 3


def test_further_gateways_have_the_next_ports_that_are_free() -> None:
    third = proxy_spec(PLAN, ProxyValue(name="c", namespace="ns"), frozenset({15021, 15221}))

    assert (third.status_port, third.prometheus_port) == (15121, 15190)


def test_a_start_is_looked_at_often_and_ever_less_often_the_longer_it_takes() -> None:
    pauses = [first_pause(seconds) for seconds in (0.0, 0.3, 1.0, 1.5, 2.0, 3_600.0)]

    assert pauses[:2] == [FIRST_SECONDS, FIRST_SECONDS]
    assert pauses[-2:] == [EAGER_SECONDS, EAGER_SECONDS]
    assert pauses == sorted(pauses)
    assert first_pause(1.0) == 1.0 / 20
