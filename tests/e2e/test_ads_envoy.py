"""A real Envoy, told what it shall hold over a Unix socket, in both variants of xDS."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.proxy.binary import envoy_binary
from mizzen.serve.ads import AdsServer, ClientStatus
from mizzen.xds.resource_type import CLUSTER, ENDPOINTS, LISTENER, ROUTES, SCOPED_ROUTES
from mizzen.xds.snapshot import Snapshot, snapshot
from mizzen.xds.status import SyncState

pytestmark = pytest.mark.e2e

GATEWAY = "istio-ingressgateway.istio-system"
NODE_ID = f"router~127.0.0.1~{GATEWAY}~istio-system.svc.cluster.local"
HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


# Each test runs in a network namespace of its own.
PORT = 8080
OTHER_PORT = 8081
UPSTREAM_PORT = 9000


@pytest.fixture(params=["DELTA_GRPC", "GRPC"])
def api_type(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def direct(status: int, body: str) -> pb.Route:
    return pb.Route(
        match=pb.RouteMatch(prefix="/"),
        direct_response=pb.DirectResponseAction(status=status, body=pb.DataSource(inline_string=body)),
    )


def to_cluster(name: str) -> pb.Route:
    return pb.Route(match=pb.RouteMatch(prefix="/"), route=pb.RouteAction(cluster=name))


def routes(name: str, route: pb.Route) -> pb.RouteConfiguration:
    host = pb.VirtualHost(name="all", domains=["*"], routes=[route])
    return pb.RouteConfiguration(name=name, virtual_hosts=[host], validate_clusters=pb.BoolValue(value=False))


ADS = pb.ConfigSource(ads=pb.AggregatedConfigSource(), resource_api_version=pb.ApiVersion.V3)


def listener(port: int, *, name: str = "", route_name: str = "http") -> pb.Listener:
    hcm = pb.HttpConnectionManager(stat_prefix="test")
    hcm.rds.route_config_name = route_name
    hcm.rds.config_source.CopyFrom(ADS)
    hcm.http_filters.add(name="envoy.filters.http.router").typed_config.Pack(pb.Router())
    out = pb.Listener(name=name or f"127.0.0.1_{port}")
    out.address.socket_address.address = "127.0.0.1"
    out.address.socket_address.port_value = port
    network_filter = out.filter_chains.add().filters.add()
    network_filter.name = "envoy.filters.network.http_connection_manager"
    network_filter.typed_config.Pack(hcm)
    return out


def cluster(name: str, *, timeout_s: int = 1) -> pb.Cluster:
    out = pb.Cluster(name=name, type=pb.Cluster.EDS, connect_timeout=pb.Duration(seconds=timeout_s))
    out.eds_cluster_config.eds_config.CopyFrom(ADS)
    return out


def endpoints(name: str, port: int) -> pb.ClusterLoadAssignment:
    out = pb.ClusterLoadAssignment(cluster_name=name)
    address = out.endpoints.add().lb_endpoints.add().endpoint.address.socket_address
    address.address = "127.0.0.1"
    address.port_value = port
    return out


def world(
    *,
    listeners: list[pb.Listener],
    routing: list[pb.RouteConfiguration],
    clusters: list[pb.Cluster] | None = None,
    assignments: list[pb.ClusterLoadAssignment] | None = None,
) -> Snapshot:
    types: dict[str, dict[str, Message | bytes]] = {
        LISTENER.url: {each.name: each for each in listeners},
        ROUTES.url: {each.name: each for each in routing},
        CLUSTER.url: {each.name: each for each in clusters or []},
        ENDPOINTS.url: {each.cluster_name: each for each in assignments or []},
    }
    return snapshot(types)


def bootstrap(ads_socket: Path, admin_socket: Path, api_type: str) -> dict[str, Any]:
    ads_cluster = {
        "name": "ads",
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": "ads",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": str(ads_socket)}}}}]}],
        },
        "typed_extension_protocol_options": {
            HTTP_OPTIONS: {
                "@type": f"type.googleapis.com/{HTTP_OPTIONS}",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
    }
    return {
        "node": {"id": NODE_ID, "cluster": "istio-ingressgateway"},
        "admin": {"address": {"pipe": {"path": str(admin_socket), "mode": 384}}},
        "dynamic_resources": {
            "ads_config": {
                "api_type": api_type,
                "transport_api_version": "V3",
                "grpc_services": [{"envoy_grpc": {"cluster_name": "ads"}}],
            },
            "lds_config": {"ads": {}, "resource_api_version": "V3"},
            "cds_config": {"ads": {}, "resource_api_version": "V3"},
        },
        "static_resources": {"clusters": [ads_cluster]},
    }


@asynccontextmanager
async def running_envoy(directory: Path, api_type: str) -> AsyncIterator[None]:
    config = directory / "envoy.json"
    config.write_text(json.dumps(bootstrap(directory / "ads.sock", directory / "admin.sock", api_type)))
    with (directory / "envoy.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(str(envoy_binary()), "-c", str(config), "--disable-hot-restart", "--concurrency", "1"),
            *("--log-level", "warning", "--drain-time-s", "1"),
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def serving(directory: Path, heard: list[ClientStatus] | None = None) -> AsyncIterator[AdsServer]:
    server = AdsServer(
        socket_path=directory / "ads.sock", on_status=heard.append if heard is not None else None
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def get(port: int) -> tuple[int, str]:
    """Status and body of GET /; (0, reason) when there is no answer."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError as error:
        return 0, str(error)
    writer.write(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n")
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].split("\r\n")[0] or 0)
        return int(head.split()[1]), (await reader.readexactly(length)).decode()
    except asyncio.IncompleteReadError:
        return 0, "closed"
    finally:
        writer.close()


async def until(wanted: Any, ask: Callable[[], Awaitable[Any]], seconds: float = 10) -> None:
    """Ask again and again until the answer is the wanted one."""
    end = time.monotonic() + seconds
    while (answer := await ask()) != wanted:
        assert time.monotonic() < end, f"still {answer!r}, not {wanted!r}"
        await asyncio.sleep(0.005)


@asynccontextmanager
async def upstream() -> AsyncIterator[None]:
    """A backend that says "up"."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nup")
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", UPSTREAM_PORT):
        yield


async def states(server: AdsServer) -> dict[str, SyncState]:
    """Type -> where it stands; empty while no Envoy is connected."""
    return {each.short: each.state for client in server.status() for each in client.stream.types}


def synced(*shorts: str) -> dict[str, SyncState]:
    return dict.fromkeys(shorts, SyncState.SYNCED)


def sent(server: AdsServer) -> dict[str, int]:
    """Type -> number of responses."""
    return {each.short: each.sent for client in server.status() for each in client.stream.types}


def saying(text: str) -> Snapshot:
    return world(listeners=[listener(PORT)], routing=[routes("http", direct(200, text))])


async def test_a_changed_route_is_served_and_nothing_else_is_sent(tmp_path: Path, api_type: str) -> None:
    async with serving(tmp_path) as server, running_envoy(tmp_path, api_type):
        server.publish(GATEWAY, saying("one"))
        await until((200, "one"), lambda: get(PORT))
        await until(synced("CDS", "LDS", "RDS"), lambda: states(server))

        server.publish(GATEWAY, saying("two"))
        await until((200, "two"), lambda: get(PORT))
        await until(synced("CDS", "LDS", "RDS"), lambda: states(server))

        assert sent(server) == {"CDS": 1, "LDS": 1, "RDS": 2}


async def test_status_tells_who_is_connected_and_what_it_holds(tmp_path: Path, api_type: str) -> None:
    heard: list[ClientStatus] = []
    async with serving(tmp_path, heard) as server:
        async with running_envoy(tmp_path, api_type):
            snapshot = saying("one")
            server.publish(GATEWAY, snapshot)
            await until(synced("CDS", "LDS", "RDS"), lambda: states(server))

            (client,) = server.status()
            assert (client.node_id, client.gateway, client.version) == (NODE_ID, GATEWAY, "1.40.0")
            assert client.protocol == ("delta" if api_type == "DELTA_GRPC" else "sotw")
            listeners = client.stream.of(LISTENER.url)
            assert listeners is not None
            assert listeners.acked == {"127.0.0.1_8080": snapshot.of(LISTENER.url)["127.0.0.1_8080"].version}

        await until({}, lambda: states(server))
        assert [heard[0].is_connected, heard[-1].is_connected] == [True, False]


async def test_an_envoy_is_told_nothing_before_its_gateway_is_known(tmp_path: Path, api_type: str) -> None:
    async with serving(tmp_path) as server, running_envoy(tmp_path, api_type):
        server.publish("another.istio-system", saying("another"))
        await until({"CDS": SyncState.NOT_SENT}, lambda: states(server))

        assert sent(server) == {"CDS": 0}


def without_filter_chain() -> pb.Listener:
    """Refused after validation: its neighbours in the response are taken."""
    bad = listener(OTHER_PORT, name="bad")
    del bad.filter_chains[:]
    return bad


def with_nameless_filter() -> pb.Listener:
    """Refused by a validation rule: Envoy takes nothing of the response."""
    bad = listener(OTHER_PORT, name="bad")
    bad.listener_filters.add()
    return bad


@pytest.mark.parametrize("bad", [without_filter_chain, with_nameless_filter])
async def test_a_refused_listener_does_not_stop_the_good_one(
    tmp_path: Path, api_type: str, bad: Callable[[], pb.Listener]
) -> None:
    table = routes("http", direct(200, "one"))
    async with serving(tmp_path) as server, running_envoy(tmp_path, api_type):
        server.publish(GATEWAY, world(listeners=[bad(), listener(PORT)], routing=[table]))
        await until((200, "one"), lambda: get(PORT))
        await until(SyncState.ERROR, lambda: one_state(server, "LDS"))

        (client,) = server.status()
        ((kind, name),) = client.stream.rejections
        assert (kind, name) == (LISTENER.url, "bad")
        assert client.stream.rejections[kind, name]

        server.publish(
            GATEWAY,
            world(listeners=[listener(OTHER_PORT, name="bad"), listener(PORT)], routing=[table]),
        )
        await until((200, "one"), lambda: get(OTHER_PORT))
        await until(synced("CDS", "LDS", "RDS"), lambda: states(server))


async def one_state(server: AdsServer, short: str) -> SyncState | None:
    return (await states(server)).get(short)


async def test_a_new_control_plane_sends_nothing_that_envoy_has(tmp_path: Path, api_type: str) -> None:
    snapshot = world(
        listeners=[listener(PORT)],
        routing=[routes("http", to_cluster("shop"))],
        clusters=[cluster("shop")],
        assignments=[endpoints("shop", UPSTREAM_PORT)],
    )
    every_type = synced("CDS", "EDS", "LDS", "RDS")
    async with upstream(), running_envoy(tmp_path, api_type):
        async with serving(tmp_path) as server:
            server.publish(GATEWAY, snapshot)
            await until(every_type, lambda: states(server))
            await until((200, "up"), lambda: get(PORT))

        async with serving(tmp_path) as server:
            await until({"CDS", "EDS", "LDS", "RDS"}, lambda: types_asked_for(server))
            assert await get(PORT) == (200, "up")  # it has read nothing yet, and says nothing
            server.publish(GATEWAY, snapshot)
            await until(every_type, lambda: states(server))

            assert sent(server) == {"CDS": 0, "EDS": 0, "LDS": 0, "RDS": 0}
            assert await get(PORT) == (200, "up")


async def types_asked_for(server: AdsServer) -> set[str]:
    return set(await states(server))


async def test_nothing_drops_while_routes_move_from_cluster_to_cluster(tmp_path: Path, api_type: str) -> None:
    def moved(turn: int) -> Snapshot:
        name = f"shop-{turn // 2}"  # every second turn the cluster stays, and changes
        return world(
            listeners=[listener(PORT)],
            routing=[routes("http", to_cluster(name))],
            clusters=[cluster(name, timeout_s=1 + turn)],
            assignments=[endpoints(name, UPSTREAM_PORT)],
        )

    every_type = synced("CDS", "EDS", "LDS", "RDS")
    async with upstream(), serving(tmp_path) as server, running_envoy(tmp_path, api_type):
        server.publish(GATEWAY, moved(0))
        await until((200, "up"), lambda: get(PORT))
        await until(every_type, lambda: states(server))
        answers: list[tuple[int, str]] = []
        load = asyncio.create_task(keep_asking(answers))
        for turn in range(1, 21):
            server.publish(GATEWAY, moved(turn))
            await until(every_type, lambda: states(server))
        load.cancel()

        assert set(answers) == {(200, "up")}
        (client,) = server.status()
        clusters = client.stream.of(CLUSTER.url)
        assert clusters is not None
        assert set(clusters.acked) == {"shop-10"}


async def keep_asking(answers: list[tuple[int, str]]) -> None:
    while True:
        answers.append(await get(PORT))


COLLECTION = f"xdstp:///{pb.ScopedRouteConfiguration.DESCRIPTOR.full_name}"


def scoped_listener(port: int, table: str) -> pb.Listener:
    """A listener that finds its routes by the host of a request, in the collection of that table."""
    out = listener(port)
    network_filter = out.filter_chains[0].filters[0]
    hcm = pb.HttpConnectionManager()
    network_filter.typed_config.Unpack(hcm)
    hcm.ClearField("rds")
    forever = pb.ConfigSource()
    forever.CopyFrom(ADS)
    forever.initial_fetch_timeout.SetInParent()
    hcm.scoped_routes.name = table
    hcm.scoped_routes.rds_config_source.CopyFrom(forever)
    host = hcm.scoped_routes.scope_key_builder.fragments.add().header_value_extractor
    host.name, host.element_separator, host.index = ":authority", ":", 0
    hcm.scoped_routes.scoped_rds.scoped_rds_config_source.CopyFrom(forever)
    hcm.scoped_routes.scoped_rds.srds_resources_locator = f"{COLLECTION}/{table}/*"
    network_filter.typed_config.Pack(hcm)
    return out


def scope(table: str, host: str, text: str) -> pb.ScopedRouteConfiguration:
    name = f"{COLLECTION}/{table}/{host}"
    out = pb.ScopedRouteConfiguration(name=name, route_configuration=routes(name, direct(200, text)))
    out.key.fragments.add(string_key=host)
    return out


def scoped(tables: dict[int, str], *scopes: pb.ScopedRouteConfiguration) -> Snapshot:
    types: dict[str, dict[str, Message | bytes]] = {
        CLUSTER.url: {},
        LISTENER.url: {str(port): scoped_listener(port, table) for port, table in tables.items()},
        SCOPED_ROUTES.url: {each.name: each for each in scopes},
    }
    for port, named in types[LISTENER.url].items():
        assert isinstance(named, pb.Listener)
        named.name = port
    return snapshot(types)


async def test_a_collection_is_told_by_difference_and_an_empty_one_holds_up_nothing(tmp_path: Path) -> None:
    tables = {PORT: "one", OTHER_PORT: "other"}
    async with serving(tmp_path) as server, running_envoy(tmp_path, "DELTA_GRPC"):
        server.publish(GATEWAY, scoped(tables, scope("one", "test", "first")))
        await until((200, "first"), lambda: get(PORT))
        await until((404, ""), lambda: get(OTHER_PORT))  # it listens, though its collection is empty
        await until(synced("CDS", "LDS", "SRDS"), lambda: states(server))
        sent_before = server.pushed[SCOPED_ROUTES.url]

        server.publish(
            GATEWAY, scoped(tables, scope("one", "test", "second"), scope("other", "test", "of the other"))
        )
        await until((200, "second"), lambda: get(PORT))
        await until((200, "of the other"), lambda: get(OTHER_PORT))
        assert server.pushed[SCOPED_ROUTES.url].resources == sent_before.resources + 2

        # A collection that is gone as a whole would stay, for what drains.
        left = scope("one", "left.test", "left"), scope("other", "test", "of the other")
        server.publish(GATEWAY, scoped(tables, *left))
        await until((404, ""), lambda: get(PORT))
        assert await get(OTHER_PORT) == (200, "of the other")
        await until(synced("CDS", "LDS", "SRDS"), lambda: states(server))

        # The first listener goes, and when it has drained Envoy lets go of its collection.
        server.publish(GATEWAY, scoped({OTHER_PORT: "other"}, scope("other", "test", "alone")))
        await until({f"{COLLECTION}/other/*"}, lambda: subscribed(server))
        before = server.pushed[SCOPED_ROUTES.url]
        last = scope("one", "test", "unheard"), scope("other", "test", "last")
        server.publish(GATEWAY, scoped({OTHER_PORT: "other"}, *last))
        await until((200, "last"), lambda: get(OTHER_PORT))
        assert server.pushed[SCOPED_ROUTES.url].resources == before.resources + 1


async def subscribed(server: AdsServer) -> set[str]:
    """The names of scoped routes that are asked for."""
    return {
        name
        for client in server.status()
        for each in client.stream.types
        if each.type_url == SCOPED_ROUTES.url
        for name in each.subscribed
    }
