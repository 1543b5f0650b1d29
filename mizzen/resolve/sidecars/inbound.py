"""The inbound side of a sidecar: what of the mesh may reach the application, and how."""

from dataclasses import replace
from datetime import timedelta

from mizzen.model.backend import Backend, Discovery, Endpoint, EndpointGroup, Protocol
from mizzen.model.http2 import CONNECTION_WINDOW, MOST_STREAMS, STREAM_WINDOW, STREAMS
from mizzen.model.listener import Chain, Edge, Http2Limits, HttpService, Listener, TcpService, Transport
from mizzen.model.route import Forward, HeaderChanges, Host, Retry, Route, RouteMatch, RouteTable, Weighted
from mizzen.model.telemetry import AccessLog, TraceHeaders
from mizzen.model.tls import ServerTls
from mizzen.persistent import by_name
from mizzen.resolve.access.authorization import authorization
from mizzen.resolve.context import Context
from mizzen.resolve.listeners.edge import client_certificates
from mizzen.resolve.services.destinations import GRPC
from mizzen.resolve.services.peer_modes import peer_mode
from mizzen.resolve.sidecars.workload_ports import InboundPort
from mizzen.resolve.tls.identity import ALPN_HTTP, ALPN_TCP, mesh_server
from mizzen.resources.istio.mesh import ProxyHeaders, SetCurrentClientCertDetails

_HTTP = frozenset({"HTTP", "HTTP2", "GRPC", "GRPC-Web"})
_PLAIN_HTTP = ("http/1.0", "http/1.1", "h2c")
# Clients that let ALPN decide speak HTTP/2 where it is chosen. A port whose application may not understand it, since
# nobody said what it carries, does not offer it; who knows better speaks it all the same.
_SERVE_HTTP = ("h2", "http/1.1")
_SERVE_UNKNOWN = ("http/1.1",)
SERVE_TCP = (*ALPN_TCP, "http/1.1")
# Whence a sidecar connects to its application, so that the connection is not redirected to it again.
PASSED_ON_FROM = "127.0.0.6"
_RETRY = Retry(attempts=2, on="reset-before-request")
# A field of requests alone (RFC 9110, section 10.1.4), which makes an answer over HTTP/2 malformed.
_NO_ANSWER_HAS = HeaderChanges(response_remove=("te",))


def inbound_name(port: InboundPort) -> str:
    """Istio's name of an inbound backend, and here of its routes: "inbound|8000||"."""
    return f"inbound|{port.number}||"


def inbound_edge(edge: Edge, headers: ProxyHeaders | None = None) -> Edge:
    """How a sidecar meets its clients: proxies of the mesh, whose word on who asked counts.

    Who connected is added to x-forwarded-client-cert, as Istio's sidecars do. Limits of a connection
    (connectionSettings) are for one client, not for a proxy that has many: it may ask as much as ours do at once, and
    its streams do not stop one another.
    """
    return replace(
        edge,
        remote_address=False,
        client_cert_header=client_certificates(
            headers.forwarded_client_cert if headers else None, "append_forward"
        ),
        cert_details=_cert_details(headers.set_current_client_cert_details if headers else None),
        stream_idle_timeout=timedelta(0),
        trace_headers=TraceHeaders.CONTINUE if edge.trace_headers else None,
        http2=Http2Limits(
            max_concurrent_streams=max(edge.http2.max_concurrent_streams or MOST_STREAMS, STREAMS),
            stream_window=edge.http2.stream_window or STREAM_WINDOW,
            connection_window=CONNECTION_WINDOW,
        ),
    )


def _cert_details(said: SetCurrentClientCertDetails | None) -> tuple[str, ...]:
    if said is None:
        return ("subject", "dns", "uri")
    return tuple(name for name in ("subject", "cert", "chain", "dns", "uri") if getattr(said, name))


def inbound_listener(ctx: Context, port: InboundPort, edge: Edge, logs: tuple[AccessLog, ...]) -> Listener:
    """One port of the workload, with the chains that its PeerAuthentication allows."""
    name = f"{port.bind}_{port.number}"
    mode = peer_mode(ctx, ctx.proxy.namespace, ctx.proxy.labels, port.number)
    return Listener(
        name=name,
        transport=Transport.TCP,
        address=port.bind,
        port=port.number,
        chains=inbound_chains(ctx, port, mode),
        edge=edge,
        access_logs=logs,
        log_unmatched=not ctx.mesh.disable_envoy_listener_log,
        inbound=True,
        origin=port.ref,
    )


def inbound_chains(ctx: Context, port: InboundPort, mode: str) -> tuple[Chain, ...]:
    """Istio's table: (mode) x (what the port is declared to carry)."""
    http, tcp = _http(port), _tcp(ctx, port)
    if port.protocol in _HTTP:
        marked = (*ALPN_TCP, *ALPN_HTTP) if mode == "PERMISSIVE" else ()
        secure = [_secure(ctx, port, "mtls", marked, http)]
        plain = [_plain(port, "plain", "raw_buffer", (), http)]
    elif port.protocol:
        marked = (*ALPN_TCP, *ALPN_HTTP) if mode == "PERMISSIVE" else ()
        secure = [_secure(ctx, port, "mtls", marked, tcp)]
        plain = [_plain(port, "plain", "raw_buffer", (), tcp), _plain(port, "tls", "tls", (), tcp)]
    else:
        secure = [
            _secure(ctx, port, "mtls-http", ALPN_HTTP, http),
            _secure(ctx, port, "mtls", ALPN_TCP, tcp),
        ]
        plain = [
            _plain(port, "plain-http", "raw_buffer", _PLAIN_HTTP, http),
            _plain(port, "plain", "raw_buffer", (), tcp),
            _plain(port, "tls", "tls", (), tcp),
        ]
    if mode == "STRICT":
        return tuple(secure)
    if mode == "DISABLE":
        return tuple(plain)
    return (*secure, *plain)


def _secure(
    ctx: Context, port: InboundPort, suffix: str, alpn: tuple[str, ...], serve: HttpService | TcpService
) -> Chain:
    offered: tuple[str, ...] = SERVE_TCP
    if isinstance(serve, HttpService):
        offered = _SERVE_HTTP if port.protocol else _SERVE_UNKNOWN
    return _chain(port, suffix, "tls", alpn, mesh_server(ctx, offered), serve)


def _plain(
    port: InboundPort, suffix: str, transport: str, alpn: tuple[str, ...], serve: HttpService | TcpService
) -> Chain:
    return _chain(port, suffix, transport, alpn, None, serve)


def _chain(
    port: InboundPort,
    suffix: str,
    transport: str,
    alpn: tuple[str, ...],
    tls: ServerTls | None,
    serve: HttpService | TcpService,
) -> Chain:
    return Chain(
        name=f"{inbound_name(port)}{suffix}",
        server_names=(),
        transport_protocol=transport,
        application_protocols=alpn,
        tls=tls,
        serve=serve,
        origin=port.ref,
        at=port.at,
    )


def _http(port: InboundPort) -> HttpService:
    return HttpService(
        route_table=inbound_name(port),
        stat_prefix=f"inbound_{port.bind}_{port.number};",
        grpc_web=port.protocol == "GRPC-Web",
        judged=True,
    )


def _tcp(ctx: Context, port: InboundPort) -> TcpService:
    return TcpService(
        to=(Weighted(backend=inbound_name(port)),),
        stat_prefix=inbound_name(port),
        access=authorization(ctx, http=False),
    )


def carries_http(port: InboundPort) -> bool:
    """Declared to, or not declared at all."""
    return not port.protocol or port.protocol in _HTTP


def inbound_routes(port: InboundPort) -> RouteTable:
    """Every request goes to the application."""
    route = Route(
        name="default",
        match=RouteMatch(),
        action=Forward(
            to=(Weighted(backend=inbound_name(port)),),
            timeout=None,
            retry=_RETRY,
            grpc=GRPC.get(port.protocol),
        ),
        headers=_NO_ANSWER_HAS,
        operation=f"{port.operation}/*",
        origin=port.ref,
        at=port.at,
    )
    host = Host(name=f"inbound|http|{port.number}", domains=("*",), routes=(route,), count_attempts=False)
    return RouteTable(name=inbound_name(port), hosts=by_name((host,)), origin=port.ref)


def inbound_backend(ctx: Context, port: InboundPort) -> Backend:
    """The application itself."""
    if port.protocol in GRPC:
        protocol = Protocol.HTTP2
    else:
        protocol = Protocol.AS_CLIENT if not port.protocol else Protocol.UNKNOWN
    if not port.target:
        return Backend(
            name=inbound_name(port),
            discovery=Discovery.CONNECTION,
            service=None,
            protocol=protocol,
            source=PASSED_ON_FROM,
            origin=ctx.proxy.origin,
        )
    endpoint = Endpoint(address=port.target, port=port.target_port)
    return Backend(
        name=inbound_name(port),
        discovery=Discovery.FIXED,
        service=None,
        groups=(EndpointGroup(endpoints=(endpoint,)),),
        protocol=protocol,
        origin=ctx.proxy.origin,
    )
