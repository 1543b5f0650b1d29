"""Is a patch for this listener, chain, route table, host, route or cluster? Istio's rules, and where ours differ.

- The HTTP/3 twin of a listener is the same server. A patch that names the TCP listener, and is for connections or requests, is for the
  twin too; by port it is in Istio as well. `transportProtocol: quic` is for twins alone.
- What is for a workload is `virtualInbound`, also where that is several listeners.
- Names of route tables are read with an address in them, too, which Istio does not.
"""

from mizzen._api import pb
from mizzen.lazy import dataclass
from mizzen.model.patch import ClusterMatch, HostMatch, Patch, RouteMatcher, TableMatch, Target
from mizzen.model.route import OVER_HTTP3

QUIC = "quic"
_TWIN = "udp_"
_INBOUND = "virtualInbound"  # in Istio, whatever is for a workload is a chain of it
_VIRTUAL = frozenset({_INBOUND, "virtualOutbound"})
_OF_CONNECTIONS = frozenset({Target.FILTER_CHAIN, Target.NETWORK_FILTER, Target.HTTP_FILTER})
_ACTIONS = {"route": "ROUTE", "redirect": "REDIRECT", "direct_response": "DIRECT_RESPONSE"}


def is_quic(one: pb.Listener) -> bool:
    """Is it one for UDP?"""
    return one.HasField("udp_listener_config")


def listener(patch: Patch, one: pb.Listener) -> bool:
    """`listenerMatch`."""
    wanted = patch.listener
    if wanted is None:
        return True
    names = {one.name}
    if is_quic(one) and patch.target in _OF_CONNECTIONS:
        names.add(one.name.removeprefix(_TWIN))
    if one.traffic_direction == pb.TrafficDirection.INBOUND and patch.target is not Target.LISTENER:
        names.add(_INBOUND)
    if wanted.name and wanted.name not in names:
        return False
    if patch.target is not Target.LISTENER and one.name in _VIRTUAL:
        return True  # by the port of the chain
    return not wanted.port or one.address.socket_address.port_value == wanted.port


def chain(patch: Patch, one: pb.Listener, filters: pb.FilterChain) -> bool:
    """`filterChainMatch`; the listener fits."""
    wanted, match = patch.listener, filters.filter_chain_match
    if wanted is None:
        return True
    if one.name in _VIRTUAL and wanted.port and match.destination_port.value != wanted.port:
        return False
    asked = wanted.chain
    if asked is None:
        return True
    transport = {match.transport_protocol, QUIC} if is_quic(one) else {match.transport_protocol}
    return (
        (not asked.name or asked.name in _names(filters))
        and (not asked.sni or asked.sni.lower() in match.server_names)
        and (not asked.transport_protocol or asked.transport_protocol in transport)
        and set(asked.application_protocols) <= set(match.application_protocols)
        and (not asked.destination_port or asked.destination_port == match.destination_port.value)
    )


def _names(filters: pb.FilterChain) -> tuple[str, ...]:
    """What a chain is called: ours, and Istio's name where it is for a port of a workload. Those of gateways have none in Istio."""
    direction, _, rest = filters.name.partition("|")
    if direction != "inbound":
        return (filters.name,)
    return (filters.name, f"0.0.0.0_{rest.partition('|')[0]}")


def network_filter(patch: Patch, name: str) -> bool:
    """`networkFilterMatch`; the chain fits."""
    asked = patch.listener.chain if patch.listener else None
    return asked is None or asked.network_filter in (None, name)


# --- routes -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TableName:
    """What the name of a route table tells: its port, the name of the server's port, and the Gateway."""

    name: str
    port: int = 0
    port_name: str = ""
    gateway: str = ""


def table_name(name: str, gateway: str) -> TableName:
    """`gateway`: the object of the server, "namespace/name"."""
    if name.startswith("inbound|"):
        return TableName(name, _number(name.split("|")[1]))
    name = name.removesuffix(OVER_HTTP3)  # that of a mirror is patched as that of its server
    parts = name.split(".")
    if parts[0] == "http" and len(parts) > 1:
        return TableName(name, _number(parts[1]))
    if parts[0] == "https" and len(parts) > 2:
        return TableName(name, _number(parts[1]), parts[2], gateway)
    return TableName(name, _number(name.rpartition(":")[2]))


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def table(wanted: TableMatch | None, one: TableName) -> bool:
    """`routeConfigurationMatch`."""
    if wanted is None:
        return True
    return (
        (not wanted.port or one.port in wanted.bound)
        and wanted.port_name in ("", one.port_name)
        and wanted.gateway in ("", one.gateway)
        and wanted.name in ("", one.name)
    )


def _host_match(patch: Patch) -> HostMatch | None:
    return patch.table.host if patch.table else None


def host(patch: Patch, one: pb.VirtualHost) -> bool:
    """`virtualHostMatch`."""
    wanted = _host_match(patch)
    return wanted is None or (
        wanted.name in ("", one.name) and (not wanted.domain or wanted.domain in one.domains)
    )


def route_match(patch: Patch) -> RouteMatcher | None:
    """What a patch asks of routes; None where nothing."""
    wanted = _host_match(patch)
    return wanted.route if wanted else None


def route(patch: Patch, one: pb.Route) -> bool:
    """`routeMatch`: an action that Istio's API has no word for fits whatever is asked."""
    wanted = route_match(patch)
    if wanted is None:
        return True
    action = _ACTIONS.get(one.WhichOneof("action") or "", wanted.action)
    return wanted.name in ("", one.name) and wanted.action in ("ANY", action)


# --- clusters ---------------------------------------------------------------------------------------


def cluster(wanted: ClusterMatch | None, name: str) -> bool:
    """`clusterMatch`: by name, or by the parts of it ("outbound|80|v1|shop.default.svc.cluster.local")."""
    if wanted is None:
        return True
    if wanted.name:
        return wanted.name == name
    _, port, subset, service = (*name.split("|"), "", "", "")[:4]
    return (
        wanted.subset in ("", subset)
        and wanted.service in ("", service)
        and (not wanted.port or str(wanted.port) == port)
    )
