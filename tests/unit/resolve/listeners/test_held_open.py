"""QUIC listeners without a chain: where clients are refused at once instead of waiting."""

import pytest

from mizzen.http3.lingering import Lingering
from mizzen.model.listener import Listener, Transport
from mizzen.pipeline import Settings, build
from mizzen.resources.raw_objects import parse_documents
from tests.unit.plane.harness import GATEWAY, https

UDP = "udp_0.0.0.0_8443"
PLAIN = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: plain, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
"""


def quic(text: str, names: tuple[str, ...] = (UDP,), **environment: str) -> dict[str, Listener]:
    objects, _ = parse_documents(text, "in.yaml")
    lingering = {GATEWAY: Lingering(open=dict.fromkeys(names, 1))}
    (gateway,) = build(objects, (), Settings(environment=environment, lingering=lingering)).gateways
    listeners = gateway.model.listeners
    assert [one.name for one in listeners] == sorted(one.name for one in listeners)
    return {one.name: one for one in listeners if one.transport is Transport.QUIC}


def test_what_a_listener_is_beside_its_chains_does_not_depend_on_its_servers() -> None:
    live, held = quic(https("shop"))[UDP], quic(PLAIN)[UDP]
    assert (live.address, live.port, live.edge, live.access_logs) == (
        held.address,
        held.port,
        held.edge,
        held.access_logs,
    )
    assert (len(live.chains), len(held.chains)) == (1, 0)


@pytest.mark.parametrize(("dual_stack", "also"), [("true", ("::",)), ("false", ())])
def test_it_is_open_to_the_families_that_it_was_open_to(dual_stack: str, also: tuple[str, ...]) -> None:
    assert quic(https("shop"), ISTIO_DUAL_STACK=dual_stack)[UDP].also == also
    assert quic(PLAIN, ISTIO_DUAL_STACK=dual_stack)[UDP].also == also


def test_an_ipv6_address_is_read_from_the_name() -> None:
    found = quic(PLAIN, ("udp_::_8443",))["udp_::_8443"]
    assert (found.address, found.port) == ("::", 8443)


def test_what_is_no_quic_listener_is_passed_over() -> None:
    assert quic(PLAIN, ("0.0.0.0_8443", "udp_", "udp_0.0.0.0_http")) == {}
