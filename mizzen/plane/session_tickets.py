"""The keys of session tickets in a control plane: kept for the one that follows, rotated, and handed to each build.

On one machine they are in a file of the run-dir; the replicas of a cluster share a Secret (`mizzen.cluster.shared_tickets`).
"""

import asyncio
import secrets
from collections.abc import Callable
from datetime import datetime

from mizzen.errors import Problem
from mizzen.http3.session_tickets import SEED_BYTES, Seeds, from_json, to_json
from mizzen.lazy import dataclass
from mizzen.sources.state_file import StateFile

LONGEST_SECONDS = 600.0  # between two looks: clocks are set, and machines sleep


@dataclass(slots=True, kw_only=True)
class SessionTickets:
    """Whoever is told to serve has some from the start, kept or not: without keys Envoy completes no QUIC handshake."""

    clock: Callable[[], datetime]
    on_changed: Callable[[], object]  # what Envoys shall have is other than before
    file: StateFile | None = None  # where they are kept; None: nowhere, or others keep them
    is_shared: bool = False  # others rotate them; `take` follows
    seeds: Seeds = Seeds()

    def open(self) -> None:
        """Take up what an earlier process kept, or begin anew."""
        if self.file is not None and (kept := self.file.load()) is not None:
            try:
                self.seeds = from_json(kept)
            except (ValueError, KeyError, TypeError, AttributeError):
                self.file.ignore("it holds no keys of session tickets")
        self._advance()

    def served(self) -> tuple[bytes, ...]:
        """The seeds of the keys that count now."""
        return self.seeds.served(self.clock())

    def take(self, seeds: Seeds) -> None:
        """What the others have."""
        if seeds != self.seeds:
            self.seeds = seeds
            self.on_changed()

    def restore(self) -> tuple[str, ...]:
        """Write the file again, if somebody removed it: its name. OSError when that fails."""
        return self.file.restore() if self.file is not None else ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """That they could not be read or written, if so."""
        return self.file.problems if self.file is not None else ()

    async def run(self) -> None:
        """Until cancelled: say when others count, and rotate."""
        served = self.served()
        while True:
            await asyncio.sleep(self._seconds())
            self._advance()
            if (now := self.served()) != served:
                served = now
                self.on_changed()

    def _seconds(self) -> float:
        now = self.clock()
        at = self.seeds.next(now)
        wait = (at - now).total_seconds() if at is not None else LONGEST_SECONDS
        return min(max(wait, 1.0), LONGEST_SECONDS)

    def _advance(self) -> None:
        if self.is_shared and self.seeds.seeds:
            return
        self.seeds = self.seeds.advanced(self.clock(), secrets.token_bytes(SEED_BYTES))
        if self.file is not None:
            self.file.save(to_json(self.seeds))
