"""What became of one gateway's configuration: which Envoy holds what, and why it does not. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mizzen._api import pb
from mizzen.envoy.config import ROUTES, EnvoyConfig
from mizzen.envoy.violations import violations
from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.http3.announcement import Announcements
from mizzen.model import Model
from mizzen.model.listener import Transport
from mizzen.model.route import Route
from mizzen.redaction import hidden_text
from mizzen.run.occupied import Taken, is_for_a_port, refused_ports
from mizzen.run.refusals import Refusals
from mizzen.serve.ads import ClientStatus
from mizzen.xds.refusal import LOST
from mizzen.xds.resource_type import CLUSTER, LISTENER, SEND_ORDER, resource_type
from mizzen.xds.snapshot import Snapshot
from mizzen.xds.status import SyncState, TypeStatus

CATALOGUE = {
    "XDS-001": "Envoy refused a part of the configuration; what it held before stays.",
}
_ROUTE = re.compile(r"\bvirtual_hosts\[(\d+)\]\.routes\[(\d+)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayStatus:
    """One gateway as `proxy-status` shows it."""

    node: str
    version: str  # Envoy's; "" while none is connected
    synced: bool  # Envoy confirmed (or finally refused) all that it shall hold
    ready: bool  # it serves, and every mirror that can be is announced
    reason: str  # why it is not
    types: tuple[TypeStatus, ...]
    rejected: tuple[Problem, ...]
    mirrors: tuple[Mapping[str, object], ...]
    listeners: tuple[Mapping[str, object], ...]
    occupied: tuple[Taken, ...]
    lost: str  # why a TCP port is not served that was served before

    def value(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "node": self.node,
            "version": self.version,
            "synced": self.synced,
            "ready": self.ready,
            "reason": self.reason,
            "lost": self.lost,
            "occupied": [one.problem.value() for one in self.occupied],
            "types": {
                one.short: {
                    "state": one.state.value,
                    "held": len(one.acked),
                    "sent": one.sent,
                    "lastError": hidden_text(one.last_error),
                }
                for one in self.types
            },
            "rejected": [
                {
                    "resource": str(problem.resource),
                    "origin": str(problem.origin),
                    "message": problem.message,
                }
                for problem in self.rejected
            ],
            "mirrors": [dict(mirror) for mirror in self.mirrors],
            "listeners": [dict(listener) for listener in self.listeners],
        }


def gateway_status(
    *,
    model: Model,
    config: EnvoyConfig,
    snapshot: Snapshot,
    client: ClientStatus | None,
    refused: Refusals,
    announcements: Announcements,
    occupied: tuple[Taken, ...],
    unexplained: frozenset[str] = frozenset(),
) -> GatewayStatus:
    """Put together what is wanted (`model`, `snapshot`) and what the Envoy said of it (`client`, `refused`).

    `unexplained`: listeners whose ports it could not open, of which more will be known in a moment.
    """
    types = client.stream.types if client else ()
    reason = not_synced(snapshot, client)
    settled = reason or announcements.unsettled()
    return GatewayStatus(
        node=client.node_id if client else "",
        version=client.version if client else "",
        synced=not reason,
        ready=not settled,
        reason=settled,
        types=types,
        rejected=rejections(model, config, refused, unexplained | _withheld(snapshot, refused)),
        mirrors=mirror_values(model, announcements, occupied),
        occupied=occupied,
        lost=lost_port(model, client, occupied),
        listeners=tuple(
            {"name": one.name, "address": one.address, "port": one.port, "transport": one.transport.value}
            for one in model.listeners
        ),
    )


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
    route = _refused_route(model, config, name, told) if url == ROUTES else None
    resource = config.origins.get((url, name)) or ResourceRef(kind=short, name=name)
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


def _refused_route(model: Model, config: EnvoyConfig, name: str, told: str) -> Route | None:
    """The route that a reason such as "virtual_hosts[0].routes[1].redirect ..." is about."""
    found = _ROUTE.search(told)
    message = config.resources[ROUTES].get(name)
    if found is None or not isinstance(message, pb.RouteConfiguration):
        return None
    hosts = {
        host.name: host for table in model.route_tables if table.name == name for host in table.hosts.values()
    }
    number, index = int(found[1]), int(found[2])
    if number >= len(message.virtual_hosts):
        return None
    host = hosts.get(message.virtual_hosts[number].name)
    return host.routes[index] if host and index < len(host.routes) else None


def why(config: EnvoyConfig, url: str, name: str, reason: str) -> str:
    """The reason that Envoy gave; where it was too long to be told, what is found in the resource itself."""
    told = first_line(reason)
    message = config.resources.get(url, {}).get(name)
    if LOST in told and message is not None and (broken := violations(message)):
        path, wrong = broken[0]
        return told.replace(LOST, f"{path}: {wrong}")
    return told


def first_line(reason: str) -> str:
    """A refusal without the dump of the resource that Envoy puts around it."""
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    return lines[0] if lines else "it gave no reason"


def mirror_values(
    model: Model, announcements: Announcements, occupied: tuple[Taken, ...]
) -> tuple[Mapping[str, object], ...]:
    """Each HTTPS server, whether it has a mirror and what clients are told of it."""
    taken = {one.listener: one.problem.message for one in occupied}
    values = announcements.values()
    found = []
    for mirror in model.mirrors:
        name = f"alt-svc/{mirror.server}"
        found.append(
            {
                "server": mirror.server,
                "listener": mirror.quic_listener,
                "expected": mirror.expected,
                "announced": values.get(name) or "",
                "state": announcements.state_name(name),
                "reason": mirror.reason or taken.get(mirror.quic_listener, "") or announcements.reason(name),
                "resource": str(mirror.origin),
                "origin": str(mirror.origin.place(mirror.at)),
            }
        )
    return tuple(found)
