"""HTTP/3 twins that are taken away, because an EnvoyFilter guards connections over TCP in a way that QUIC has not.

What is merged into a connection manager, and filters of HTTP, are for the twin too (patch/listeners). Filters of a listener are not: they
see bytes of TCP. Nor are network filters that judge when the first bytes arrive (RBAC is one): over QUIC bytes go to the connection manager
alone, and Envoy takes such a filter and never asks it. A twin would let in whom they refuse.
"""

from dataclasses import replace

from mizzen.errors import Problem, Severity
from mizzen.model import Model
from mizzen.model.listener import Chain, HttpService, Listener, Transport
from mizzen.model.patch import Patch, Target
from mizzen.model.route import OVER_HTTP3
from mizzen.resolve.context import Context

_TWIN = "udp_"
_HCM = "envoy.filters.network.http_connection_manager"


def without_unguarded_twins(ctx: Context, model: Model, of_tcp: tuple[Patch, ...]) -> Model:
    """The model less what is served over QUIC without the guards of `of_tcp`; each is reported."""
    gone: dict[tuple[str, str], Patch] = {}
    for one in model.listeners if of_tcp else ():
        for chain in one.chains if one.transport is Transport.QUIC else ():
            guards = [patch for patch in of_tcp if _is_for(patch, one, chain)]
            if guards:
                gone[one.name, chain.name] = guards[0]
    if not gone:
        return model
    for patch in dict.fromkeys(gone.values()):
        _report(ctx, patch, sorted(name for (_, name), guard in gone.items() if guard == patch))
    servers = _servers(model, gone)
    made = (_without(one, frozenset(name for of, name in gone if of == one.name)) for one in model.listeners)
    return replace(
        model,
        listeners=tuple(one for one in made if one is not None),
        announcements=tuple(
            replace(one, port=None, listener="", why=_why(servers[one.name])) if one.name in servers else one
            for one in model.announcements
        ),
        mirrors=tuple(
            replace(one, quic_listener="", reason=_why(servers[one.server])) if one.server in servers else one
            for one in model.mirrors
        ),
    )


def _servers(model: Model, gone: dict[tuple[str, str], Patch]) -> dict[str, Patch]:
    """By the names of their route table and of their announcement."""
    found: dict[str, Patch] = {}
    for one in model.listeners:
        for chain in one.chains:
            patch = gone.get((one.name, chain.name))
            if patch is not None and isinstance(chain.serve, HttpService):
                table = chain.serve.route_table.removesuffix(OVER_HTTP3)
                found |= dict.fromkeys((table, chain.serve.announcement or ""), patch)
    return found


def _without(one: Listener, names: frozenset[str]) -> Listener | None:
    """The listener less some chains, whose clients are refused; None where none is left."""
    if not names:
        return one
    refused = {name for chain in one.chains if chain.name in names for name in chain.server_names}
    chains = tuple(chain for chain in one.chains if chain.name not in names)
    if not chains:
        return None
    return replace(one, chains=chains, refused=tuple(sorted({*one.refused, *refused})))


def _is_for(patch: Patch, quic: Listener, chain: Chain) -> bool:
    """Is it for the TCP twin of a chain, or for the chain itself? What else it may match by narrows nothing."""
    wanted = patch.listener
    if wanted is None:
        return True
    names = {"", quic.name.removeprefix(_TWIN)} | (
        {quic.name} if patch.target is Target.NETWORK_FILTER else set()
    )
    if wanted.name not in names or wanted.port not in (0, quic.port):
        return False
    asked = wanted.chain
    return asked is None or (
        asked.name in ("", chain.name)
        and (not asked.sni or asked.sni.lower() in chain.server_names)
        and asked.network_filter in (None, "", _HCM)
    )


def _why(patch: Patch) -> str:
    return f"{patch.origin} guards connections over TCP in a way that QUIC has not"


def _report(ctx: Context, patch: Patch, chains: list[str]) -> None:
    ctx.report(
        Problem(
            severity=Severity.WARNING,
            code="EXT-015",
            resource=patch.origin,
            field=patch.at,
            message="what the patch brings judges bytes of TCP, and may guard connections: there is no HTTP/3 for "
            f"{', '.join(chains)}",
            hint="A filter of HTTP is for both, and so are limits and rates of connections.",
        )
    )
