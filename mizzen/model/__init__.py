"""What each gateway shall do, in our own words: listeners, hosts, routes, backends, TLS.

The model is the contract between reading (resolve/) and translating (envoy/). It holds neither
Kubernetes nor Envoy words, only frozen values that are already decided: sorted, defaulted, looked up.
Each element that can be rejected knows the object it came from (`origin`, and `at`: the field path).
"""

from typing import NewType

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.model.announcement import Announcement
from mizzen.model.backend import Backend
from mizzen.model.listener import AccessPolicies, Listener, Mirror
from mizzen.model.patch import Patch
from mizzen.model.quic import ConnectionIdKey
from mizzen.model.route import RouteTable, Scoped
from mizzen.model.shedding import Shedding
from mizzen.model.tls import Certificate, TrustedCa
from mizzen.persistent import PersistentMap

GatewayName = NewType("GatewayName", str)  # "istio-ingressgateway.istio-system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """All that one gateway (one Envoy, or several alike) shall do. Every tuple is sorted by name."""

    gateway: GatewayName
    listeners: tuple[Listener, ...]
    route_tables: tuple[RouteTable, ...]
    backends: PersistentMap[str, Backend]  # by name
    certificates: tuple[Certificate, ...]
    trusted_cas: tuple[TrustedCa, ...]
    connection_id_keys: tuple[ConnectionIdKey, ...] = ()
    shedding: Shedding | None = None  # None: HTTP/3 is never given up for want of CPU
    announcements: tuple[Announcement, ...]  # one for each HTTPS server that ends TLS here
    access_policies: AccessPolicies | None = None  # None: no request is judged
    mirrors: tuple[Mirror, ...]  # what became of each server that could have an HTTP/3 mirror
    scoped: Scoped = Scoped.NEVER
    patches: tuple[
        Patch, ...
    ] = ()  # of EnvoyFilters, in the order in which they are applied (not sorted by name)


def authors(model: Model) -> frozenset[ResourceRef]:
    """The objects that listeners, hosts and routes of a gateway came from."""
    found = {mirror.origin for mirror in model.mirrors}
    for listener in model.listeners:
        found.add(listener.origin)
        found |= {chain.origin for chain in listener.chains}
    for table in model.route_tables:
        found.add(table.origin)
        found |= {route.origin for host in table.hosts.values() for route in host.routes}
    return frozenset(found)


__all__ = ["GatewayName", "Model", "authors"]
