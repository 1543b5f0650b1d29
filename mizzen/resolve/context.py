"""What every step of resolving is given: the world, the gateway it is done for, and where to report."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import field, replace
from datetime import timedelta
from enum import Enum
from functools import wraps
from typing import Concatenate, Literal, ParamSpec, TypeVar, cast

from mizzen.errors import Report, ResourceRef
from mizzen.http3.lingering import NOTHING_LINGERS, Lingering
from mizzen.lazy import dataclass
from mizzen.model.listener import HeaderLimits
from mizzen.model.route import Scoped
from mizzen.persistent import PersistentMap
from mizzen.resources.istio.mesh import MeshConfig, ProxyConfig
from mizzen.resources.world import ObservedWorld, World
from mizzen.steps import Steps

PRIVILEGED_BELOW = 1024  # to bind such a port takes a right


class ByService(Enum):
    """Clients dial the ports of the gateway's Service: something forwards them to the bound ports."""

    SERVICE = "service"


# Of which families the addresses of a proxy are.
Families = Literal["unknown", "v4", "v6", "both"]

# Pairs (dialled port, bound port), or the Service's ports. () means clients dial the bound ports.
ExternalPorts = tuple[tuple[int, int], ...] | ByService


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """Istio's feature switches that take part (values.pilot.env, else the environment)."""

    quic_listeners: bool = False  # PILOT_ENABLE_QUIC_LISTENERS
    scope_gateway_to_namespace: bool = False  # PILOT_SCOPE_GATEWAY_TO_NAMESPACE
    filter_gateway_clusters: bool = False  # PILOT_FILTER_GATEWAY_CLUSTER_CONFIG
    send_unhealthy_endpoints: bool = True  # PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS
    http10: bool = False  # PILOT_HTTP10
    dual_stack: bool = False  # ISTIO_DUAL_STACK
    trace_sampling: float | None = None  # PILOT_TRACE_SAMPLING, percent; None: nobody said
    internal_networks: bool | None = None  # ENABLE_HCM_INTERNAL_NETWORKS; None: nobody said
    header_limits: HeaderLimits = HeaderLimits.FILTER  # MIZZEN_HEADER_LIMITS: ours, not Istio's
    most_header_kib: str = ""  # MIZZEN_MAX_REQUEST_HEADERS_KB, as it was written
    most_headers: str = ""  # MIZZEN_MAX_REQUEST_HEADERS_COUNT, as it was written
    scoped_routes: Scoped = Scoped.AUTO  # MIZZEN_SCOPED_ROUTES: ours, not Istio's
    key_refresh: timedelta = timedelta(minutes=20)  # PILOT_JWT_PUB_KEY_REFRESH_INTERVAL
    key_networks_blocked: tuple[str, ...] = ()  # BLOCKED_CIDRS_IN_JWKS_URIS
    module_networks_blocked: tuple[str, ...] = ()  # BLOCKED_CIDRS_IN_WASM_FETCH
    keys_from_anybody: bool = False  # JWKS_RESOLVER_INSECURE_SKIP_VERIFY


@dataclass(frozen=True, slots=True, kw_only=True)
class UnixFolders:
    """Where the Unix sockets may be that objects name. Absolute paths without links, without a slash at the end."""

    allowed: tuple[str, ...] = ()  # folders, and abstract names (@NAME); (): none may be named
    closed: tuple[str, ...] = ()  # never below these: our own


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFolders:
    """Where the certificates and keys may be that objects name. Absolute paths without links."""

    allowed: tuple[str, ...] = ()  # below these, at any depth
    closed: tuple[str, ...] = ()  # never below these: our own

    def hold(self, path: str) -> bool:
        """Is a file (without links in its path) in one of them?"""
        return _below(path, self.allowed) and not _below(path, self.closed)


def _below(path: str, folders: tuple[str, ...]) -> bool:
    return any(path.startswith(folder.rstrip("/") + "/") for folder in folders)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A file of this machine that an object names."""

    content: bytes = field(default=b"", repr=False)  # what it held when it could be read last
    why: str = ""  # why it cannot be read now
    may_be_shown: bool = (
        False  # it may be a certificate and key of a gateway's own: it is in a folder for those
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedKeys:
    """What an issuer publishes, as it was fetched."""

    text: str = ""  # a JSON Web Key Set, as it was when it could be had last
    why: str = ""  # why it cannot be had now


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedModule:
    """A WebAssembly module that is published, as it was fetched."""

    code: bytes = field(default=b"", repr=False, compare=False)  # as it was when it could be had last
    digest: str = ""  # SHA-256 of the code, which stands for it
    why: str = ""  # why it cannot be had now


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTarget:
    """One port of a Service that selects the gateway. 443/TCP and 443/UDP are two of them."""

    port: int
    target_port: int
    udp: bool
    name: str
    service: str  # host of the Service: "istio-ingressgateway.istio-system.svc.cluster.local"
    translate: bool = True  # False: labelled experimental.istio.io/disable-gateway-port-translation


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """The gateway or sidecar that a model is made for."""

    kind: Literal["router", "sidecar"] = "router"
    name: str
    namespace: str
    labels: Mapping[str, str]
    targets: tuple[ServiceTarget, ...]  # sorted by age of the Service, then its host; then in its order
    service_account: str = ""
    address: str = ""  # of a sidecar's workload
    # Of a sidecar's workload, by the name of the service's port.
    ports: Mapping[str, int] = field(default_factory=dict)
    intercepted: bool = False  # the kernel redirects what the workload sends and gets to its sidecar
    unprivileged: bool = False  # ports below 1024 cannot be bound
    families: Families = "unknown"
    region: str = ""
    zone: str = ""
    subzone: str = ""
    node_name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)  # ISTIO_META_*: IDLE_TIMEOUT, HTTP10 ...
    config: ProxyConfig  # the mesh's defaultConfig with this gateway's own on top
    external_ports: ExternalPorts = ()
    variant: str = ""  # Pods of one Deployment that differ (during a rollout, or in two zones)
    instances: tuple[str, ...] = ()  # its Pods as their Envoys call themselves ("name.namespace"); (): itself
    origin: ResourceRef  # the IstioOperator (or a built-in default)

    @property
    def ipv6_only(self) -> bool:
        """Has it no IPv4 address that others reach?"""
        return self.families == "v6"

    @property
    def called(self) -> str:
        """What users call it: "istio-ingressgateway.istio-system"."""
        return f"{self.name}.{self.namespace}"

    @property
    def key(self) -> str:
        """What tells it from all others: what it is called, unless Pods of one name differ."""
        return f"{self.called}{self.variant}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Handed to every resolver. `report` takes a Problem and returns nothing."""

    world: World
    proxy: Proxy
    mesh: MeshConfig
    switches: Switches
    report: Report
    unix_folders: UnixFolders = field(default_factory=UnixFolders)
    files: Mapping[str, NamedFile] | None = None  # by path; None: they are on another machine
    # By key of their source, for the root of a resolution; None: nobody fetches them.
    key_sets: Mapping[str, FetchedKeys] | None = None
    modules: Mapping[str, FetchedModule] | None = None  # likewise
    lingering: Lingering = NOTHING_LINGERS  # of the gateway, for the root of a resolution
    sheds: bool = False  # it has too much to do for HTTP/3; likewise
    steps: Steps = field(default_factory=Steps, compare=False, repr=False)

    @property
    def is_dual_stack(self) -> bool:
        """Are both families of IP spoken, to clients and backends?"""
        return self.switches.dual_stack and self.proxy.families in ("unknown", "both")


def observed(ctx: Context) -> Context:
    """The same, whose steps note what they look at, and report where they are run."""
    world = ObservedWorld(ctx.world, ctx.steps.look)
    return replace(ctx, world=world, report=ctx.steps.report)


P = ParamSpec("P")
T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
G = TypeVar("G")
H = TypeVar("H")


def step(function: Callable[Concatenate[Context, P], T]) -> Callable[Concatenate[Context, P], T]:
    """A function that is remembered: it goes by nothing but its context and its arguments, which are hashable and given
    by their positions."""

    @wraps(function)
    def remembered(ctx: Context, *args: P.args, **_: P.kwargs) -> T:
        return cast(T, ctx.steps.value(function, ctx, *cast("tuple[Hashable, ...]", args)))

    return cast("Callable[Concatenate[Context, P], T]", remembered)


def mapped(
    ctx: Context, function: Callable[[Context, K, V], T], source: PersistentMap[K, V]
) -> PersistentMap[K, T]:
    """Key -> `function(ctx, key, value)`; only entries that may give something else are made anew."""
    return ctx.steps.mapped(function, ctx, source)


def grouped(
    ctx: Context, function: Callable[[Context, K, V], Mapping[G, T]], source: PersistentMap[K, V]
) -> PersistentMap[G, Mapping[K, T]]:
    """Group -> key -> item, where `function(ctx, key, value)` gives group -> item. By difference."""
    return ctx.steps.grouped(function, ctx, source)


def nested(
    ctx: Context, function: Callable[[Context, K, V], Mapping[tuple[G, H], T]], source: PersistentMap[K, V]
) -> PersistentMap[G, PersistentMap[H, T]]:
    """Outer -> inner -> item, where `function(ctx, key, value)` gives (outer, inner) -> item, each pair once. By
    difference."""
    return ctx.steps.nested(function, ctx, source)


def flattened(
    ctx: Context, function: Callable[[Context, K, V], Mapping[G, T]], source: PersistentMap[K, V]
) -> PersistentMap[G, T]:
    """Name -> item, where `function(ctx, key, value)` gives name -> item, each name once. By difference."""
    return ctx.steps.flattened(function, ctx, source)
