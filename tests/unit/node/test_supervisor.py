import sys
from pathlib import Path

from mizzen.node.child_process import Command
from mizzen.node.instance import Instance
from mizzen.node.supervisor import Plan, proxy_spec
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


def test_further_gateways_have_the_next_ports_that_are_free() -> None:
    third = proxy_spec(PLAN, ProxyValue(name="c", namespace="ns"), frozenset({15021, 15221}))

    assert (third.status_port, third.prometheus_port) == (15121, 15190)
