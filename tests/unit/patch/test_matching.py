"""What a patch is for."""

import pytest

from mizzen._api import pb
from mizzen.errors import ResourceRef
from mizzen.model.patch import (
    ChainMatch,
    ClusterMatch,
    HostMatch,
    ListenerMatch,
    Operation,
    Patch,
    RouteMatcher,
    TableMatch,
    Target,
)
from mizzen.patch import matching

TCP = pb.Listener(name="0.0.0.0_8443")
TCP.address.socket_address.port_value = 8443
UDP = pb.Listener(name="udp_0.0.0.0_8443")
UDP.address.socket_address.port_value = 8443
UDP.udp_listener_config.SetInParent()
INBOUND = pb.Listener(name="virtualInbound")
INBOUND.address.socket_address.port_value = 15006


OWN = pb.Listener(name="127.0.0.5_9000", traffic_direction=pb.TrafficDirection.INBOUND)
OWN.address.socket_address.port_value = 9000


def patch(target: Target = Target.HTTP_FILTER, **match: object) -> Patch:
    return Patch(
        target=target,
        operation=Operation.MERGE,
        origin=ResourceRef(kind="EnvoyFilter"),
        at="",
        **match,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("target", "match", "expected"),
    [
        (Target.LISTENER, ListenerMatch(port=8443), [True, True, False]),
        (Target.HTTP_FILTER, ListenerMatch(port=8443), [True, True, True]),  # in there, chains have the port
        (Target.LISTENER, ListenerMatch(name="0.0.0.0_8443"), [True, False, False]),
        (Target.HTTP_FILTER, ListenerMatch(name="0.0.0.0_8443"), [True, True, False]),  # twins are one server
        (Target.HTTP_FILTER, ListenerMatch(name="udp_0.0.0.0_8443"), [False, True, False]),
        (Target.HTTP_FILTER, None, [True, True, True]),
        (Target.HTTP_FILTER, ListenerMatch(name="virtualInbound"), [False, False, True]),
    ],
)
def test_listeners(target: Target, match: ListenerMatch | None, expected: list[bool]) -> None:
    wanted = patch(target, listener=match)

    assert [matching.listener(wanted, one) for one in (TCP, UDP, INBOUND)] == expected


@pytest.mark.parametrize(
    ("listener", "asked", "expected"),
    [
        (TCP, ChainMatch(), True),
        (TCP, ChainMatch(name="chain", sni="A.test"), True),
        (TCP, ChainMatch(sni="c.test"), False),
        (TCP, ChainMatch(transport_protocol="quic"), False),
        (UDP, ChainMatch(transport_protocol="quic"), True),
        (TCP, ChainMatch(transport_protocol="tls"), True),
        (TCP, ChainMatch(application_protocols=("h2",)), True),
        (TCP, ChainMatch(application_protocols=("h2", "h3")), False),
        (TCP, ChainMatch(destination_port=80), False),
        (TCP, ChainMatch(destination_port=9000), True),
    ],
)
def test_chains(listener: pb.Listener, asked: ChainMatch, expected: bool) -> None:
    chain = pb.FilterChain(name="chain")
    chain.filter_chain_match.server_names.extend(["a.test", "b.test"])
    chain.filter_chain_match.transport_protocol = "tls"
    chain.filter_chain_match.application_protocols.append("h2")
    chain.filter_chain_match.destination_port.value = 9000

    assert matching.chain(patch(listener=ListenerMatch(chain=asked)), listener, chain) == expected


def test_in_istios_virtual_listeners_the_port_is_that_of_the_chain() -> None:
    chain = pb.FilterChain()
    chain.filter_chain_match.destination_port.value = 9000

    assert matching.chain(patch(listener=ListenerMatch(port=9000)), INBOUND, chain)
    assert not matching.chain(patch(listener=ListenerMatch(port=9001)), INBOUND, chain)


@pytest.mark.parametrize(
    ("name", "port", "port_name", "gateway"),
    [
        ("http.8080", 8080, "", ""),
        ("http.8080.127.0.0.1", 8080, "", ""),
        ("https.443.https.gw.ns", 443, "https", "ns/gw"),
        ("inbound|9000||", 9000, "", ""),
        ("80", 80, "", ""),
        ("web.shop.svc.cluster.local:81", 81, "", ""),
    ],
)
def test_names_of_route_tables(name: str, port: int, port_name: str, gateway: str) -> None:
    assert matching.table_name(name, "ns/gw") == matching.TableName(name, port, port_name, gateway)


def test_the_table_of_a_mirror_is_patched_as_that_of_its_server() -> None:
    assert matching.table_name("https.443.https.gw.ns/h3", "ns/gw") == matching.table_name(
        "https.443.https.gw.ns", "ns/gw"
    )


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (None, True),
        (TableMatch(port=443, bound=(443,)), True),
        (TableMatch(port=443, bound=(8443,)), False),
        (TableMatch(port_name="https", gateway="ns/gw", name="https.443.https.gw.ns"), True),
        (TableMatch(port_name="http"), False),
        (TableMatch(gateway="ns/other"), False),
        (TableMatch(name="http.8080"), False),
    ],
)
def test_route_tables(match: TableMatch | None, expected: bool) -> None:
    assert matching.table(match, matching.table_name("https.443.https.gw.ns", "ns/gw")) == expected


def test_hosts_and_routes() -> None:
    host = pb.VirtualHost(name="a.test:80", domains=["a.test", "b.test"])
    route = pb.Route(name="r")
    route.redirect.SetInParent()

    def of(**wanted: object) -> Patch:
        return patch(table=TableMatch(host=HostMatch(**wanted)))  # type: ignore[arg-type]

    assert matching.host(of(name="a.test:80", domain="b.test"), host)
    assert not matching.host(of(name="b.test:80"), host)
    assert not matching.host(of(domain="c.test"), host)
    assert matching.route(of(route=RouteMatcher(name="r", action="REDIRECT")), route)
    assert not matching.route(of(route=RouteMatcher(name="s")), route)
    assert not matching.route(of(route=RouteMatcher(action="ROUTE")), route)
    assert matching.route(of(), route)


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (None, True),
        (ClusterMatch(name="outbound|80|v1|a.test", port=1), True),  # the name alone counts
        (ClusterMatch(name="a.test"), False),
        (ClusterMatch(port=80, subset="v1", service="a.test"), True),
        (ClusterMatch(port=81), False),
        (ClusterMatch(subset="v2"), False),
        (ClusterMatch(service="b.test"), False),
    ],
)
def test_clusters(match: ClusterMatch | None, expected: bool) -> None:
    assert matching.cluster(match, "outbound|80|v1|a.test") == expected


def test_what_is_for_a_workload_is_virtual_inbound_also_in_several_listeners() -> None:
    assert matching.listener(patch(listener=ListenerMatch(name="virtualInbound", port=9000)), OWN)
    assert not matching.listener(patch(listener=ListenerMatch(name="virtualInbound", port=9001)), OWN)
    assert not matching.listener(patch(Target.LISTENER, listener=ListenerMatch(name="virtualInbound")), OWN)


@pytest.mark.parametrize(
    ("name", "fits"),
    [("inbound|9000||mtls", True), ("0.0.0.0_9000", True), ("0.0.0.0_9001", False), ("inbound", False)],
)
def test_a_chain_for_a_port_of_a_workload_has_istios_name_too(name: str, fits: bool) -> None:
    chain = pb.FilterChain(name="inbound|9000||mtls")

    assert matching.chain(patch(listener=ListenerMatch(chain=ChainMatch(name=name))), OWN, chain) is fits
