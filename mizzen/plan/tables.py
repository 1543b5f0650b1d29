"""A route table taken apart: each domain, and what its requests meet, however the table goes to Envoy."""

from collections.abc import Iterable, Iterator, Mapping

from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.envoy.virtual_host import MISDIRECTED, NO_ROUTE
from mizzen.lazy import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualHost:
    """What requests for one domain meet."""

    body: bytes  # without its domains, with what the table says for all
    name: str
    table: str  # the route table that it is of
    answers: bool  # a request may get something else than 404
    is_of_others: bool  # the domain is another server's: 421
    message: pb.VirtualHost

    def backends(self) -> frozenset[str]:
        """The clusters that its routes lead to."""
        return frozenset(_clusters(self.message))


def virtual_hosts(whole: bytes | None, scopes: Iterable[bytes]) -> Mapping[str, VirtualHost]:
    """The hosts by their domains, without ports. Whichever way a table is told, it is the same hosts."""
    found: dict[str, VirtualHost] = {}
    tables = [pb.ScopedRouteConfiguration.FromString(one).route_configuration for one in scopes]
    if whole is not None:
        tables.append(pb.RouteConfiguration.FromString(whole))
    for table in tables:
        shell = _shell(table)
        for host in table.virtual_hosts:
            found |= dict.fromkeys(_domains(host), _virtual_host(host, table.name, shell))
    return found


def _shell(table: pb.RouteConfiguration) -> bytes:
    """What a table says for all its hosts. Which filters are on or off differs by how it is told, and says nothing."""
    shell = pb.RouteConfiguration()
    shell.CopyFrom(table)
    for name in ("name", "virtual_hosts", "typed_per_filter_config", "ignore_port_in_host_matching"):
        shell.ClearField(name)
    return shell.SerializeToString(deterministic=True)


def _domains(host: pb.VirtualHost) -> Iterator[str]:
    for domain in host.domains:
        name, colon, port = domain.rpartition(":")
        yield name if colon and (port.isdecimal() or port == "*") and not name.endswith(":") else domain


def _virtual_host(host: pb.VirtualHost, table: str, shell: bytes) -> VirtualHost:
    rest = pb.VirtualHost()
    rest.CopyFrom(host)
    rest.ClearField("domains")
    body = shell + b"\0" + rest.SerializeToString(deterministic=True)
    answers = host.name != MISDIRECTED and any(route.name != NO_ROUTE for route in host.routes)
    return VirtualHost(
        body=body,
        name=host.name,
        table=table,
        answers=answers,
        is_of_others=host.name == MISDIRECTED,
        message=rest,
    )


def _clusters(host: pb.VirtualHost) -> Iterator[str]:
    for route in host.routes:
        if not route.HasField("route"):
            continue
        action = route.route
        if action.cluster:
            yield action.cluster
        yield from (share.name for share in action.weighted_clusters.clusters)
        yield from (copy.cluster for copy in action.request_mirror_policies)


def promised(body: bytes | None) -> str:
    """The value of alt-svc that answers get by an announcement; "" where they say nothing of HTTP/3."""
    if body is None:
        return ""
    config: Message = pb.TypedExtensionConfig.FromString(body)
    assert isinstance(config, pb.TypedExtensionConfig)
    if not config.typed_config.Is(pb.HeaderMutation.DESCRIPTOR):
        return ""
    mutation = pb.HeaderMutation.FromString(config.typed_config.value)
    for one in mutation.mutations.response_mutations:
        if one.append.header.key == "alt-svc":
            value = one.append.header.value
            return value if value.startswith("h3=") else ""
    return ""
