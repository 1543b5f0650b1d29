"""When HTTP/3 of a gateway is given up for want of CPU, and what its listeners do then."""

from dataclasses import replace

from mizzen.model import Model
from mizzen.model.listener import Transport
from mizzen.model.shedding import Shedding
from mizzen.resolve.context import Context, step
from mizzen.resolve.http3_policies import chosen, of_workload

_RECOVERS_AT = 0.75  # of the budget


@step
def shedding(ctx: Context) -> Shedding | None:
    """What the policy that counts says; None: never."""
    choice = chosen(of_workload(ctx), lambda spec: spec.shedding)
    if choice is None:
        return None
    said = choice.value
    recover_at = said.cpu_budget * _RECOVERS_AT if said.recover_at is None else said.recover_at
    made = Shedding(cpu_budget=said.cpu_budget, recover_at=recover_at)
    return replace(made, after=said.after or made.after, calm=said.calm or made.calm)


def shed(ctx: Context, model: Model) -> Model:
    """The model whose QUIC listeners refuse new connections, while the gateway has too much to do."""
    if not ctx.sheds:
        return model
    listeners = tuple(
        replace(one, sheds=True) if one.transport is Transport.QUIC else one for one in model.listeners
    )
    return replace(model, listeners=listeners)
