"""Which object of the user a resource of Envoy comes from. Looked up when it is asked for, which is seldom."""

from collections.abc import Callable
from typing import Any

from mizzen.envoy.filters import access_policies
from mizzen.envoy.scoped_route import parts_of_scope
from mizzen.envoy.types import (
    CLUSTERS,
    ENDPOINTS,
    EXTENSION_CONFIGS,
    LISTENERS,
    MESSAGES,
    ROUTES,
    SCOPED_ROUTES,
    SECRETS,
)
from mizzen.errors import ResourceRef
from mizzen.model import Model
from mizzen.model.announcement import Announcement
from mizzen.model.backend import Backend, name_of_endpoints
from mizzen.model.listener import Listener
from mizzen.model.patch import Operation, Target
from mizzen.model.quic import ConnectionIdKey
from mizzen.model.route import Host, RouteTable
from mizzen.model.tls import Certificate, TrustedCa

_ADDED = {
    LISTENERS: Target.LISTENER,
    CLUSTERS: Target.CLUSTER,
    EXTENSION_CONFIGS: Target.EXTENSION_CONFIG,
}
_Part = Listener | RouteTable | Certificate | TrustedCa | ConnectionIdKey | Announcement


def origin_of(model: Model, url: str, name: str) -> ResourceRef | None:
    """The object that a resource of type `url` comes from; None where the model has no such part."""
    return _of_part(model, url, name) or _of_patch(model, url, name)


def _of_patch(model: Model, url: str, name: str) -> ResourceRef | None:
    """The EnvoyFilter that adds a resource."""
    target = _ADDED.get(url)
    adding = (patch for patch in model.patches if patch.target is target and patch.operation is Operation.ADD)
    added: Callable[[bytes], Any] = MESSAGES[url].FromString
    return next((patch.origin for patch in adding if added(patch.value).name == name), None)


def _of_part(model: Model, url: str, name: str) -> ResourceRef | None:
    if url in (CLUSTERS, ENDPOINTS):
        backend: Backend | None = model.backends.get(name_of_endpoints(name))
        if backend is None:
            return None
        # Envoy refuses a cluster for how it is treated, and that is what a DestinationRule says.
        return backend.policy_origin or backend.origin if url == CLUSTERS else backend.origin
    if url == SCOPED_ROUTES:
        return _of_scope(model, name)
    if url == EXTENSION_CONFIGS and name == access_policies.NAME:
        return model.access_policies.origin if model.access_policies else None
    named: dict[str, tuple[_Part, ...]] = {
        LISTENERS: model.listeners,
        ROUTES: model.route_tables,
        SECRETS: (*model.certificates, *model.trusted_cas, *model.connection_id_keys),
        EXTENSION_CONFIGS: model.announcements,
    }
    return next((part.origin for part in named.get(url, ()) if part.name == name), None)


def _of_scope(model: Model, name: str) -> ResourceRef | None:
    table_name, _ = parts_of_scope(name)
    host = host_of_scope(model, name)
    if host is not None and host.routes:
        return host.routes[0].origin
    return next((table.origin for table in model.route_tables if table.name == table_name), None)


def host_of_scope(model: Model, name: str) -> Host | None:
    """The host that a scope is for."""
    table_name, domain = parts_of_scope(name)
    tables = (table for table in model.route_tables if table.name == table_name)
    hosts = (host for table in tables for host in table.hosts.values() if domain in host.domains)
    return next(hosts, None)
