"""Aggregated discovery over gRPC: the socket side of `mizzen.xds`. It moves messages and decides nothing.

Each Envoy that connects has a stream of its own and is told what was last published for its gateway; before
the first `publish` for that gateway it is told nothing, since an empty answer would take all its listeners
away.

Set GRPC_VERBOSITY=ERROR and GRPC_ENABLE_FORK_SUPPORT=0 before this module is imported: gRPC reads them once,
and writes to stderr without them.
"""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import grpc
import grpc.aio

from mizzen._api import pb
from mizzen.authority.identity import Identity
from mizzen.authority.proof import HEADER, holds
from mizzen.lazy import dataclass
from mizzen.redaction import hidden_text
from mizzen.serve.budget import SMALL, Budget
from mizzen.serve.clients import Client, Clients, Pushed
from mizzen.serve.clients import ClientStatus as ClientStatus
from mizzen.serve.credentials import (
    AuthContext,
    Refused,
    ServerTls,
    is_private,
    require_proof,
    server_credentials,
)
from mizzen.serve.kept_socket import KeptSocket
from mizzen.xds.delta import DeltaStream
from mizzen.xds.node import gateway_of
from mizzen.xds.snapshot import Snapshot
from mizzen.xds.sotw import SotwStream
from mizzen.xds.stream import error_text

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
# The same streams for secrets alone: how an Envoy asks for its own certificate (cluster `sds-grpc`).
SECRET_SERVICE = "envoy.service.secret.v3.SecretDiscoveryService"

# How long changed listeners and routes wait for clusters that do not get warm. A cluster that is well warms
# in milliseconds; a name that DNS does not know takes 5 s and more, and shall not stop other changes.
HOLD_LIMIT = timedelta(seconds=2)

# A refusal may carry a dump of the whole resource, and 10,000 hosts are 2 MB.
_LARGEST_FROM_PROXIES = 16 * 2**20
# Whoever shows no certificate asks for one, or says which configuration he has got.
_LARGEST_FROM_ANYBODY = 2**20
_LONGEST_NODE_ID, _LARGEST_NODE = 1_000, 2**20  # characters; bytes (Envoy lists all its extensions in it)
_FIRST_SECONDS = 30.0  # until a stream says whose it is
_STREAMS_OF_NODE = 100  # replicas of a gateway may have one name
_HANDSHAKE_MS, _IDLE_MS = 10_000, 300_000
_STREAMS = 100  # of a connection
_LOCAL = 1_000  # connections of this machine
_CALLS = 512  # of all who join, at once
_UNDER_WAY = 32 * 2**20  # bytes of large responses, to all clients together

_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_send_message_length", -1),
    # Envoy pings every 30 s; gRPC's default takes more than one ping in 5 minutes for an attack.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Two control planes on one port would each get half of the Envoys.
    ("grpc.so_reuseport", 0),
    # Connections that do not come to the point end.
    ("grpc.server_handshake_timeout_ms", _HANDSHAKE_MS),
    ("grpc.max_connection_idle_ms", _IDLE_MS),
    ("grpc.max_concurrent_streams", _STREAMS),
    # Each connection keeps what it last read with. A large request would make that 64 KB for good.
    ("grpc.experimental.tcp_max_read_buffer_size", 8_192),
)

_log = logging.getLogger(__name__)

_Request = pb.DeltaDiscoveryRequest | pb.DiscoveryRequest
_Context = grpc.aio.ServicerContext[Any, Any]


OnStatus = Callable[[ClientStatus], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Whether a proxy is served, and told Secrets."""

    refusal: str = ""  # why it is not served
    secrets: bool = True
    is_proven: bool = True  # who it is; else anybody may say anything in its name


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How proxies of other machines are served.

    `secure`: for those who show a certificate of the mesh. `join`: for those who have none yet, and get one
    (`services`). `plaintext`: for whoever can reach it; no Secret is told there. "" leaves a port closed.
    """

    secure: str = ""
    join: str = ""
    plaintext: str = ""
    tls: Callable[[], ServerTls]
    identify: Callable[[AuthContext], Identity | None]  # raises Refused
    admit: Callable[[pb.Node, Identity], Awaitable[Admission]]  # (what it says, who it is)
    services: tuple["grpc.GenericRpcHandler[Any, Any]", ...] = ()
    # Connections that each port takes; further ones are closed.
    most_secure: int = 10_000
    most_join: int = 1_000
    most_plaintext: int = 1_000


def auth_context(context: _Context) -> AuthContext:
    """What gRPC knows of the other side."""
    found: Any = context.auth_context()
    return cast(AuthContext, found)


def _server(largest: int, connections: int, calls: int | None = None) -> grpc.aio.Server:
    """`largest`: bytes of a message. `connections`: that each port takes."""
    limits = (
        ("grpc.max_receive_message_length", largest),
        ("grpc.max_allowed_incoming_connections", connections),
    )
    return grpc.aio.server(options=(*_OPTIONS, *limits), maximum_concurrent_rpcs=calls)


class AdsServer:
    """Serves snapshots to Envoys. All methods are for the event loop's own thread."""

    def __init__(
        self,
        *,
        socket_path: Path | None = None,
        proof: Callable[[str], str] | None = None,
        address: str = "",
        on_status: OnStatus | None = None,
        hold_limit: timedelta = HOLD_LIMIT,
        streams_of_node: int = _STREAMS_OF_NODE,
    ) -> None:
        """Listen on a Unix socket (its directory should be 0700: gRPC makes it readable to all), on a TCP
        `address` ("127.0.0.1:15010"), where no Secret is told, or on both.

        `proof`: what the Envoy of a proxy ("name.namespace") shows on the Unix socket (header `proof.HEADER`);
        without it whoever connects is served, which suits a folder in which nobody else can make anything connect.
        `on_status` hears of every client that connects, leaves, confirms or refuses something."""
        self._socket_path, self._proof = socket_path, proof
        self._address = address
        self.network: Network | None = None  # to be set before `start`
        self._on_status = on_status
        self._hold_limit, self._streams_of_node = hold_limit, streams_of_node
        self._clients = Clients()
        self._budget = Budget(_UNDER_WAY)
        self._servers: list[grpc.aio.Server] = []
        self._is_stopping = False
        self._kept = KeptSocket(socket_path) if socket_path else None

    async def start(self) -> None:
        """Bind and serve. Raises RuntimeError when an address cannot be bound, OSError when the socket cannot."""
        local = _server(_LARGEST_FROM_PROXIES, _LOCAL)
        local.add_generic_rpc_handlers(self._handlers())
        if self._socket_path:
            try:
                local.add_insecure_port(f"unix:{self._socket_path}")
            except RuntimeError as error:
                raise OSError(f"{self._socket_path} cannot be bound: {error}") from None
        if self._address:
            local.add_insecure_port(self._address)
        servers = [local, *(self._of_network(self.network) if self.network else ())]
        for server in servers:
            await server.start()
        self._servers = servers
        if self._kept:
            self._kept.hold()

    def restore(self) -> tuple[str, ...]:
        """Give the socket its name again, if somebody removed it: that name. OSError when that fails."""
        return (self._kept.path.name,) if self._kept and self._kept.restore() else ()

    def _of_network(self, network: Network) -> list[grpc.aio.Server]:
        """A server for each port, so that what strangers do at one has a bound of its own."""
        found = []
        if network.secure:
            server = _server(_LARGEST_FROM_PROXIES, network.most_secure)
            server.add_generic_rpc_handlers((*self._handlers(), *network.services))
            server.add_secure_port(network.secure, server_credentials(network.tls, require_client=True))
            found.append(server)
        if network.join:
            server = _server(_LARGEST_FROM_ANYBODY, network.most_join, _CALLS)
            server.add_generic_rpc_handlers(network.services)
            server.add_secure_port(network.join, server_credentials(network.tls, require_client=False))
            found.append(server)
        if network.plaintext:
            server = _server(_LARGEST_FROM_ANYBODY, network.most_plaintext, 2 * network.most_plaintext)
            server.add_generic_rpc_handlers(self._handlers())
            server.add_insecure_port(network.plaintext)
            found.append(server)
        return found

    async def stop(self) -> None:
        """End all streams in good order, then the servers. Envoy serves on and comes back by itself."""
        self._is_stopping = True
        for client in self._clients:
            client.changed.set()
        await asyncio.gather(*(server.stop(grace=1.0) for server in self._servers))
        self._clients.close()
        self._servers = []
        if self._kept:
            self._kept.release()

    def try_again(self, type_url: str, is_worth_it: Callable[[str], bool]) -> None:
        """Send once more, unchanged, what clients refused for such a reason."""
        self._clients.try_again(type_url, is_worth_it)

    def publish(self, gateway: str, snapshot: Snapshot) -> None:
        """From now on every Envoy of this gateway shall hold `snapshot`.

        What is published several times before the loop turns is sent once.
        """
        self._clients.publish(gateway, snapshot)

    def unpublish(self, gateway: str) -> None:
        """Forget a gateway that is gone: its Envoys keep what they have, and new ones are told nothing."""
        self._clients.unpublish(gateway)

    def status(self) -> tuple[ClientStatus, ...]:
        """All connected clients, by gateway and node id."""
        return self._clients.status()

    def asked(self, type_url: str) -> frozenset[str]:
        """The names of that type that anybody asks for."""
        return self._clients.asked(type_url)

    @property
    def pushed(self) -> Mapping[str, Pushed]:
        """What was sent so far, by type URL."""
        return self._clients.pushed

    def _handlers(self) -> "tuple[grpc.GenericRpcHandler[Any, Any], ...]":
        delta, sotw = self._handler(DeltaStream), self._handler(SotwStream)
        secrets, old_secrets = self._handler(DeltaStream, silent=True), self._handler(SotwStream, silent=True)
        return (
            grpc.method_handlers_generic_handler(
                SERVICE, {"DeltaAggregatedResources": delta, "StreamAggregatedResources": sotw}
            ),
            grpc.method_handlers_generic_handler(
                SECRET_SERVICE, {"DeltaSecrets": secrets, "StreamSecrets": old_secrets}
            ),
        )

    def _handler(
        self, kind: type[DeltaStream] | type[SotwStream], *, silent: bool = False
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        """A method that speaks one of the two protocols. `silent`: nobody hears of who is connected."""
        is_delta = kind is DeltaStream
        request = pb.DeltaDiscoveryRequest if is_delta else pb.DiscoveryRequest

        async def serve(requests: AsyncIterator[Any], context: _Context) -> None:
            await self._serve(kind(itertools.count(1), self._clients.shared), requests, context, silent)

        # Without a serializer the bytes are taken as they are.
        return grpc.stream_stream_rpc_method_handler(serve, request_deserializer=request.FromString)

    async def _serve(
        self, stream: Any, requests: AsyncIterator[Any], context: _Context, silent: bool
    ) -> None:
        client = await self._welcome(stream, requests, context, silent)
        if client is None:
            return
        self._clients.offer(client)
        reader = asyncio.create_task(self._read(client, requests))
        try:
            await self._write(client, context, reader)
        finally:
            reader.cancel()
            self._clients.remove(client)
            self._tell(client)
            _log.info("%s disconnected", client.node_id)

    async def _welcome(
        self, stream: Any, requests: AsyncIterator[Any], context: _Context, silent: bool
    ) -> Client | None:
        """Who it is, and what it asks for first; None when it asks for nothing. (The request is not kept: it is large.)"""
        first = await self._first(requests, context)
        if first is None:
            return None
        admission = await self._admit(first.node, context)
        client = Client(
            stream, first.node, silent=silent, secrets=admission.secrets, is_proven=admission.is_proven
        )
        if self._clients.streams_of(client.node_id) >= self._streams_of_node:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "it has too many streams already")
        self._clients.add(client)
        _log.info("%s connected", client.node_id)
        try:
            self._receive(client, first)
        except BaseException:
            self._clients.remove(client)
            raise
        return client

    async def _first(self, requests: AsyncIterator[Any], context: _Context) -> Any:
        """The request that says whose stream it is; None when there is none."""
        try:
            async with asyncio.timeout(_FIRST_SECONDS):
                first = await anext(requests, None)
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "nothing was asked")
        if first is None:
            return None
        if not 0 < len(first.node.id) <= _LONGEST_NODE_ID or first.node.ByteSize() > _LARGEST_NODE:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "missing node information")
        return first

    async def _admit(self, node: pb.Node, context: _Context) -> Admission:
        """May it be told Secrets, and believed? All prove who they are, or are refused, but at the plaintext port."""
        network = self.network
        if context.peer().startswith("unix:"):
            await self._require_proof(node, context)
            return Admission()
        if network is None or not is_private(auth_context(context), context.peer()):
            return Admission(secrets=False, is_proven=False)  # the plaintext port: anybody may be listening
        try:
            identity = network.identify(auth_context(context))
            require_proof(auth_context(context), context.invocation_metadata() or ())
        except Refused as error:
            await context.abort(error.code, str(error))
        if identity is None:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "configuration needs a client certificate")
        admission = await network.admit(node, identity)
        if admission.refusal:
            _log.warning("%s is refused as %s: %s", identity, node.id, admission.refusal)
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, admission.refusal)
        return admission

    async def _require_proof(self, node: pb.Node, context: _Context) -> None:
        """Somebody else's route may have made Envoy connect here: only what was started as this proxy has its proof."""
        if self._proof is None:
            return
        shown = dict(context.invocation_metadata() or ()).get(HEADER, "")
        if not isinstance(shown, str) or not holds(shown, self._proof(gateway_of(node))):
            _log.warning("somebody who is not %s asked for its configuration", node.id[:200])
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "this is not the proxy that it says it is")

    def _receive(self, client: Client, request: Any) -> None:
        client.stream.receive(request)
        client.wake()
        self._clients.settle_later()
        if error := error_text(request):  # Envoy quotes what it refuses
            _log.warning("%s refused %s: %s", client.node_id, request.type_url, hidden_text(error))
        self._tell(client)

    async def _read(self, client: Client, requests: AsyncIterator[Any]) -> None:
        """Take in requests until the client closes. A cut connection is an end like any other."""
        try:
            with suppress(grpc.aio.AioRpcError, grpc.aio.UsageError):
                async for request in requests:
                    self._receive(client, request)
        finally:
            client.changed.set()

    async def _write(self, client: Client, context: _Context, reader: asyncio.Task[None]) -> None:
        """Send whatever the stream has to say, each time something changed, until reading ends."""
        while not (reader.done() or self._is_stopping):
            client.changed.clear()
            while (response := client.stream.next_response()) is not None:
                self._clients.count(response)
                if response.size <= SMALL:
                    await context.write(response.body)
                else:
                    async with self._budget.spent(response.size):
                        await context.write(response.body)
            client.limit_holding(self._hold_limit)
            await client.changed.wait()

    def _tell(self, client: Client) -> None:
        if self._on_status and not client.silent:
            self._on_status(client.status())
