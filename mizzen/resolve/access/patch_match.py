"""Which listeners, routes and backends a patch of an EnvoyFilter, or a plugin, is for (Istio's rules).

Istio: networking/core/envoyfilter. What of a match is not understood here (the version of a proxy, names of
filter chains, which are our own) narrows nothing.
"""

import re
from collections.abc import Iterable, Mapping

from mizzen.model.listener import Chain, HttpService, Listener, TcpService
from mizzen.model.route import (
    OVER_HTTP3,
    Exact,
    Fail,
    Forward,
    Host,
    Prefix,
    Redirect,
    Respond,
    Route,
    RouteMatch,
    RouteTable,
)
from mizzen.resolve.access.guards import HCM, TCP_PROXY, snake
from mizzen.resolve.context import Context
from mizzen.resources.istio.envoy_filter import ConfigPatch
from mizzen.resources.istio.extension import TrafficSelector

_VIRTUAL = {"virtualInbound": True, "virtualOutbound": False}  # Istio's listeners that stand for all others

_PORT = re.compile(r":(\d+|\*)$")
# What Envoy takes in a virtual host: a name, one with an asterisk at either end, or everything.
_DOMAIN = re.compile(r"\*|\*?[a-z0-9._-]+|[a-z0-9._-]+\*")
_ACTIONS: Mapping[str, tuple[type, ...]] = {
    "ROUTE": (Forward,),
    "REDIRECT": (Redirect,),
    "DIRECT_RESPONSE": (Respond, Fail),
    "ANY": (object,),
}


def _context(ctx: Context, patch: ConfigPatch, *, inbound: bool) -> bool:
    wanted = patch.match.context if patch.match else "ANY"
    own = "GATEWAY" if ctx.proxy.kind == "router" else "SIDECAR_INBOUND" if inbound else "SIDECAR_OUTBOUND"
    return wanted in ("ANY", own)


def _ports(ctx: Context, listener: Listener, chain: Chain) -> frozenset[int]:
    """Every number that the port of a chain may be called by: bound, of the Service, of the server."""
    found = {
        listener.port,
        *(target.port for target in ctx.proxy.targets if target.target_port == listener.port),
    }
    if chain.destination_port is not None:
        found.add(chain.destination_port)
    if isinstance(chain.serve, HttpService):
        found |= _numbers(chain.serve.route_table)
    return frozenset(found)


def _numbers(table: str) -> frozenset[int]:
    """The port in a route table's name: "http.8080", "https.443.https.gw.ns", "inbound|8000||", "80"."""
    parts = table.replace("|", ".").replace("_", ".").split(".")
    return frozenset(int(part) for part in parts[:2] if part.isdecimal()) or frozenset(
        int(part) for part in parts[-1:] if part.isdecimal()
    )


# --- listeners --------------------------------------------------------------------------------------


def chain(ctx: Context, patch: ConfigPatch, listener: Listener, one: Chain) -> bool:
    """Is a patch of a listener, or of something within one, for this chain?"""
    if not _context(ctx, patch, inbound=listener.inbound):
        return False
    serves_http = isinstance(one.serve, HttpService)
    if patch.apply_to == "HTTP_FILTER" and not serves_http:
        return False
    wanted = patch.match.listener if patch.match else None
    if wanted is None:
        return True
    if wanted.name and not _named(wanted.name, listener):
        return False
    if wanted.port_number and wanted.port_number not in _bound(listener, one):
        return False
    chosen = wanted.filter_chain
    if chosen is None:
        return True
    if chosen.sni and chosen.sni.lower() not in one.server_names:
        return False
    name = chosen.filter.name if chosen.filter else ""
    return (name != HCM or serves_http) and (name != TCP_PROXY or isinstance(one.serve, TcpService))


def _named(wanted: str, listener: Listener) -> bool:
    """By name; the mirror of an address is the same server as its twin, and is closed with it."""
    return wanted in (listener.name, f"udp_{listener.name}") or _VIRTUAL.get(wanted) is listener.inbound


def _bound(listener: Listener, one: Chain) -> frozenset[int]:
    """The port that is bound, as Istio compares it; behind a redirection, the one that was dialled."""
    return frozenset(port for port in (listener.port, one.destination_port) if port)


def traffic(ctx: Context, selectors: Iterable[TrafficSelector], listener: Listener, one: Chain) -> bool:
    """Is a plugin with these selectors for a chain? Without any it is for all; gateways count as clients."""
    chosen = tuple(selectors)
    server = ctx.proxy.kind == "sidecar" and listener.inbound
    other = "CLIENT" if server else "SERVER"
    return not chosen or any(
        each.mode != other
        and (not each.ports or any(port.number in _ports(ctx, listener, one) for port in each.ports))
        for each in chosen
    )


# --- routes -----------------------------------------------------------------------------------------


def table(ctx: Context, patch: ConfigPatch, one: RouteTable, listeners: tuple[Listener, ...]) -> bool:
    """Is a patch of routes for something in this table?"""
    inbound = any(listener.inbound for listener in listeners)
    if not _context(ctx, patch, inbound=inbound):
        return False
    wanted = patch.match.route_configuration if patch.match else None
    if wanted is None:
        return True
    numbers = _numbers(one.name) | {
        target.port
        for listener in listeners
        for target in ctx.proxy.targets
        if target.target_port == listener.port
    }
    owner = f"{one.origin.namespace}/{one.origin.name}" if one.name.startswith("https.") else ""
    return (
        (not wanted.port_number or wanted.port_number in numbers)
        and (not wanted.port_name or f".{wanted.port_name}." in one.name)
        and (not wanted.gateway or wanted.gateway == owner)
        and wanted.name in ("", one.name.removesuffix(OVER_HTTP3))
    )


def domains_of(patch: ConfigPatch, one: Host) -> tuple[str, ...]:
    """The domains of a host that are meant. Istio names a host after its domain and port ("example.com:443");
    here one with several is named after the first."""
    routes = patch.match.route_configuration if patch.match else None
    wanted = routes.vhost if routes else None
    if wanted is None:
        return one.domains
    number = one.name.rpartition(":")[2]
    return tuple(
        domain
        for domain in one.domains
        if wanted.name in ("", f"{domain}:{number}") and wanted.domain_name in ("", domain)
    )


def route(patch: ConfigPatch, one: Route) -> bool:
    """By its name and by what it does."""
    routes = patch.match.route_configuration if patch.match else None
    wanted = routes.vhost.route if routes and routes.vhost else None
    if wanted is None:
        return True
    return wanted.name in ("", one.name) and isinstance(one.action, _ACTIONS[wanted.action])


def inserted(patch: ConfigPatch) -> RouteMatch | None:
    """The path that an inserted route is for (or more than it is for); None where that is not plain."""
    value = _value(patch).get("match")
    if not isinstance(value, Mapping):
        return None
    prefix, path = value.get("prefix"), value.get("path")
    sensitive = None if value.get("case_sensitive", value.get("caseSensitive", True)) is True else False
    if isinstance(prefix, str) and prefix and path is None:
        return RouteMatch(path=Prefix(prefix), case_sensitive=sensitive)
    if isinstance(path, str) and path and prefix is None:
        return RouteMatch(path=Exact(path), case_sensitive=sensitive)
    return None


def domains(patch: ConfigPatch) -> tuple[str, ...]:
    """The domains of a host that a patch adds, without ports; () where one cannot be read."""
    found = _value(patch).get("domains")
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        return ()
    bare = [_PORT.sub("", one.lower()) for one in found]
    return tuple(dict.fromkeys(bare)) if all(_DOMAIN.fullmatch(one) for one in bare) else ()


def _value(patch: ConfigPatch) -> dict[str, object]:
    return {snake(key): part for key, part in patch.patch.value.items()} if patch.patch else {}


# --- backends ---------------------------------------------------------------------------------------


def backend(ctx: Context, patch: ConfigPatch, name: str) -> bool:
    """By its name ("outbound|80|v1|shop.default.svc.cluster.local") or the parts of it."""
    direction, _, rest = name.partition("|")
    if not _context(ctx, patch, inbound=direction == "inbound"):
        return False
    wanted = patch.match.cluster if patch.match else None
    if wanted is None:
        return True
    if wanted.name:
        return wanted.name == name
    port, subset, service = (*rest.split("|"), "", "", "")[:3]
    return (
        (not wanted.service or wanted.service == service)
        and (not wanted.subset or wanted.subset == subset)
        and (not wanted.port_number or str(wanted.port_number) == port)
    )
