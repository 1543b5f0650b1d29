"""Mirrors that linger: nothing asks for them any more, and clients may still come to them.

Where a mirror may be served on it is, and says `clear`. Where it may not (its server is gone, or QUIC would be weaker than
TCP now) its listener stays without a chain: whoever comes is refused within a round trip instead of waiting.
"""

from collections.abc import Mapping

from mizzen.resolve.context import Context

_VIEW = "remembered mirrors"


def publish_lingering(ctx: Context) -> None:
    """Let steps look up what lingers. To be called by the root of a resolution."""
    ctx.steps.views[_VIEW] = ctx.steps.published(_VIEW, ctx.lingering.remembered)


def is_remembered(ctx: Context, announcement: str, listener: str) -> bool:
    """May clients still come to a server's mirror at that QUIC listener?"""
    remembered: Mapping[str, frozenset[str]] = ctx.steps.views.get(_VIEW, {})
    return listener in remembered.get(announcement, ())
