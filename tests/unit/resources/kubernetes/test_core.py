from collections.abc import Callable
from typing import Any

import pytest

from mizzen.resources.kubernetes.core import EndpointSlice

Read = Callable[[str], Any]


def test_a_secret_is_decoded_and_plain_text_wins(read: Read) -> None:
    world, problems = read(
        "{apiVersion: v1, kind: Secret, metadata: {name: a}, type: kubernetes.io/tls,"
        " data: {tls.crt: bm8=, tls.key: aGk=}, stringData: {tls.crt: plain}}"
    )

    assert problems == ()
    assert world.secrets[0].data == {"tls.crt": b"plain", "tls.key": b"hi"}


def test_a_secret_never_shows_what_it_holds(read: Read) -> None:
    world, _ = read("{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {tls.key: hush}}")

    shown = repr(world)
    assert "hush" not in shown
    assert "Secret(default/a" in shown
    assert "tls.key" in shown


def test_bad_base64_is_told_at_its_key(read: Read) -> None:
    world, (problem,) = read("{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {tls.key: hush!}}")

    assert world.secrets == ()
    assert problem.field == "data[tls.key]"
    assert "hush" not in str(problem)


def test_a_service_may_open_one_number_as_tcp_and_udp(read: Read) -> None:
    world, problems = read(
        "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {type: LoadBalancer, selector: {app: a}, ports:"
        " [{name: https, port: 443, targetPort: 8443}, {name: h3, port: 443, targetPort: h3, protocol: UDP}]}}"
    )

    assert problems == ()
    assert [(p.port, p.target_port, p.protocol) for p in world.services[0].spec.ports] == [
        (443, 8443, "TCP"),
        (443, "h3", "UDP"),
    ]


@pytest.mark.parametrize("port", ["'443'", "70000", "0", "true"])
def test_a_port_of_a_service_is_a_number_of_a_port(read: Read, port: str) -> None:
    _, (problem,) = read(
        f"{{apiVersion: v1, kind: Service, metadata: {{name: a}}, spec: {{ports: [{{port: {port}}}]}}}}"
    )

    assert problem.field == "spec.ports[0].port"


def test_the_conditions_of_an_endpoint_may_be_left_unsaid(read: Read) -> None:
    world, _ = read(
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: a}, addressType: IPv4,"
        " endpoints: [{addresses: [10.0.0.1], conditions: {ready: false}}, {addresses: [10.0.0.2]}],"
        " ports: [{port: 80}]}"
    )

    first, second = world.every(EndpointSlice)[0].endpoints
    assert (first.conditions.ready, first.conditions.terminating) == (False, None)
    assert second.conditions.ready is None
    assert second.conditions.at == "endpoints[1].conditions"
