"""Redirects, and the ports at which clients find what they are sent to.

A redirect keeps the host that the request was sent to, and Envoy keeps its port with it: `http://a:8080/` would become
`https://a:8080/`, where nothing speaks TLS. So a request whose Host names a port has a redirect of its own, to the port
that clients dial for the scheme they are sent to.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.model.route import Action, Exact, Fail, HeaderMatch, Redirect, Regex, Route, RouteMatch
from mizzen.persistent import PersistentMap
from mizzen.resolve.context import Context, step
from mizzen.resolve.gateways.owners import EVERYTHING, wider
from mizzen.resolve.gateways.servers import MergedServer, dialled_port, is_told, sni_names
from mizzen.resolve.listeners.stages import taking_part
from mizzen.resources.istio.virtual_service import HTTPRedirect

REDIRECTS = frozenset({301, 302, 303, 307, 308})
DIALLED = "dialled ports"
_DEFAULT_REDIRECT = 301
_FEW = 8  # hosts that share a redirect, and have one of their own where Host names a port
_WELL_KNOWN_PORTS = {"http": 80, "https": 443}
# Who asked in plain text, also where a trusted proxy in front ended TLS; Envoy itself says so of everybody else.
_PLAIN = HeaderMatch(name="x-forwarded-proto", how=Exact("https"), invert=True)


@dataclass(frozen=True, slots=True)
class Where:
    """What routes are for: a server of a Gateway, or a port of the mesh."""

    gateway: str  # "namespace/name", or "mesh"
    port: int  # as it is written: what matches and default ports go by
    secure: bool  # TLS ends there
    hosts: tuple[str, ...] = ()  # of the VirtualService


@dataclass(frozen=True, slots=True)
class Dialled:
    """The port of a server that has a host."""

    number: int  # as the Gateway has it
    port: int  # that clients dial
    is_told: bool  # by an option, beyond what the Service says


@dataclass(frozen=True, slots=True, kw_only=True)
class ToHttps:
    """A server that sends plain requests on to https."""

    origin: ResourceRef
    at: str

    @classmethod
    def of(cls, server: MergedServer) -> "ToHttps":
        return cls(origin=server.ref, at=f"{server.at}.tls.httpsRedirect")


@step
def dialled_ports(ctx: Context) -> PersistentMap[tuple[str, str], tuple[Dialled, ...]]:
    """(scheme, host of a server) -> the ports where it is served."""
    found: dict[tuple[str, str], dict[Dialled, None]] = {}
    for server in taking_part(ctx)[0]:
        scheme = "http" if server.kind == "http" else "https"
        if server.kind != "tcp" and server.bound_port:
            port = Dialled(server.number, dialled_port(ctx.proxy, server), is_told(ctx.proxy, server))
            for host in sni_names(server.hosts):
                found.setdefault((scheme, host), {})[port] = None
    return PersistentMap((key, tuple(ports)) for key, ports in found.items())


def dialled(
    ctx: Context, scheme: str, hosts: tuple[str, ...], number: int | None = None, *, by_name: bool = False
) -> Dialled | None:
    """Where clients find the first of `hosts` that is served under a scheme; at the server of port `number`, where it is
    given, else preferably at the scheme's own. `by_name`: a server for "*" may not have it at all."""
    known: Mapping[tuple[str, str], tuple[Dialled, ...]] = ctx.steps.views.get(DIALLED, {})
    usual = _WELL_KNOWN_PORTS[scheme] if number is None else number
    for host in hosts:
        for name in (host.lower(), *wider(host.lower())):
            if by_name and name == EVERYTHING:
                continue
            ports = known.get((scheme, name), ())
            best = next((one for one in ports if one.number == usual), None)
            if best or (number is None and ports):
                return best or ports[0]
    return None


# --- httpsRedirect of a server ----------------------------------------------------------------------


def to_https(ctx: Context, asked: ToHttps, hosts: tuple[str, ...]) -> tuple[Route, ...]:
    """What plain requests for hosts of a server get that has `httpsRedirect`."""
    where = dialled(ctx, "https", hosts)
    plain = Redirect(status=_DEFAULT_REDIRECT, scheme="https", port=_unnamed(where, "https"))
    both = _both(plain, _named(where, "https"), hosts)
    found = [(RouteMatch(headers=(_PLAIN,), names_port=is_named), redirect) for redirect, is_named in both]
    if found[0][1].port == _WELL_KNOWN_PORTS["https"]:
        found = [*_of_few(hosts, plain), *found]
    return tuple(
        Route(name="", match=match, action=redirect, origin=asked.origin, at=asked.at)
        for match, redirect in found
    )


def _of_few(hosts: tuple[str, ...], plain: Redirect) -> Iterator[tuple[RouteMatch, Redirect]]:
    """For each of a few exact hosts, a redirect that leaves the usual port out."""
    for host in [one for one in hosts if "*" not in one and ":" not in one][:_FEW]:
        named = HeaderMatch(name=":authority", how=Regex(f"(?i){re.escape(host)}:[0-9]+"))
        yield RouteMatch(headers=(_PLAIN, named)), replace(plain, host=host)


# --- redirects of rules -----------------------------------------------------------------------------


def redirect_of(ctx: Context, written: HTTPRedirect, where: Where) -> Iterator[tuple[Action, bool]]:
    """What a redirect of a rule becomes: actions, each with whether it is for requests whose Host names a port alone."""
    status = written.redirect_code or _DEFAULT_REDIRECT
    if status not in REDIRECTS:
        yield Fail(status=500, because=f"{status} is no code of a redirect"), False
        return
    own = "https" if where.secure else "http"
    scheme = written.scheme or own
    port = written.port or None
    if written.derive_port == "FROM_REQUEST_PORT":
        port = where.port
    is_usual = port == _WELL_KNOWN_PORTS[scheme] or written.derive_port == "FROM_PROTOCOL_DEFAULT"
    redirect = Redirect(
        status=status,
        host=written.authority,
        path=written.uri if written.prefix_rewrite is None else None,
        prefix=written.prefix_rewrite,
        scheme=written.scheme,
        port=None if is_usual else port,
    )
    keeps_port = scheme == own and not is_usual and not written.authority
    if redirect.port is not None or keeps_port or not where.hosts or ":" in written.authority:
        yield redirect, False
        return
    hosts = (written.authority,) if written.authority else where.hosts
    number = _WELL_KNOWN_PORTS[scheme] if is_usual else None
    there = dialled(ctx, scheme, hosts, number, by_name=bool(written.authority))
    if written.authority and there is None:
        yield redirect, False
        return
    yield from _both(replace(redirect, port=_unnamed(there, scheme)), _named(there, scheme), hosts, of=scheme)


def _named(there: Dialled | None, scheme: str) -> int:
    """The port for who names one: where nobody serves the scheme, something in front does."""
    return there.port if there else _WELL_KNOWN_PORTS[scheme]


def _unnamed(there: Dialled | None, scheme: str) -> int | None:
    """The port for who names none: none, unless clients were said to dial another than they leave out."""
    return there.port if there and there.is_told and there.port != _WELL_KNOWN_PORTS[scheme] else None


def _both(
    plain: Redirect, port: int, hosts: tuple[str, ...], of: str = "https"
) -> Iterator[tuple[Redirect, bool]]:
    """The redirect of requests that name a port, where it differs, and that of all others."""
    if plain.port != port:
        is_left_out = port == _WELL_KNOWN_PORTS[of]
        if is_left_out and not plain.host and len(hosts) == 1 and "*" not in hosts[0]:
            [host] = hosts
            yield replace(plain, host=f"[{host}]" if ":" in host else host, port=None), True
        elif not (is_left_out and plain.host):
            yield replace(plain, port=port), True
    yield plain, False
