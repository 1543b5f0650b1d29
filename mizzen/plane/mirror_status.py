"""What is told of each HTTPS server: whether it has a mirror, how far its announcement has come, and why. Pure."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from msgspec.structs import replace

from mizzen.errors import Problem
from mizzen.http3.announcement import Phase
from mizzen.http3.announcement import State as Announced
from mizzen.http3.server import Server
from mizzen.model.announcement import Announcement
from mizzen.plane.served_gateway import Gateway
from mizzen.plane.state import State
from mizzen.status import BindingStatus, MirrorStatus, Turn

Located = Callable[[Problem], Problem]
_NO_MORE = "the configuration has no such server any more"


def mirrors(state: State, gateway: Gateway, located: Located, now: datetime) -> tuple[MirrorStatus, ...]:
    """Each HTTPS server, whether it has a mirror and what clients are told of it; also those that are gone, while clients
    remember them."""
    translated = gateway.translated
    taken = {one.listener: one.problem.message for one in translated.occupied}
    found = []
    for mirror in translated.build.model.mirrors:
        name = f"alt-svc/{mirror.server}"
        server = state.server(translated.called, name) if name in translated.targets else None
        reason = mirror.reason or taken.get(mirror.quic_listener, "")
        where = located(Problem(code="", resource=mirror.origin, field=mirror.at, message=""))
        status = MirrorStatus(
            server=mirror.server,
            listener=mirror.quic_listener,
            expected=mirror.expected,
            reason=reason or (_reason(state, server) if server else ""),
            resource=str(mirror.origin),
            origin=str(where.origin),
            hosts=mirror.hosts,
            number=mirror.number,
            port=mirror.dialled,
            tcp_listener=mirror.tcp_listener,
            hosts_off=translated.targets[name].announcement.hosts_off if server else (),
            choice=mirror.choice,
            dns=_dns(translated.targets[name].announcement, server) if server else None,
        )
        found.append(_with_life(status, server, now, state.replica) if server else status)
    return (*found, *_gone(state, gateway, now))


def _gone(state: State, gateway: Gateway, now: datetime) -> Iterator[MirrorStatus]:
    """Servers that no object declares any more, of whose promises clients may still know."""
    translated = gateway.translated
    known = {f"alt-svc/{mirror.server}" for mirror in translated.build.model.mirrors}
    for (called, name), server in sorted(state.servers.items()):
        if called == translated.called and name not in known and server.promised_until is not None:
            status = MirrorStatus(
                server=name.partition("/")[2], listener=server.shown.listener, reason=_NO_MORE
            )
            yield _with_life(status, server, now, state.replica)


def _with_life(status: MirrorStatus, server: Server, now: datetime, replica: str) -> MirrorStatus:
    """How far its announcement has come."""
    shown = server.shown
    is_announced = server.phase is Phase.ANNOUNCED
    return replace(
        status,
        announced=server.value or "",
        state=server.phase.value,
        stage=shown.stage + 1 if is_announced else 0,
        stages=len(shown.rollout.stages) if server.port is not None else 0,
        since=_time(shown.since),
        promised_until=_time(server.promised_until),
        next_stage=_time(server.next_stage(now, replica)) if is_announced else "",
        history=_history(shown),
    )


def _history(shown: Announced) -> tuple[Turn, ...]:
    return tuple(
        Turn(
            at=_time(turn.at),
            state=turn.phase.value,
            stage=turn.stage + 1 if turn.phase is Phase.ANNOUNCED else 0,
            reason=turn.reason,
        )
        for turn in shown.history
    )


def _dns(announcement: Announcement, server: Server) -> BindingStatus | None:
    binding = announcement.binding
    if binding is None:
        return None
    return BindingStatus(
        is_listed=server.lists_dns,
        also=tuple(sorted(frozenset(binding.hosts).difference(announcement.server_names or ("*",)))),
        off=dict(binding.off),
        alpn=binding.alpn,
        has_default=binding.has_default,
        target=binding.target,
        addresses=binding.addresses,
        unknown=binding.unknown,
        ttl=round(binding.ttl.total_seconds()),
        keeper=str(binding.keeper.policy) if binding.keeper else "",
    )


def _time(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at is not None else ""


def _reason(state: State, server: Server) -> str:
    if server.is_pending and state.trouble:
        return "what it promises cannot be written down"
    return server.reason
