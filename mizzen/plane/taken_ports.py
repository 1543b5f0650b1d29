"""Ports and sockets that a gateway shall open and that somebody else holds.

Envoy binds with SO_REUSEPORT: two Envoys on one port would both start, and each would get half of the
connections. So every new address is tried first without it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

from mizzen.errors import Problem
from mizzen.lazy import dataclass
from mizzen.model import Model
from mizzen.model.listener import Listener, Transport
from mizzen.node.ports import Refusal, try_bind
from mizzen.node.unix_sockets import try_path
from mizzen.serve.ads import ClientStatus
from mizzen.xds.resource_type import LISTENER

CATALOGUE = {
    "PORT-001": "A port cannot be opened: something else holds it, or a right is missing.",
    "UNIX-002": "A Unix socket is not opened: something is there already, or its folder is not.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A listener that cannot be served, and why."""

    listener: str
    problem: Problem
    is_udp: bool = False
    is_lost: bool = False  # it was served before


# How Envoy's refusal of a listener reads when the kernel did not give it the address (ListenSocketFactoryImpl).
_NO_ADDRESS = ("cannot bind ", "cannot listen() on ")


def is_for_a_port(refusal: str) -> bool:
    """Did Envoy refuse a listener for its address? That may work at another time, unchanged."""
    return any(words in refusal for words in _NO_ADDRESS)


def mark_lost(taken: tuple[Taken, ...], once_served: frozenset[str]) -> tuple[Taken, ...]:
    """The same, told apart from listeners that could never be opened. `once_served`: by name."""
    return tuple(
        replace(
            one,
            is_lost=True,
            problem=replace(one.problem, hint=f"{one.problem.hint} It is tried again and again.".strip()),
        )
        if one.listener in once_served
        else one
        for one in taken
    )


def refused_ports(clients: Iterable[ClientStatus]) -> Mapping[str, str]:
    """The listeners that an Envoy could not open, and why."""
    return {
        name: reason
        for client in clients
        for (url, name), reason in client.stream.rejections.items()
        if url == LISTENER.url and is_for_a_port(reason)
    }


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
            refusal = None if refusal and refusal.involves(f"{folder}/") else refusal
        if refusal:
            is_udp = listener.transport is Transport.QUIC
            found.append(Taken(listener=listener.name, problem=_problem(listener, refusal), is_udp=is_udp))
    return tuple(found)


def _try(listener: Listener) -> Refusal | None:
    if listener.transport is Transport.UNIX:
        return try_path(listener.address)
    is_udp = listener.transport is Transport.QUIC
    tried = (try_bind(one, listener.port, udp=is_udp) for one in (listener.address, *listener.also))
    return next((refusal for refusal in tried if refusal is not None), None)


def claims_of(model: Model, without: frozenset[str]) -> tuple[Claim, ...]:
    """What a gateway serves, less the listeners that it could not open."""
    return tuple(
        Claim(gateway=model.gateway, transport=one.transport, address=one.address, port=one.port)
        for one in model.listeners
        if one.name not in without and not _only_refuses(one)
    )


def given_up(model: Model, claims: tuple[Claim, ...]) -> frozenset[str]:
    """The listeners that are only held open, where another gateway wants the address."""
    return frozenset(
        one.name
        for one in model.listeners
        if _only_refuses(one)
        and any(claim.gateway != model.gateway and claim.overlaps(one) for claim in claims)
    )


def _only_refuses(listener: Listener) -> bool:
    return listener.transport is Transport.QUIC and not listener.chains


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
