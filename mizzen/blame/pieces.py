"""Envoy resources cut into what can be tried by itself: a host of a route table, one of its routes, a filter chain. Pure."""

from collections.abc import Collection, Mapping

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.envoy.config import SECRETS
from mizzen.lazy import dataclass

Name = tuple[str, str]  # (type URL, name) of an Envoy resource
Bodies = Mapping[str, Mapping[str, bytes]]  # type URL -> name -> the resource, serialised


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a resource that an Envoy does not take even by itself."""

    name: Name
    where: tuple[str, ...] = ()  # (host), (host, number of its route), (chain); (): all of it
    why: str = ""


def parsed(url: str, body: bytes) -> Message:
    """The resource of these bytes."""
    kind = descriptor_pool.Default().FindMessageTypeByName(url.rpartition("/")[2])
    return message_factory.GetMessageClass(kind).FromString(body)


def chosen(bodies: Bodies, names: Collection[Name] | None) -> dict[Name, Message]:
    """These resources, as far as they are there; None: all. Secrets are not looked at."""
    if names is None:
        names = [(url, name) for url, named in bodies.items() for name in named]
    return {
        (url, name): parsed(url, bodies[url][name])
        for url, name in sorted(names)
        if url != SECRETS and name in bodies.get(url, {})
    }


def table_of(message: Message) -> pb.RouteConfiguration | None:
    """The route table that a resource is, or of which it is one host."""
    if isinstance(message, pb.ScopedRouteConfiguration):
        return message.route_configuration
    return message if isinstance(message, pb.RouteConfiguration) else None


def members(message: Message) -> tuple[str, ...]:
    """The names of what a resource can be cut into; () where it cannot be cut."""
    if (table := table_of(message)) is not None:
        names = tuple(host.name for host in table.virtual_hosts)
    elif isinstance(message, pb.Listener):
        names = tuple(chain.name for chain in message.filter_chains)
    else:
        return ()
    return names if len(set(names)) == len(names) and all(names) else ()


def cut(message: Message, keep: Collection[str]) -> Message:
    """The resource with these members alone."""
    out = _copy(message)
    if (table := table_of(out)) is not None:
        kept = [host for host in table.virtual_hosts if host.name in keep]
        del table.virtual_hosts[:]
        table.virtual_hosts.extend(kept)
    elif isinstance(out, pb.Listener):
        chains = [chain for chain in out.filter_chains if chain.name in keep]
        del out.filter_chains[:]
        out.filter_chains.extend(chains)
    return out


def routes(message: Message) -> int:
    """How many routes a table of one host has; 0 for everything else."""
    table = table_of(message)
    return len(table.virtual_hosts[0].routes) if table is not None and len(table.virtual_hosts) == 1 else 0


def cut_routes(message: Message, keep: Collection[int]) -> Message:
    """The table of one host with these routes alone."""
    out = _copy(message)
    if (table := table_of(out)) is not None:
        host = table.virtual_hosts[0]
        kept = [route for number, route in enumerate(host.routes) if number in keep]
        del host.routes[:]
        host.routes.extend(kept)
    return out


def _copy(message: Message) -> Message:
    out = type(message)()
    out.CopyFrom(message)
    return out


def cut_to(message: Message, where: tuple[str, ...]) -> Message | None:
    """What is left of a resource at a place of one like it; None where it has no such part.

    A number of a route is left out: in another version of the host it may be another one.
    """
    if not where:
        return message
    return cut(message, where[:1]) if where[0] in members(message) else None
