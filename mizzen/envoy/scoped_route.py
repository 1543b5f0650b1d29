"""One host of a route table as a resource of its own (scoped routes, SRDS).

The resources of one table are a glob collection (xDS: `xdstp://`), to which the connection managers of its server
subscribe; they do not see those of other tables. The key is the host as it stands in the request, without its port.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from mizzen._api import pb
from mizzen.envoy.filters import switches
from mizzen.envoy.joined import Frame, entry, field_of, frame
from mizzen.envoy.route_configuration import VIRTUAL_HOSTS, route_configuration
from mizzen.model.route import RouteTable

_COLLECTION = f"xdstp:///{pb.ScopedRouteConfiguration.DESCRIPTOR.full_name}/"
# Names that Envoy writes as we do, whatever it thinks of percent signs.
_PLAIN = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
# Of the scope that each table has: a collection without anything would hold up its listener for ever.
_NOBODY = "-"


def collection(table: str) -> str:
    """The locator of all scopes of a table."""
    return f"{_COLLECTION}{table}/*"


def scope_name(table: RouteTable, domain: str) -> str:
    """What the scope of an exact domain is called."""
    return f"{_COLLECTION}{table.name}/{domain}"


def parts_of_scope(name: str) -> tuple[str, str]:
    """The names of the table and the domain of a scope; ("", "") where it is none."""
    table, _, domain = name.removeprefix(_COLLECTION).partition("/")
    return (table, domain) if name.startswith(_COLLECTION) else ("", "")


def is_plain(text: str) -> bool:
    """Can it be part of the name of a scope? Wildcards and IPv6 addresses cannot."""
    return bool(_PLAIN.fullmatch(text))


def scope_names(table: RouteTable) -> Iterator[str]:
    """The names of all scopes of a table."""
    yield scope_name(table, _NOBODY)
    for domain in (*(domain for host in table.hosts.values() for domain in host.domains), *table.misdirected):
        if is_plain(domain):
            yield scope_name(table, domain)


def empty_scope(table: RouteTable) -> tuple[str, bytes]:
    """The name and body of a scope that no request has."""
    return _scope(table, _NOBODY)


def scopes(table: RouteTable, host: pb.VirtualHost) -> Iterator[tuple[str, bytes]]:
    """The names and bodies of a virtual host's exact domains. A wildcard has none: who is unknown gets 404."""
    domains = tuple(host.domains)
    for domain in filter(is_plain, domains):
        del host.domains[:]
        host.domains.append(domain)
        yield _scope(table, domain, host)
    host.domains[:] = domains


def _scope(table: RouteTable, domain: str, *hosts: pb.VirtualHost) -> tuple[str, bytes]:
    """Joined by hand: all scopes of a table are alike but for their hosts, and the routes are the last field."""
    name = scope_name(table, domain)
    head = pb.ScopedRouteConfiguration(name=name)
    head.key.fragments.add(string_key=domain)
    entries = [entry(host, pb.RouteConfiguration, VIRTUAL_HOSTS) for host in hosts]
    routes = field_of(
        _around(table.name, table.chosen_again).around(entries),
        pb.ScopedRouteConfiguration,
        "route_configuration",
    )
    return name, head.SerializeToString(deterministic=True) + routes


@lru_cache(maxsize=1_000)
def _around(table: str, chosen_again: bool) -> Frame:
    routes = route_configuration(table, switches=switches(scoped=True, chosen_again=chosen_again))
    return frame(routes, VIRTUAL_HOSTS)
