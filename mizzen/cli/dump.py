"""What a running Envoy holds, out of its own config_dump: pure, text to resources as plain JSON values."""

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from mizzen._api import others, pb
from mizzen.envoy.filter_chain import NOBODYS_CERTIFICATE
from mizzen.envoy.virtual_host import MISDIRECTED
from mizzen.redaction import hidden

Json = dict[str, Any]


def config_dump(text: str) -> pb.ConfigDump:
    """Read the answer of Envoy's `/config_dump`."""
    try:
        return json_format.Parse(text, pb.ConfigDump(), ignore_unknown_fields=True)
    except json_format.ParseError:  # an EnvoyFilter may have brought a message that mizzen does not make
        others.load()
        return json_format.Parse(text, pb.ConfigDump(), ignore_unknown_fields=True)


def as_json(message: Message) -> Json:
    """Protobuf JSON (lowerCamelCase, an Any expanded with @type), as istioctl prints it, without what is secret."""
    found: Json = hidden(json_format.MessageToDict(message))
    return found


def _sections(dump: pb.ConfigDump, kind: type[Message]) -> Iterable[Any]:
    for section in dump.configs:
        if section.type_url.endswith("/" + kind.DESCRIPTOR.full_name):
            found = kind()
            section.Unpack(found)
            yield found


def _unpack(packed: Any, kind: type[Message]) -> Json:
    found = kind()
    packed.Unpack(found)
    return as_json(found)


def listeners(dump: pb.ConfigDump) -> list[Json]:
    """Active listeners: those sent to Envoy, then those of its bootstrap."""
    found = []
    for section in _sections(dump, pb.ListenersConfigDump):
        for one in section.dynamic_listeners:
            if one.HasField("active_state"):
                found.append(_unpack(one.active_state.listener, pb.Listener))
        found += [_unpack(one.listener, pb.Listener) for one in section.static_listeners]
    return found


def routes(dump: pb.ConfigDump) -> list[Json]:
    """Route configurations: those sent to Envoy whole, those sent host by host (joined), those of its bootstrap."""
    found, static = [], []
    for section in _sections(dump, pb.RoutesConfigDump):
        found += [_unpack(one.route_config, pb.RouteConfiguration) for one in section.dynamic_route_configs]
        static += [_unpack(one.route_config, pb.RouteConfiguration) for one in section.static_route_configs]
    for scoped in _sections(dump, pb.ScopedRoutesConfigDump):
        found += [_joined(group) for group in scoped.dynamic_scoped_route_configs]
    return [*found, *static]


def _joined(group: pb.ScopedRoutesConfigDump.DynamicScopedRouteConfigs) -> Json:
    """The route table that scopes are the hosts of; a host with several domains has a scope for each."""
    hosts: dict[str, Json] = {}
    for packed in group.scoped_route_configs:
        for host in _unpack(packed, pb.ScopedRouteConfiguration)["routeConfiguration"].get(
            "virtualHosts", []
        ):
            known = hosts.setdefault(host["name"], {**host, "domains": []})
            known["domains"] = sorted({*known["domains"], *host["domains"]})
    ordered = sorted(hosts.values(), key=lambda host: (host["name"] == MISDIRECTED, host["name"]))
    return {"name": group.name, "virtualHosts": ordered}


def clusters(dump: pb.ConfigDump) -> list[Json]:
    """Active clusters, those sent to Envoy first."""
    found = []
    for section in _sections(dump, pb.ClustersConfigDump):
        found += [_unpack(one.cluster, pb.Cluster) for one in section.dynamic_active_clusters]
        found += [_unpack(one.cluster, pb.Cluster) for one in section.static_clusters]
    return found


def secrets(dump: pb.ConfigDump) -> list[tuple[Json, str]]:
    """(secret, "ACTIVE" or "WARMING") in the order of the dump. Envoy itself leaves private keys out.

    The certificate that nobody has, with which QUIC listeners refuse unknown names, would only puzzle.
    """
    found = []
    for section in _sections(dump, pb.SecretsConfigDump):
        found += [(_unpack(one.secret, pb.Secret), "ACTIVE") for one in section.static_secrets]
        found += [(_unpack(one.secret, pb.Secret), "ACTIVE") for one in section.dynamic_active_secrets]
        found += [(_unpack(one.secret, pb.Secret), "WARMING") for one in section.dynamic_warming_secrets]
    return [(secret, state) for secret, state in found if secret.get("name") != NOBODYS_CERTIFICATE]


def extensions(dump: pb.ConfigDump) -> list[Json]:
    """Filters that are resources of their own (the alt-svc announcements)."""
    return [
        _unpack(one.ecds_filter, pb.TypedExtensionConfig)
        for section in _sections(dump, pb.EcdsConfigDump)
        for one in section.ecds_filters
    ]


def endpoints(text: str) -> list[Json]:
    """Host by host, with its health, from Envoy's `/clusters?format=json`."""
    return [
        {**as_json(host), "cluster": cluster.name}
        for cluster in json_format.Parse(text, pb.Clusters(), ignore_unknown_fields=True).cluster_statuses
        for host in cluster.host_statuses
    ]


def without(value: Any, keys: Mapping[str, str]) -> Any:
    """`value` with the named fields replaced, at any depth."""
    if isinstance(value, dict):
        return {k: keys.get(k) or without(v, keys) for k, v in value.items()}
    if isinstance(value, list):
        return [without(item, keys) for item in value]
    return value
