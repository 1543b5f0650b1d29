"""Ports that a gateway shall open and that somebody else holds.

Envoy binds with SO_REUSEPORT: two Envoys on one port would both start, and each would get half of the
connections. So every new address is tried first without it.
"""

from dataclasses import dataclass
from pathlib import Path

from mizzen.errors import Problem
from mizzen.model import Model
from mizzen.model.listener import Listener, Transport
from mizzen.run.ports import Refusal, try_bind

CATALOGUE = {
    "PORT-001": "A port cannot be opened: something else holds it, or a right is missing.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A listener that cannot be served, and why."""

    listener: str
    problem: Problem


def occupied(model: Model, held: frozenset[str], run_dir: Path) -> tuple[Taken, ...]:
    """Try the address of every listener of `model`, but those that this gateway serves already (`held`).

    What an Envoy of the same run-dir holds is free for it: it takes the new configuration on the same socket.
    """
    found = []
    for listener in model.listeners:
        if listener.name in held or listener.transport is Transport.UNIX:
            continue
        refusal = try_bind(listener.address, listener.port, udp=listener.transport is Transport.QUIC)
        if refusal and not refusal.is_by(str(run_dir)):
            found.append(Taken(listener=listener.name, problem=_problem(listener, refusal)))
    return tuple(found)


def _problem(listener: Listener, refusal: Refusal) -> Problem:
    protocol = "UDP" if listener.transport is Transport.QUIC else "TCP"
    at = listener.chains[0].at if listener.chains else ""
    return Problem(
        code="PORT-001",
        resource=listener.origin,
        field=f"{at}.port.number" if at else "",
        message=f"{protocol} {listener.address}:{listener.port} cannot be opened: {refusal.reason}",
        hint=refusal.hint,
    )
