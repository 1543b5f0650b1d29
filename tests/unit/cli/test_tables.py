"""What istioctl's tables say of hosts that belong to another server."""

from datetime import UTC, datetime

from mizzen._api import pb
from mizzen.cli import tables
from mizzen.cli.dump import as_json
from mizzen.cli.tables import listener_rows, route_rows
from mizzen.envoy.listener import listener, own_chains
from mizzen.envoy.route_configuration import route_configuration
from mizzen.envoy.virtual_host import misdirected_host, virtual_host
from mizzen.errors import ResourceRef
from mizzen.model.listener import Edge, Listener, Transport
from mizzen.model.route import Host, RouteTable
from mizzen.persistent import by_name

GATEWAY = ResourceRef(kind="Gateway", namespace="team", name="gw")


def test_hosts_of_another_server_are_shown_with_their_status() -> None:
    own = Host(name="a.test:443", domains=("a.test",), routes=())
    table = RouteTable(
        name="https",
        hosts=by_name((own,)),
        misdirected=("*.x", "b.x", "c.x"),
        announcement="alt-svc/https",
        origin=GATEWAY,
    )
    hosts = (virtual_host(own, print), misdirected_host(table.misdirected, table.announcement))
    assert route_rows([as_json(route_configuration(table.name, *hosts))]) == [
        ("https", "a.test:443", "a.test", "/*", "404"),
        ("https", "misdirected", "*.x, b.x + 1 more...", "/*", "421"),
    ]


def test_hosts_that_a_mirror_refuses_are_shown_and_unknown_ones_are_not() -> None:
    one = Listener(
        name="udp_0.0.0.0_8443",
        transport=Transport.QUIC,
        address="0.0.0.0",
        port=8443,
        chains=(),
        refused=("mq.test", "*.mail.test"),
        edge=Edge(),
        origin=GATEWAY,
    )
    made = listener(one, *own_chains(one))
    assert isinstance(made, pb.Listener)
    assert listener_rows([as_json(made)]) == [
        ("0.0.0.0", "8443", "QUIC", "SNI: mq.test,*.mail.test", "Refused: no HTTP/3 mirror")
    ]


def test_keys_of_tickets_are_no_certificate() -> None:
    secrets: list[tuple[tables.Json, str]] = [
        ({"name": "session-tickets", "sessionTicketKeys": {"keys": [{"inlineBytes": "x"}]}}, "ACTIVE"),
        ({"name": "id", "genericSecret": {}}, "ACTIVE"),
        ({"name": "ca", "validationContext": {"trustedCa": {"inlineBytes": "eA=="}}}, "WARMING"),
    ]
    assert [row[1:4] for row in tables.secret_rows(secrets, datetime(2026, 1, 1, tzinfo=UTC))] == [
        ("Session Ticket Keys", "ACTIVE", "-"),
        ("Generic", "ACTIVE", "-"),
        ("CA", "WARMING", "false"),
    ]
