"""The table of resource types: what each is called, in which order it is sent, what an absence means.

The order is Envoy's own advice (xDS protocol, "eventual consistency considerations"): clusters and endpoints
are there before the listeners and routes that use them. Secrets and extension configurations come before
listeners because a listener that waits for one is not served.
"""

from collections.abc import Callable
from enum import Enum

from mizzen._api import pb
from mizzen.lazy import dataclass

TYPE_URL_PREFIX = "type.googleapis.com/"


class Absence(Enum):
    """What is done about a resource that the client holds and the snapshot has no more."""

    REMOVE = "remove"  # tell the client to drop it
    EMPTY = "empty"  # send it with nothing in it
    # Say nothing: the last good one stays until the client itself lets go of it. A listener that drains
    # still needs its routes and certificates.
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceType:
    """One resource type of xDS."""

    url: str
    short: str  # as people say it: "CDS"
    wildcard: bool = False  # a first request without names asks for all of them
    absence: Absence = Absence.KEEP
    # What a client refuses it keeps for whoever comes to use the resource: new listeners are refused for it until what was
    # good before is told once more.
    keeps_refused: bool = False
    # What a client gets that asks for a name nobody knows; without it, it is told that there is none.
    empty: Callable[[str], bytes] | None = None


def _no_endpoints(name: str) -> bytes:
    return pb.ClusterLoadAssignment(cluster_name=name).SerializeToString(deterministic=True)


def _no_routes(name: str) -> bytes:
    routes = pb.RouteConfiguration(name=name, validate_clusters=pb.BoolValue(value=False))
    return routes.SerializeToString(deterministic=True)


CLUSTER = ResourceType(
    url=TYPE_URL_PREFIX + pb.Cluster.DESCRIPTOR.full_name,
    short="CDS",
    wildcard=True,
    absence=Absence.REMOVE,
)
ENDPOINTS = ResourceType(
    url=TYPE_URL_PREFIX + pb.ClusterLoadAssignment.DESCRIPTOR.full_name,
    short="EDS",
    absence=Absence.EMPTY,
    empty=_no_endpoints,
)
SECRET = ResourceType(url=TYPE_URL_PREFIX + pb.Secret.DESCRIPTOR.full_name, short="SDS")
EXTENSION_CONFIG = ResourceType(
    url=TYPE_URL_PREFIX + pb.TypedExtensionConfig.DESCRIPTOR.full_name, short="ECDS", keeps_refused=True
)
LISTENER = ResourceType(
    url=TYPE_URL_PREFIX + pb.Listener.DESCRIPTOR.full_name,
    short="LDS",
    wildcard=True,
    absence=Absence.REMOVE,
)
SCOPED_ROUTES = ResourceType(
    url=TYPE_URL_PREFIX + pb.ScopedRouteConfiguration.DESCRIPTOR.full_name,
    short="SRDS",
    wildcard=True,
    absence=Absence.REMOVE,
)
ROUTES = ResourceType(
    url=TYPE_URL_PREFIX + pb.RouteConfiguration.DESCRIPTOR.full_name, short="RDS", empty=_no_routes
)

USERS_OF_CLUSTERS = (LISTENER, SCOPED_ROUTES, ROUTES)
SEND_ORDER = (CLUSTER, ENDPOINTS, SECRET, EXTENSION_CONFIG, LISTENER, SCOPED_ROUTES, ROUTES)
_BY_URL = {kind.url: kind for kind in SEND_ORDER}


def resource_type(url: str) -> ResourceType:
    """The type of that URL; for one we do not know, a type that has no resources."""
    return _BY_URL.get(url) or ResourceType(url=url, short=url.rpartition(".")[2])
