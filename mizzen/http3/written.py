"""Announcements as they are written down, for whoever follows."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from mizzen.http3.announcement import MAX_AGE, Phase, State, Turn, Word
from mizzen.http3.health import Health
from mizzen.http3.server import Server
from mizzen.model.announcement import Rollout

NO_PORT = 0  # under which a promise is kept of which the port is not known


def to_json(server: Server) -> dict[str, Any]:
    """What a later control plane must know of it, as JSON values."""
    return {str(port): _state_to_json(state) for port, state in server.stored()}


def _state_to_json(state: State) -> dict[str, Any]:
    more: dict[str, Any] = {
        "stage": state.stage,
        "since": _text(state.since),
        "leavingUntil": _text(state.leaving_until),
        "setbacks": state.setbacks,
        "setBackAt": _text(state.set_back_at),
        "pausedUntil": _text(state.paused_until),
        "unwell": state.health.reason,
        "dnsTtl": int(state.rollout.dns_ttl.total_seconds()),
        "drain": int(state.rollout.drain.total_seconds()),
        "history": [_turn_to_json(turn) for turn in state.history],
    }
    for word in Word:
        more[word.value] = {
            name: _text(until) for (kind, name), until in sorted(state.words.items(), key=str) if kind is word
        }
    return {
        "phase": state.phase.value,
        "promisedUntil": _text(state.promised_until),
        "maxAge": int(state.max_age.total_seconds()),
        "listener": state.listener,
        **{key: value for key, value in more.items() if value},
    }


def _turn_to_json(turn: Turn) -> dict[str, Any]:
    return {
        "at": _text(turn.at),
        "phase": turn.phase.value,
        "reason": turn.reason,
        **({"stage": turn.stage} if turn.stage else {}),
    }


def from_json(stored: Mapping[str, Any]) -> Server:
    """Take up where `to_json` left off; `Server.follow` then says what is wanted.

    Also what was written before promises were told apart by their ports: one state, with its port in it.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: if `stored` is not what to_json made.
    """
    if "phase" in stored:
        port = stored["port"]
        if port is not None and type(port) is not int:
            raise ValueError(f"a port is a number, not {port!r}")
        return Server(states={port or NO_PORT: _from_json(stored)})
    return Server(states={int(port): _from_json(one) for port, one in stored.items()})


def _from_json(stored: Mapping[str, Any]) -> State:
    usual = Rollout()
    words = {(word, str(name)): _time(at) for word in Word for name, at in stored.get(word.value, {}).items()}
    return State(
        phase=Phase(stored["phase"]),
        promised_until=_maybe(stored["promisedUntil"]),
        max_age=_seconds(stored, "maxAge", MAX_AGE),
        listener=str(stored["listener"]),
        stage=_number(stored, "stage"),
        since=_maybe(stored.get("since")),
        leaving_until=_maybe(stored.get("leavingUntil")),
        setbacks=_number(stored, "setbacks"),
        set_back_at=_maybe(stored.get("setBackAt")),
        paused_until=_maybe(stored.get("pausedUntil")),
        health=Health(reason=str(stored.get("unwell", ""))),
        rollout=Rollout(
            dns_ttl=_seconds(stored, "dnsTtl", usual.dns_ttl), drain=_seconds(stored, "drain", usual.drain)
        ),
        words=words,
        history=tuple(_turn_from_json(turn) for turn in stored.get("history", ())),
    )


def _turn_from_json(stored: Mapping[str, Any]) -> Turn:
    return Turn(
        at=_time(stored["at"]),
        phase=Phase(stored["phase"]),
        stage=_number(stored, "stage"),
        reason=str(stored["reason"]),
    )


def _number(stored: Mapping[str, Any], key: str, default: int = 0) -> int:
    value = stored.get(key, default)
    if type(value) is not int or value < 0:
        raise ValueError(f"{key} is a number, not {value!r}")
    return value


def _seconds(stored: Mapping[str, Any], key: str, default: timedelta) -> timedelta:
    return timedelta(seconds=_number(stored, key, int(default.total_seconds())))


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _maybe(text: str | None) -> datetime | None:
    return _time(text) if text is not None else None


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
