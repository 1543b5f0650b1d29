"""What makes early data safe: who may say that a request was some, and what is answered to those that may not be."""

from dataclasses import replace

import pytest

from mizzen._api import pb
from mizzen.envoy.filters import early_data
from mizzen.envoy.filters.announcement import typed_extension_config
from mizzen.envoy.hcm import http_connection_manager
from mizzen.envoy.transport import quic_transport_socket
from mizzen.errors import ResourceRef
from mizzen.model.announcement import Announcement
from mizzen.model.listener import Edge, HttpService, Transport
from mizzen.model.tls import ClientAuth, ServerTls, TlsPolicy

REF = ResourceRef(kind="Gateway", name="web")
TLS = ServerTls(
    certificates=("c",), client_auth=ClientAuth.NONE, verification=None, alpn=("h3",), policy=TlsPolicy()
)


def manager(edge: Edge, *, early: bool) -> pb.HttpConnectionManager:
    service = HttpService(route_table="t", stat_prefix="s", announcement="alt-svc/t", early_data=early)
    return http_connection_manager(service, edge, Transport.QUIC, ())


def removed_early(made: pb.HttpConnectionManager) -> list[str]:
    found = []
    for one in made.early_header_mutation_extensions:
        config = pb.EarlyHeaderMutation.FromString(one.typed_config.value)
        found += [mutation.remove for mutation in config.mutations if mutation.remove]
    return found


def test_nobody_pays_who_does_not_use_it() -> None:
    made = manager(Edge(), early=False)
    assert early_data.NAME not in [one.name for one in made.http_filters]
    assert removed_early(made) == []
    assert len(made.local_reply_config.mappers) == 2


def test_the_header_of_clients_goes_before_envoy_sets_its_own_and_what_may_not_come_early_gets_425() -> None:
    made = manager(Edge(), early=True)
    assert [one.name for one in made.http_filters][:2] == ["alt-svc/t", early_data.NAME]
    assert removed_early(made) == [early_data.HEADER]
    assert [one.status_code.value for one in made.local_reply_config.mappers] == [431, 400, 425]
    [websocket] = made.upgrade_configs
    assert early_data.NAME in [one.name for one in websocket.filters]


def test_what_trusted_proxies_say_stays() -> None:
    made = manager(Edge(trusted_hops=1), early=True)
    assert removed_early(made) == []
    assert early_data.NAME in [one.name for one in made.http_filters]


@pytest.mark.parametrize("strips", [False, True])
def test_over_tcp_the_announcement_takes_it_away(strips: bool) -> None:
    one = Announcement(name="alt-svc/t", port=443, strips_early_data=strips, origin=REF)
    config = pb.HeaderMutation.FromString(typed_extension_config(one, None).typed_config.value)
    lines = [one.remove or one.append.header.key for one in config.mutations.request_mutations]
    kept = "x-mizzen-early-data"
    assert lines == ([kept, kept, early_data.HEADER, early_data.HEADER, kept] if strips else [])


def test_where_certificates_of_clients_are_looked_at_there_is_none() -> None:
    def early(tls: ServerTls) -> bool:
        socket = quic_transport_socket(tls, early_data=True)
        return pb.QuicDownstreamTransport.FromString(socket.typed_config.value).enable_early_data.value

    assert early(TLS)
    assert not early(replace(TLS, client_auth=ClientAuth.OPTIONAL))
    assert not early(replace(TLS, client_auth=ClientAuth.REQUIRED))
