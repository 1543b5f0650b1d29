"""HTTP/3 twins that are taken away, because an EnvoyFilter guards connections over TCP in a way that QUIC has not.

What a patch merges into a chain or adds to its filters is for the twin too (patch/listeners). Filters of a listener are not: they see bytes
of TCP. A twin would let in whom they refuse.
"""

from dataclasses import replace

from mizzen.errors import Problem, Severity
from mizzen.model import Model
from mizzen.model.listener import Listener, Mirror, Transport
from mizzen.model.patch import Patch
from mizzen.resolve.context import Context

_TWIN = "udp_"


def without_unguarded_twins(ctx: Context, model: Model, of_tcp: tuple[Patch, ...]) -> Model:
    """The model less the listeners for QUIC whose guards of `of_tcp` they cannot have; each is reported."""
    named = {one.name: one for one in model.listeners}
    gone: dict[str, Patch] = {}
    for one in model.listeners:
        tcp = named.get(one.name.removeprefix(_TWIN)) if one.transport is Transport.QUIC else None
        guards = [patch for patch in of_tcp if tcp is not None and _is_for(patch, tcp)]
        if guards:
            gone[one.name] = guards[0]
    if not gone:
        return model
    for name, patch in gone.items():
        _report(ctx, name, patch)
    return replace(
        model,
        listeners=tuple(one for one in model.listeners if one.name not in gone),
        announcements=tuple(
            replace(one, port=None) if one.listener in gone else one for one in model.announcements
        ),
        mirrors=tuple(_without(one, gone) for one in model.mirrors),
    )


def _is_for(patch: Patch, tcp: Listener) -> bool:
    wanted = patch.listener
    return wanted is None or (wanted.name in ("", tcp.name) and wanted.port in (0, tcp.port))


def _without(mirror: Mirror, gone: dict[str, Patch]) -> Mirror:
    patch = gone.get(mirror.quic_listener)
    return mirror if patch is None else replace(mirror, quic_listener="", reason=_why(patch))


def _why(patch: Patch) -> str:
    return f"{patch.origin} guards connections over TCP in a way that QUIC has not"


def _report(ctx: Context, name: str, patch: Patch) -> None:
    ctx.report(
        Problem(
            severity=Severity.WARNING,
            code="EXT-015",
            resource=patch.origin,
            field=patch.at,
            message=f"what the patch adds sees bytes of TCP, and may guard connections: there is no HTTP/3 mirror {name}",
            hint="A filter of HTTP, or a network filter, is for both.",
        )
    )
