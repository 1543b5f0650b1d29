"""World -> Model: select, merge, look up, attach, default; judge what only two objects together show.

The rooms, lowest first: `tls/` (certificates and names), `proxies/` (which gateways there are), `gateways/` (their
servers), `services/` (where requests may go), `access/` (who may do what), `listeners/`, `routes/`, `sidecars/`,
`checks/`. `gateway_model` and `sidecars.sidecar` are the whole. No I/O, no clock; and no word of Envoy's API: that is
`mizzen.envoy`'s.
"""

from typing import TYPE_CHECKING

# Not at once, so that a part of this package can be imported without all the others.
if TYPE_CHECKING:
    from mizzen.model import Model
    from mizzen.resolve.context import Context


def resolve(ctx: "Context") -> "Model":
    """What the gateway of `ctx` shall do. Everything wrong is reported; nothing is raised."""
    from mizzen.resolve import gateway_model

    return gateway_model.resolve(ctx)


__all__ = ["resolve"]
