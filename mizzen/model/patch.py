"""What an EnvoyFilter changes of the configuration when it has been made (Istio: networking/v1alpha3 EnvoyFilter).

A patch that stands in a model is for that gateway, can be understood, and is applied in the order in which it stands.
"""

from enum import Enum

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass


class Target(Enum):
    """What of the configuration is patched (`applyTo`)."""

    LISTENER = "LISTENER"
    FILTER_CHAIN = "FILTER_CHAIN"
    NETWORK_FILTER = "NETWORK_FILTER"
    HTTP_FILTER = "HTTP_FILTER"
    LISTENER_FILTER = "LISTENER_FILTER"
    ROUTE_CONFIGURATION = "ROUTE_CONFIGURATION"
    VIRTUAL_HOST = "VIRTUAL_HOST"
    HTTP_ROUTE = "HTTP_ROUTE"
    CLUSTER = "CLUSTER"
    EXTENSION_CONFIG = "EXTENSION_CONFIG"


class Operation(Enum):
    """What is done."""

    MERGE = "MERGE"
    MERGE_AND_REPLACE_LIST = "MERGE_AND_REPLACE_LIST"
    ADD = "ADD"
    REMOVE = "REMOVE"
    INSERT_BEFORE = "INSERT_BEFORE"
    INSERT_AFTER = "INSERT_AFTER"
    INSERT_FIRST = "INSERT_FIRST"
    REPLACE = "REPLACE"


class Side(Enum):
    """Whose traffic: that of a gateway, or one of the two directions of a sidecar (`match.context`)."""

    ANY = "ANY"
    GATEWAY = "GATEWAY"
    INBOUND = "SIDECAR_INBOUND"
    OUTBOUND = "SIDECAR_OUTBOUND"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainMatch:
    """Filter chains. "" and 0 match everything. `network_filter`, `http_filter`: None where nothing is asked for."""

    name: str = ""
    sni: str = ""
    transport_protocol: str = ""  # that of the chain's own match, or "quic" over QUIC
    application_protocols: tuple[str, ...] = ()
    destination_port: int = 0
    network_filter: str | None = None
    http_filter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerMatch:
    """Listeners, by their name and by the port that is bound."""

    name: str = ""
    port: int = 0
    listener_filter: str = ""
    chain: ChainMatch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteMatcher:
    """Routes of a host. `action`: ANY, ROUTE, REDIRECT or DIRECT_RESPONSE."""

    name: str = ""
    action: str = "ANY"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostMatch:
    """Virtual hosts of a route table."""

    name: str = ""
    domain: str = ""
    route: RouteMatcher | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMatch:
    """Route tables, by their name and what stands in it. `bound`: the ports in names of tables that `port` means: its own, or
    those that the gateway's Service leads from it to."""

    name: str = ""
    port: int = 0
    bound: tuple[int, ...] = ()
    port_name: str = ""
    gateway: str = ""
    host: HostMatch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterMatch:
    """Clusters: by name alone where one is given."""

    name: str = ""
    port: int = 0
    service: str = ""
    subset: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One patch."""

    target: Target
    operation: Operation
    side: Side = Side.ANY
    listener: ListenerMatch | None = None
    table: TableMatch | None = None
    cluster: ClusterMatch | None = None
    value: bytes = b""  # Envoy's message of what is patched, serialised; of the type that `target` says
    origin: ResourceRef
    at: str
