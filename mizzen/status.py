"""What a control plane says of itself: types, and how they are written as JSON and read again.

The supervisor, the commands, the leader of a cluster and the other replicas read what is told here; nobody reads a
dictionary. What is read may come from another version: what is missing has a value, what is too much is passed over.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

Json = dict[str, Any]


class TypeSync(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One resource type at one Envoy, in the words of `istioctl proxy-status`."""

    state: str  # SYNCED, STALE, NOT SENT, ERROR
    held: int = 0  # resources that it has confirmed
    sent: int = 0  # responses so far
    last_error: str = ""


class ProblemValue(msgspec.Struct, frozen=True, kw_only=True):
    """A Problem in words, each one line."""

    severity: str = "error"
    code: str = ""
    istio: str = ""  # the code that istioctl tells it by, if any
    resource: str = ""  # "Gateway/shop/web"
    field: str = ""
    origin: str = ""  # file:line:column
    message: str = ""
    hint: str = ""


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """What an Envoy refused."""

    resource: str
    origin: str = ""
    message: str = ""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """That what clients are told of a mirror became another, when, and why."""

    at: str  # RFC 3339, UTC, as all times here
    state: str  # as MirrorStatus.state
    stage: int = 0
    reason: str = ""


class BindingStatus(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What DNS may say of one HTTPS server (RFC 9460)."""

    is_listed: bool = False  # now: HTTP/3 is announced, and not about to be withdrawn
    also: tuple[str, ...] = ()  # hosts beside those of the mirror: single ones below a wildcard
    off: dict[str, str] = {}  # hosts without HTTP/3, and why
    alpn: tuple[str, ...] = ()
    has_default: bool = True  # HTTP/1.1 over TCP is spoken too
    target: str = "."
    addresses: tuple[str, ...] = ()
    unknown: str = ""  # why no address is known
    ttl: int = 60  # seconds
    keeper: str = ""  # the object that has records kept: "HTTP3Policy/shop/web"


class MirrorStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTPS server, whether it has an HTTP/3 mirror and what clients are told of it."""

    server: str  # "https.443.https.httpbin-gateway.istio-system"
    listener: str = ""  # "" without a mirror
    expected: bool = False
    announced: str = ""  # the value of alt-svc
    state: str = ""  # "announced", "withheld", "withdrawn"
    reason: str = ""  # why it is not announced
    choice: str = ""  # what was chosen of it and of its hosts, and by whom
    resource: str = ""
    origin: str = ""
    # How far its announcement has come: the stage (from 1; 0 when it is not announced) of so many.
    stage: int = 0
    stages: int = 0
    since: str = ""  # when this state, or stage, began
    promised_until: str = ""  # until then a client may come over HTTP/3; "": none may
    next_stage: str = ""  # when the next stage may begin
    history: tuple[Turn, ...] = ()  # the last turns, the newest last
    hosts: tuple[str, ...] = ()  # that clients ask for; () takes any
    number: int = 0  # the port as the Gateway names it
    port: int = 0  # the port that clients dial
    tcp_listener: str = ""  # "" where it has HTTP/3 alone
    hosts_off: tuple[str, ...] = ()  # of its hosts those that are not had over HTTP/3
    dns: BindingStatus | None = None  # None: it is not known what DNS may say


class PortStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One port of a Service."""

    name: str = ""
    protocol: str = "TCP"
    port: int
    target: str = ""  # a number, or the name of a container's port
    refused: str = ""  # why the load balancer does not carry it


class ServiceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A Service of a gateway: which ports of it clients reach."""

    resource: str  # "Service/istio-system/istio-ingressgateway", or what it is made of: "IstioOperator/..."
    origin: str = ""  # where its ports are written; "" when nobody has written them
    field: str = ""  # their path there
    type: str = "ClusterIP"
    external_traffic_policy: str = ""
    ports: tuple[PortStatus, ...] = ()
    addresses: tuple[str, ...] = ()  # that its load balancer has


class ListenerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """An address that is served."""

    name: str
    address: str
    port: int  # 0: the address is a path
    transport: str  # "tcp", "quic", "unix"


class UdpSocket(msgspec.Struct, frozen=True, kw_only=True):
    """A UDP socket of a machine or Pod, as the kernel counts it."""

    address: str
    port: int
    drops: int = 0  # datagrams that it had no room for, since it was opened


class KernelUdp(msgspec.Struct, frozen=True, kw_only=True):
    """What the kernel gives to UDP where an Envoy is."""

    receive_max: int | None = None  # net.core.rmem_max in bytes; None: it is not to be seen there
    sockets: tuple[UdpSocket, ...] = ()


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """How one Envoy stands, as short as the supervisor needs it."""

    synced: bool = False  # it has confirmed (or finally refused) all that it shall hold
    ready: bool = False  # it serves, and every mirror that can be is announced
    reason: str = ""  # why it is not
    lost: str = ""  # why a TCP port is not served that was served before


class EnvoyStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One Envoy as `proxy-status` shows it."""

    key: str = ""  # of the proxy that it is one of
    node: str = ""
    version: str = ""  # Envoy's; "" while none is connected
    synced: bool = False
    ready: bool = False
    reason: str = ""
    lost: str = ""
    occupied: tuple[ProblemValue, ...] = ()
    types: dict[str, TypeSync] = {}
    rejected: tuple[Rejected, ...] = ()
    mirrors: tuple[MirrorStatus, ...] = ()
    listeners: tuple[ListenerStatus, ...] = ()
    services: tuple[ServiceStatus, ...] = ()  # of its gateway


class ProxyValue(msgspec.Struct, frozen=True, kw_only=True):
    """What the supervisor must know to run a gateway's Envoy."""

    name: str
    namespace: str
    kind: str = "router"  # or "sidecar"
    labels: dict[str, str] = {}
    concurrency: int | None = None  # worker threads of its Envoy; None: one for each CPU
    drain_seconds: int | None = None  # for connections to what is removed; None: the usual time
    leaving_seconds: float | None = None  # how long clients get to leave before Envoy ends
    max_connections: int | None = None  # of clients, all together; None: no limit
    runtime: dict[str, str] = {}  # more of Envoy's runtime, by key

    def __post_init__(self) -> None:
        if not self.name or not self.namespace:
            raise ValueError("a proxy has a name and a namespace")

    @property
    def key(self) -> str:
        """NAME.NAMESPACE"""
        return f"{self.name}.{self.namespace}"


# What an Envoy has from its start on and for as long as it runs: by the field of its ProxyValue, what users call it.
FROM_THE_START = {
    "concurrency": "a concurrency",
    "drain_seconds": "a drainDuration (in seconds)",
    "leaving_seconds": "a terminationDrainDuration (in seconds)",
    "max_connections": "a globalDownstreamConnectionLimit",
    "runtime": "runtimeValues",
}


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for several times a second."""

    proxies: tuple[ProxyValue, ...]
    gateways: dict[str, Word]  # by what each Envoy calls itself
    generation: int = 0
    # Whether what is not among `proxies` is not declared: else it may just not have been understood.
    sound: Any = None

    def to_json(self) -> Json:
        """As JSON values."""
        return to_json(self)

    @classmethod
    def from_json(cls, value: object) -> "Brief":
        """Raises: ValueError: where it is none."""
        return msgspec.convert(value, cls)

    @property
    def is_sound(self) -> bool:
        """Is what is not named surely not declared?"""
        return self.sound is True


class Holds(msgspec.Struct, frozen=True, kw_only=True):
    """The objects whose listeners and routes a gateway has."""

    name: str  # as users call the gateway
    objects: tuple[str, ...] = ()  # "VirtualService/NAMESPACE/NAME"


class Status(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """All of it. `holds` and `leader` are told in clusters alone."""

    pid: int = 0
    generation: int = 0  # of the configuration
    sound: bool = False
    problems: tuple[ProblemValue, ...] = ()
    proxies: tuple[ProxyValue, ...] = ()
    gateways: dict[str, EnvoyStatus] = {}  # by what each Envoy calls itself
    nodes: int = 0  # of the cluster; 0: there is none
    holds: dict[str, Holds] | msgspec.UnsetType = msgspec.UNSET  # by key of the proxy
    leader: str | msgspec.UnsetType = msgspec.UNSET  # who writes into the cluster

    def to_json(self) -> Json:
        """As JSON values."""
        return to_json(self)

    @classmethod
    def from_json(cls, value: object) -> "Status":
        """Raises: ValueError: where it is none."""
        return msgspec.convert(value, cls)

    @property
    def held(self) -> Mapping[str, Holds]:
        """`holds`, empty where nothing is told of it."""
        return {} if isinstance(self.holds, msgspec.UnsetType) else self.holds


def to_json(value: msgspec.Struct) -> Json:
    """A status, or a part of one, as JSON values."""
    found: Json = msgspec.json.decode(msgspec.json.encode(value))
    return found
