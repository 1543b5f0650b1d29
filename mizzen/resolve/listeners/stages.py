"""The steps of a gateway between its objects and its parts: servers, their TLS, mirrors and listeners."""

from collections.abc import Iterable, Mapping
from functools import partial

from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.model.listener import Listener
from mizzen.model.tls import ServerTls
from mizzen.persistent import PersistentMap
from mizzen.resolve.access.authorization import authorization
from mizzen.resolve.context import Context, mapped, step
from mizzen.resolve.gateways.owners import Owners
from mizzen.resolve.gateways.server_tls import server_tls
from mizzen.resolve.gateways.servers import MergedServer, merged_and_lost
from mizzen.resolve.listeners.access_logs import access_logs
from mizzen.resolve.listeners.connection_ids import connection_ids
from mizzen.resolve.listeners.edge import edge
from mizzen.resolve.listeners.listeners import Common, listeners, tls_key
from mizzen.resolve.listeners.mirrors import Mirrored, mirrored
from mizzen.resolve.listeners.quic import quic_transport
from mizzen.resolve.listeners.shared_certificates import check_shared_certificates
from mizzen.resolve.parts import secrets_of_chains
from mizzen.resolve.services.destinations import Indexes


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which servers share a route table, and those of each Gateway."""

    tables: PersistentMap[str, tuple[MergedServer, ...]]  # in the order in which they were merged
    # By key of the Gateway, each with its position among those of its table.
    of_gateway: PersistentMap[str, tuple[tuple[int, MergedServer], ...]]

    @classmethod
    def of(cls, servers: Iterable[MergedServer]) -> "Layout":
        tables: dict[str, list[MergedServer]] = {}
        of_gateway: dict[str, list[tuple[int, MergedServer]]] = {}
        for server in servers:
            if server.route_table:
                members = tables.setdefault(server.route_table, [])
                of_gateway.setdefault(server.key, []).append((len(members), server))
                members.append(server)
        return cls(
            tables=PersistentMap({name: tuple(members) for name, members in tables.items()}),
            of_gateway=PersistentMap({key: tuple(members) for key, members in of_gateway.items()}),
        )


_Servers = tuple[MergedServer, ...]


@step
def server_tls_of_all(ctx: Context) -> PersistentMap[str, ServerTls | None]:
    """The TLS of servers that end it, by `tls_key`; None where it cannot be set up."""
    merged, _ = merged_and_lost(ctx)
    ending = PersistentMap((tls_key(server), server) for server in merged if server.kind in {"https", "tls"})
    return mapped(ctx, _tls_of, ending)


def _tls_of(ctx: Context, _: str, server: MergedServer) -> ServerTls | None:
    return attempt(Stage.RESOLVE, server.ref, partial(server_tls, ctx, server), ctx.report, None, server.at)


@step
def taking_part(ctx: Context) -> tuple[_Servers, _Servers]:
    """The servers that take part, and those that do not."""
    merged, lost = merged_and_lost(ctx)
    tls = server_tls_of_all(ctx)
    servers: list[MergedServer] = []
    without: list[MergedServer] = []
    for server in merged:
        is_without = server.kind == "https" and tls[tls_key(server)] is None
        (without if is_without else servers).append(server)
    return tuple(servers), (*lost, *without)


@step
def layout(ctx: Context) -> Layout:
    return Layout.of(taking_part(ctx)[0])


@step
def check_sharing(ctx: Context) -> None:
    check_shared_certificates(ctx, taking_part(ctx)[0], server_tls_of_all(ctx))


@step
def mirrored_servers(ctx: Context) -> Mirrored:
    return mirrored(ctx, merged_and_lost(ctx)[0], server_tls_of_all(ctx))


@step
def common(ctx: Context) -> Common:
    return Common(
        edge=edge(ctx),
        access_logs=access_logs(ctx),
        tcp_access=authorization(ctx, http=False),
        quic=quic_transport(ctx),
        connection_ids=connection_ids(ctx),
    )


@step
def listening(ctx: Context) -> tuple[tuple[Listener, ...], Mapping[str, Owners]]:
    servers, lost = taking_part(ctx)
    indexes: Indexes = ctx.steps.views["indexes"]
    return listeners(ctx, servers, lost, server_tls_of_all(ctx), mirrored_servers(ctx), common(ctx), indexes)


@step
def ports(ctx: Context) -> PersistentMap[str, frozenset[int]]:
    """The port numbers of the servers of each Gateway, by its key."""
    found: dict[str, set[int]] = {}
    for server in taking_part(ctx)[0]:
        found.setdefault(server.key, set()).add(server.number)
    return PersistentMap((key, frozenset(numbers)) for key, numbers in found.items())


@step
def secrets_of_servers(ctx: Context) -> PersistentMap[str, bool]:
    """The SDS names that servers ask for."""
    return PersistentMap(dict.fromkeys(secrets_of_chains(listening(ctx)[0]), True))
