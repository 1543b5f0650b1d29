"""QUIC listeners that nothing asks for any more, and that must not be closed yet.

Without a chain of its own such a listener refuses whoever comes within a round trip: who remembers HTTP/3 goes on over TCP
at once, where a UDP port that is silent would keep each client waiting for seconds.
"""

from collections.abc import Iterable
from dataclasses import replace

from mizzen.model import Model
from mizzen.model.listener import Listener, Transport
from mizzen.resolve.context import Context
from mizzen.resolve.listeners.listeners import Common, mirror_listener

_UDP, _EVERY_IPV4, _EVERY_IPV6 = "udp_", "0.0.0.0", "::"


def held_open(ctx: Context, model: Model, common: Common) -> Model:
    """The model with the QUIC listeners that must not be closed yet, without a chain where it has them no more."""
    known = {one.name for one in model.listeners}
    names = sorted(set(ctx.lingering.open) - known)
    kept = [one for name in names if (one := _without_chains(ctx, name, model.listeners, common)) is not None]
    if not kept:
        return model
    return replace(model, listeners=tuple(sorted((*model.listeners, *kept), key=lambda one: one.name)))


def _without_chains(ctx: Context, name: str, others: Iterable[Listener], common: Common) -> Listener | None:
    """As it was, but for its chains: all else would be a change that resets who is connected."""
    address, _, port = name.removeprefix(_UDP).rpartition("_")
    if not name.startswith(_UDP) or not address or not port.isdecimal():
        return None
    made = mirror_listener(ctx, address, int(port), common, ctx.proxy.origin)
    return replace(made, also=_also(ctx, made, others))


def _also(ctx: Context, one: Listener, others: Iterable[Listener]) -> tuple[str, ...]:
    """Its further addresses: those of its TCP twin, else as a listener of both families would have them."""
    twins = {other.name: other for other in others if other.transport is Transport.TCP}
    if (twin := twins.get(one.name.removeprefix(_UDP))) is not None:
        return twin.also
    is_taken = any(other.address == _EVERY_IPV6 and other.port == one.port for other in twins.values())
    return (_EVERY_IPV6,) if ctx.is_dual_stack and one.address == _EVERY_IPV4 and not is_taken else ()
