"""Models made by hand, as small as they can be: what the translation's tests are written in."""

from datetime import UTC, datetime

from mizzen.demo import certificates
from mizzen.errors import ResourceRef
from mizzen.model import GatewayName, Model
from mizzen.model.announcement import Announcement
from mizzen.model.backend import Backend, Discovery, Endpoint, EndpointGroup, Health, Service
from mizzen.model.listener import Chain, Edge, HttpService, Listener, Mirror, TcpService, Transport
from mizzen.model.route import Forward, Host, Route, RouteMatch, RouteTable, Weighted
from mizzen.model.tls import Certificate, ClientAuth, ServerTls, TlsPolicy, TrustedCa, Verification
from mizzen.persistent import by_name

GATEWAY = ResourceRef(kind="Gateway", namespace="shop", name="edge")
VIRTUAL_SERVICE = ResourceRef(kind="VirtualService", namespace="shop", name="shop")
SERVICE = ResourceRef(kind="Service", namespace="shop", name="backend")
BACKEND = "outbound|80||backend.test"
HOST = "shop.test"

# A world of its own: who signs, and for whom.
AUTHORITY = certificates.authority("Test", datetime.now(UTC))
CA_PEM = AUTHORITY.certificate.decode()


def table_name(host: str = HOST) -> str:
    return f"https.443.{host}.edge.shop"


def credential(host: str = HOST) -> str:
    return f"kubernetes://{host}"


def server_tls(
    host: str = HOST, *, auth: ClientAuth = ClientAuth.NONE, alpn: tuple[str, ...] = ("h2", "http/1.1")
) -> ServerTls:
    asks = auth is not ClientAuth.NONE
    return ServerTls(
        certificates=(credential(host),),
        client_auth=auth,
        verification=Verification(ca=f"{credential(host)}-cacert") if asks else None,
        alpn=alpn,
        policy=TlsPolicy(),
    )


def chain(
    host: str = HOST,
    *,
    tls: ServerTls | None = None,
    serve: HttpService | TcpService | None = None,
    grpc_web: bool = False,
) -> Chain:
    """The chain of an HTTPS server."""
    name = table_name(host)
    service = HttpService(
        route_table=name, stat_prefix="outbound;", grpc_web=grpc_web, announcement=f"alt-svc/{name}"
    )
    return Chain(
        name=name,
        server_names=(host,),
        tls=tls or server_tls(host),
        serve=serve or service,
        origin=GATEWAY,
        at="spec.servers[0]",
    )


def tcp_listener(*chains: Chain, edge: Edge | None = None, address: str = "127.0.0.1") -> Listener:
    return Listener(
        name=f"{address}_8443",
        transport=Transport.TCP,
        address=address,
        port=8443,
        chains=chains or (chain(),),
        edge=edge or Edge(),
        origin=GATEWAY,
    )


def quic_listener(*chains: Chain, edge: Edge | None = None, address: str = "127.0.0.1") -> Listener:
    return Listener(
        name=f"udp_{address}_8443",
        transport=Transport.QUIC,
        address=address,
        port=8443,
        chains=chains or (chain(tls=server_tls(alpn=("h3",))),),
        edge=edge or Edge(),
        origin=GATEWAY,
    )


def route(action: object = None, **rest: object) -> Route:
    """Everything to the backend, unless an action says otherwise."""
    fields: dict[str, object] = {
        "name": "",
        "match": RouteMatch(),
        "action": action or Forward(to=(Weighted(backend=BACKEND),), timeout=None),
        "origin": VIRTUAL_SERVICE,
        "at": "spec.http[0]",
    }
    return Route(**{**fields, **rest})  # type: ignore[arg-type]


def table(*routes: Route, host: str = HOST, name: str = "") -> RouteTable:
    return RouteTable(
        name=name or table_name(host),
        hosts=by_name((Host(name=f"{host}:443", domains=(host,), routes=routes or (route(),)),)),
        origin=GATEWAY,
    )


def backend(name: str = BACKEND, *, port: int = 9000, **rest: object) -> Backend:
    """One healthy endpoint on this machine."""
    fields: dict[str, object] = {
        "name": name,
        "discovery": Discovery.ENDPOINTS,
        "service": Service(host="backend.test", name="backend", namespace="shop"),
        "groups": (group(Endpoint(address="127.0.0.1", port=port, health=Health.HEALTHY)),),
        "origin": SERVICE,
    }
    return Backend(**{**fields, **rest})  # type: ignore[arg-type]


def group(*endpoints: Endpoint) -> EndpointGroup:
    return EndpointGroup(endpoints=endpoints)


def certificate(host: str = HOST) -> Certificate:
    pair = certificates.server(host, AUTHORITY, datetime.now(UTC))
    return Certificate(name=credential(host), chain=pair.certificate, key=pair.key, origin=GATEWAY)


def trusted_ca(host: str = HOST) -> TrustedCa:
    return TrustedCa(name=f"{credential(host)}-cacert", roots=AUTHORITY.certificate, origin=GATEWAY)


def announcement(host: str = HOST) -> Announcement:
    return Announcement(name=f"alt-svc/{table_name(host)}", port=8443, origin=GATEWAY)


def model(
    *,
    listeners: tuple[Listener, ...] = (),
    tables: tuple[RouteTable, ...] = (),
    backends: tuple[Backend, ...] = (),
    certificates: tuple[Certificate, ...] = (),
    trusted_cas: tuple[TrustedCa, ...] = (),
    announcements: tuple[Announcement, ...] = (),
    mirrors: tuple[Mirror, ...] = (),
) -> Model:
    return Model(
        gateway=GatewayName("edge.shop"),
        listeners=listeners,
        route_tables=tables,
        backends=by_name(backends),
        certificates=certificates,
        trusted_cas=trusted_cas,
        announcements=announcements,
        mirrors=mirrors,
    )


def mirrored(*hosts: str, auth: ClientAuth = ClientAuth.NONE, port: int = 9000) -> Model:
    """HTTPS servers on 8443, TCP and QUIC, all to one backend."""
    names = hosts or (HOST,)
    tcp = [chain(host, tls=server_tls(host, auth=auth)) for host in names]
    quic = [chain(host, tls=server_tls(host, auth=auth, alpn=("h3",))) for host in names]
    return model(
        listeners=(tcp_listener(*tcp), quic_listener(*quic)),
        tables=tuple(table(host=host) for host in names),
        backends=(backend(port=port),),
        certificates=tuple(certificate(host) for host in names),
        trusted_cas=tuple(trusted_ca(host) for host in names) if auth is not ClientAuth.NONE else (),
        announcements=tuple(announcement(host) for host in names),
    )
