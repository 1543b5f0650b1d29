"""World -> Model: select, merge, look up, attach, default; judge what only two objects together show."""

from mizzen.model import Model
from mizzen.resolve.context import Context


def resolve(ctx: Context) -> Model:
    """What the gateway of `ctx` shall do. Everything wrong is reported; nothing is raised."""
    # Here, so that a part of this package can be imported without all the others.
    from mizzen.resolve import whole

    return whole.resolve(ctx)


__all__ = ["resolve"]
