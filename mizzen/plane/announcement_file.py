"""Where promises (alt-svc) are written down, for the control plane that follows: a file of the run-dir.

A promise that is not kept anywhere could be forgotten, and then nobody would take it back. So it is written down
before it is given. While the disk takes nothing, nothing new is promised; what was written down goes on.
"""

import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from mizzen.errors import Problem, ResourceRef
from mizzen.http3.announcement import State
from mizzen.http3.server import Server
from mizzen.http3.written import from_json, to_json
from mizzen.node import private_file
from mizzen.plane.effects import Promises, ServerKey
from mizzen.plane.state import KEEP_AGAIN

CATALOGUE = {
    "DISK-001": "What clients are promised cannot be written to the run-dir; no further HTTP/3 mirror is announced.",
}

_log = logging.getLogger(__name__)


class PromiseStore(Protocol):
    """A home of promises. What is written by others and by whoever was here before is merged by `Server.merged`."""

    async def load(self) -> Promises:
        """What is there. What is not ours counts as nothing."""

    async def keep(self, promises: Promises) -> bool:
        """Write these down, beside what others wrote. False when that fails."""

    async def follow(self, on_change: Callable[[Promises], object]) -> None:
        """Until cancelled: hand on what others write."""

    def restore(self) -> tuple[str, ...]:
        """Write it again, if somebody removed it: its name."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """That it cannot be written, if so."""


def to_value(promises: Promises) -> dict[str, dict[str, Any]]:
    """By gateway, then by announcement, as JSON values; what promises nothing is left out."""
    found: dict[str, dict[str, Any]] = {}
    for (called, name), server in sorted(promises.items()):
        if value := to_json(server):
            found.setdefault(called, {})[name] = value
    return found


def from_value(value: Mapping[str, Mapping[str, Any]]) -> dict[ServerKey, Server]:
    """What `to_value` made; also what was written when promises belonged to a proxy ("NAME.NAMESPACE~...").

    Raises:
        ValueError, KeyError, TypeError, AttributeError: if it is not ours.
    """
    found: dict[ServerKey, Server] = {}
    for key, servers in value.items():
        called = key.partition("~")[0]
        for name, stored in servers.items():
            server = from_json(stored)
            known = found.get((called, name), Server())
            longer = {
                port: state
                for port, state in server.states.items()
                if port not in known.states or _lasts(state) > _lasts(known.states[port])
            }
            found[called, name] = Server(states={**known.states, **longer})
    return found


def _lasts(state: State) -> float:
    return state.promised_until.timestamp() if state.promised_until is not None else 0.0


class PromiseFile:
    """One such file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: bytes | None = None
        self._trouble = ""

    async def load(self) -> Promises:
        """What an earlier control plane of this run-dir announced. A file that is not ours counts as none."""
        try:
            text = self._path.read_bytes()
            found = from_value(json.loads(text))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _log.warning("what clients were promised before is not known: %s: %s", self._path, error)
            return {}
        self._written = text
        return found

    async def keep(self, promises: Promises) -> bool:
        """Write them down. False when that fails."""
        return self._write(json.dumps(to_value(promises), indent=1).encode())

    async def follow(self, on_change: Callable[[Promises], object]) -> None:
        """Nobody else writes here."""

    def restore(self) -> tuple[str, ...]:
        """Write it again, if somebody removed it: its name."""
        if self._written is None or self._path.exists() or not self._path.parent.exists():
            return ()
        return (self._path.name,) if self._write(self._written) else ()

    def _write(self, text: bytes) -> bool:
        self._trouble = ""
        try:
            private_file.write(self._path, text)
            self._written = text
        except OSError as error:
            self._trouble = f"{self._path}: {error.strerror}"
        return not self._trouble

    @property
    def problems(self) -> tuple[Problem, ...]:
        """That it cannot be written, if so."""
        if not self._trouble:
            return ()
        return (
            Problem(
                code="DISK-001",
                resource=ResourceRef(kind="File", name=self._path.name),
                message=f"what clients are promised cannot be written down ({self._trouble}): HTTP/3 is announced "
                "where it was before, and nowhere else",
                hint=f"Make room on that disk, or let mizzen write there; it is tried again every "
                f"{KEEP_AGAIN.total_seconds():.0f} s.",
            ),
        )
