"""Ports and sockets that a gateway shall open and that somebody else holds.

Envoy binds with SO_REUSEPORT: two Envoys on one port would both start, and each would get half of the
connections. So every new address is tried first without it.
"""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from mizzen.errors import Problem
from mizzen.model import Model
from mizzen.model.listener import Listener, Transport
from mizzen.run.ports import Refusal, try_bind
from mizzen.run.sockets import try_path

CATALOGUE = {
    "PORT-001": "A port cannot be opened: something else holds it, or a right is missing.",
    "UNIX-002": "A Unix socket is not opened: something is there already, or its folder is not.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A listener that cannot be served, and why."""

    listener: str
    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An address that a gateway of this instance serves."""

    gateway: str
    transport: Transport
    address: str
    port: int

    def overlaps(self, listener: Listener) -> bool:
        """Would the kernel let only one of the two have it?"""
        if (self.transport, self.port) != (listener.transport, listener.port):
            return False
        if self.address == listener.address:
            return True
        return self.transport is not Transport.UNIX and any(
            ip_address(one).is_unspecified for one in (self.address, listener.address)
        )


def occupied(
    model: Model, held: frozenset[str], folder: Path, claims: tuple[Claim, ...]
) -> tuple[Taken, ...]:
    """Which listeners of `model` cannot be opened, and why.

    Tries the address of each but those that this gateway serves already (`held`). What its own Envoy holds
    (its command line names `folder`) is free for it; what another gateway of this instance claims is not.
    """
    found = []
    for listener in model.listeners:
        refusal = _claimed(listener, claims)
        if refusal is None and listener.name not in held:
            refusal = _try(listener)
            refusal = None if refusal and refusal.is_by(f"{folder}/") else refusal
        if refusal:
            found.append(Taken(listener=listener.name, problem=_problem(listener, refusal)))
    return tuple(found)


def _try(listener: Listener) -> Refusal | None:
    if listener.transport is Transport.UNIX:
        return try_path(listener.address)
    return try_bind(listener.address, listener.port, udp=listener.transport is Transport.QUIC)


def claims_of(model: Model, without: frozenset[str]) -> tuple[Claim, ...]:
    """What a gateway serves, less the listeners that it could not open."""
    return tuple(
        Claim(gateway=model.gateway, transport=one.transport, address=one.address, port=one.port)
        for one in model.listeners
        if one.name not in without
    )


def _claimed(listener: Listener, claims: tuple[Claim, ...]) -> Refusal | None:
    claim = next((one for one in claims if one.overlaps(listener)), None)
    if claim is None:
        return None
    return Refusal(
        reason=f"the gateway {claim.gateway} of this instance serves it",
        hint="Give the Services of the two gateways different targetPorts: they share one machine here.",
    )


def _problem(listener: Listener, refusal: Refusal) -> Problem:
    if listener.transport is Transport.UNIX:
        code, place, field = "UNIX-002", listener.address, "bind"
    else:
        protocol = "UDP" if listener.transport is Transport.QUIC else "TCP"
        code, place, field = "PORT-001", f"{protocol} {listener.address}:{listener.port}", "port.number"
    at = listener.chains[0].at if listener.chains else ""
    return Problem(
        code=code,
        resource=listener.origin,
        field=f"{at}.{field}" if at else "",
        message=f"{place} cannot be opened: {refusal.reason}",
        hint=refusal.hint,
    )
