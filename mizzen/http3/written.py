"""Announcements as they are written down, for whoever follows."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from mizzen.http3.announcement import MAX_AGE, Phase, State
from mizzen.http3.server import Server

NO_PORT = 0  # under which a promise is kept of which the port is not known


def to_json(server: Server) -> dict[str, Any]:
    """What a later control plane must know of it, as JSON values."""
    return {
        str(port): {
            "phase": phase.value,
            "promisedUntil": _text(until),
            "maxAge": int(max_age.total_seconds()),
            "listener": listener,
            **({"failing": {name: _text(at) for name, at in failing}} if failing else {}),
        }
        for port, phase, until, max_age, listener, failing in server.stored()
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
    age = stored.get("maxAge", int(MAX_AGE.total_seconds()))
    if type(age) is not int:
        raise ValueError(f"an age is a number of seconds, not {age!r}")
    until = stored["promisedUntil"]
    return State(
        phase=Phase(stored["phase"]),
        promised_until=_time(until) if until is not None else None,
        max_age=timedelta(seconds=age),
        listener=str(stored["listener"]),
        failing={str(name): _time(at) for name, at in stored.get("failing", {}).items()},
    )


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
