"""What is told of the state: which Envoy holds what, and why it does not. Pure; asking changes nothing."""

import re
from datetime import datetime

from mizzen._api import pb
from mizzen.envoy.config import ROUTES, SCOPED_ROUTES, EnvoyConfig
from mizzen.envoy.origins import host_of_scope
from mizzen.envoy.violations import violations
from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.model import Model
from mizzen.model.listener import Transport
from mizzen.model.route import Route
from mizzen.plane.mirror_status import Located, mirrors
from mizzen.plane.refusals import Refusals
from mizzen.plane.served_gateway import Gateway
from mizzen.plane.state import State
from mizzen.plane.taken_ports import Taken, is_for_a_port, refused_ports
from mizzen.redaction import hidden_text
from mizzen.serve.ads import ClientStatus
from mizzen.status import (
    EnvoyStatus,
    ListenerStatus,
    ProblemValue,
    Rejected,
    ServiceStatus,
    TypeSync,
    Word,
)
from mizzen.xds.refusal import LOST
from mizzen.xds.resource_type import CLUSTER, LISTENER, SEND_ORDER, resource_type
from mizzen.xds.snapshot import Snapshot
from mizzen.xds.status import SyncState, TypeStatus

CATALOGUE = {
    "XDS-001": "Envoy refused a part of the configuration; what it held before stays.",
}

_ROUTE = re.compile(r"\bvirtual_hosts\[(\d+)\]\.routes\[(\d+)\]")


class Words:
    """How each Envoy stands. What was worked out for the same values is remembered: it is asked for again and again."""

    def __init__(self) -> None:
        self._state: State | None = None
        self._words: dict[str, Word] = {}
        self._known: dict[str, tuple[tuple[object, ...], Word]] = {}

    def of(self, state: State) -> dict[str, Word]:
        """By what each Envoy calls itself."""
        if state is self._state:
            return self._words
        known, self._known = self._known, {}
        for gateway in state.gateways.values():
            settling = state.unsettled(gateway)
            for name in gateway.translated.names:
                client = gateway.clients.get(name)
                grounds = (gateway.translated, gateway.replacing, client, settling)
                before = known.get(name)
                same = before is not None and all(
                    a is b or a == b for a, b in zip(before[0], grounds, strict=True)
                )
                word = before[1] if before is not None and same else _word(gateway, client, settling)
                self._known[name] = (grounds, word)
        self._state, self._words = state, {name: word for name, (_, word) in self._known.items()}
        return self._words


def _word(gateway: Gateway, client: ClientStatus | None, settling: str) -> Word:
    translated = gateway.translated
    reason = not_synced(gateway.offered, client)
    settled = reason or settling
    return Word(
        synced=not reason,
        ready=not settled,
        reason=settled,
        lost=lost_port(translated.build.model, client, translated.occupied),
    )


def envoy_status(
    state: State,
    gateway: Gateway,
    name: str,
    word: Word,
    located: Located,
    services: tuple[ServiceStatus, ...] = (),
    *,
    is_local: bool,
    now: datetime,
) -> EnvoyStatus:
    """All that is told of one Envoy. `located`: the same problem where its object stands now. `services`: those of its
    gateway. `is_local`: the Envoy is on this machine, and so are its ports."""
    translated, client = gateway.translated, gateway.clients.get(name)
    model = translated.build.model
    return EnvoyStatus(
        key=translated.key,
        node=client.node_id if client else "",
        version=client.version if client else "",
        synced=word.synced,
        ready=word.ready,
        reason=word.reason,
        lost=word.lost,
        occupied=tuple(ProblemValue(**one.problem.value()) for one in translated.occupied),
        types={one.short: _type_sync(one) for one in (client.stream.types if client else ())},
        rejected=tuple(
            Rejected(resource=str(one.resource), origin=str(one.origin), message=one.message)
            for one in map(located, rejected(gateway, name, is_local=is_local))
        ),
        mirrors=mirrors(state, gateway, located, now),
        listeners=tuple(
            ListenerStatus(name=one.name, address=one.address, port=one.port, transport=one.transport.value)
            for one in model.listeners
        ),
        services=services,
    )


def _type_sync(one: TypeStatus) -> TypeSync:
    return TypeSync(
        state=one.state.value, held=len(one.acked), sent=one.sent, last_error=hidden_text(one.last_error)
    )


def rejected(gateway: Gateway, name: str, *, is_local: bool) -> tuple[Problem, ...]:
    """What one Envoy refuses, as problems."""
    refused = gateway.refused.get(name)
    if not refused:
        return ()
    translated = gateway.translated
    # Why this machine's ports are not to be had is seen at the next look at them, and told then.
    unexplained = gateway.unopened - translated.stubborn if is_local else frozenset()
    without = unexplained | _withheld(gateway.offered, refused)
    return rejections(translated.build.model, translated.config, refused, without)


def lost_port(model: Model, client: ClientStatus | None, occupied: tuple[Taken, ...]) -> str:
    """Why a TCP port is not served that was served before; "" when there is none such.

    Without its UDP twin a port is whole: clients are told so, and come over TCP.
    """
    refused = refused_ports((client,)) if client else {}
    found = [one.problem.message for one in occupied if one.is_lost and not one.is_udp]
    found += [
        f"Envoy cannot open TCP {one.address}:{one.port}"
        for one in model.listeners
        if one.name in refused and one.transport is not Transport.QUIC
    ]
    return next(iter(found), "")


def not_synced(snapshot: Snapshot, client: ClientStatus | None) -> str:
    """Why the Envoy does not hold `snapshot` yet; "" when it does, as far as it can."""
    if client is None:
        return "Envoy is not connected to the control plane"
    for kind in SEND_ORDER:
        status = client.stream.of(kind.url)
        if status is None:
            if kind in (CLUSTER, LISTENER):
                return f"Envoy has not asked for its {kind.short} yet"
            continue
        if waiting := status.unconfirmed(snapshot.of(kind.url)):
            return f"Envoy has not confirmed {kind.short} {', '.join(waiting)}"
        if status.state is SyncState.STALE:
            return f"Envoy has not confirmed its {kind.short}"
    return ""


def rejections(
    model: Model, config: EnvoyConfig, refused: Refusals, without: frozenset[str] = frozenset()
) -> tuple[Problem, ...]:
    """What Envoy refused, as problems of the objects that it came from; `without` some listeners."""
    return tuple(
        rejection(model, config, url, name, reason)
        for (url, name), reason in sorted(refused.items())
        if not (url == LISTENER.url and name in without)
    )


def _withheld(snapshot: Snapshot, refused: Refusals) -> frozenset[str]:
    """Listeners that were refused, and that the client shall not have any more: it may not have heard of that yet."""
    return frozenset(name for url, name in refused if url == LISTENER.url) - snapshot.of(LISTENER.url).keys()


def rejection(model: Model, config: EnvoyConfig, url: str, name: str, reason: str) -> Problem:
    """One resource that Envoy refused."""
    short, told = resource_type(url).short, why(config, url, name, reason)
    route = _refused_route(model, config, url, name, told)
    resource = config.origin(url, name) or ResourceRef(kind=short, name=name)
    if url == LISTENER.url and is_for_a_port(reason):
        return Problem(
            code="PORT-001",
            resource=resource,
            message=f"Envoy cannot open the port of {short} {name}: {told}",
            hint="End the process that has it, or use another port; it is tried again and again.",
        )
    return Problem(
        severity=Severity.ERROR,
        code="XDS-001",
        resource=route.origin if route else resource,
        field=route.at if route else "",
        message=f"Envoy refused {short} {name}: {told}",
        hint="What Envoy held before stays in force. Change the object so that the reason goes away.",
    )


def _refused_route(model: Model, config: EnvoyConfig, url: str, name: str, told: str) -> Route | None:
    """The route that a reason such as "virtual_hosts[0].routes[1].redirect ..." is about."""
    found = _ROUTE.search(told)
    if found is None:
        return None
    number, index = int(found[1]), int(found[2])
    host = host_of_scope(model, name) if url == SCOPED_ROUTES else None
    message = config.message(url, name) if url == ROUTES else None
    if isinstance(message, pb.RouteConfiguration) and number < len(message.virtual_hosts):
        tables = (table for table in model.route_tables if table.name == name)
        host = next((table.hosts.get(message.virtual_hosts[number].name) for table in tables), None)
    return host.routes[index] if host and index < len(host.routes) else None


def why(config: EnvoyConfig, url: str, name: str, reason: str) -> str:
    """The reason that Envoy gave; where it was too long to be told, what is found in the resource itself."""
    told = first_line(reason)
    message = config.message(url, name) if LOST in told else None
    if message is not None and (broken := violations(message)):
        path, wrong = broken[0]
        return told.replace(LOST, f"{path}: {wrong}")
    return told


def first_line(reason: str) -> str:
    """A refusal without the dump of the resource that Envoy puts around it."""
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    return lines[0] if lines else "it gave no reason"
