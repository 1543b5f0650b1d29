"""The file in which a control plane keeps what clients were promised (alt-svc), for the one that follows it.

A promise that is not kept there could be forgotten, and then nobody would take it back. So it is written down
before it is given. While the disk takes nothing, nothing new is promised; what was written down goes on.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from mizzen.errors import Problem, ResourceRef
from mizzen.http3.announcement import Announcements, Evidence
from mizzen.run import private_file

CATALOGUE = {
    "DISK-001": "What clients are promised cannot be written to the run-dir; no further HTTP/3 mirror is announced.",
}

_AGAIN_SECONDS = 2.0  # between two tries on a disk that takes nothing

_log = logging.getLogger(__name__)


class PromiseFile:
    """One such file."""

    def __init__(
        self,
        path: Path,
        *,
        on_trouble: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_trouble` hears when it cannot be written any more, and when it can again."""
        self._path, self._clock, self._on_trouble = path, clock, on_trouble
        self._written: bytes | None = None
        self._trouble = ""
        self._tried = 0.0

    def load(self) -> dict[str, Announcements]:
        """What an earlier control plane of this run-dir announced. A file that is not ours counts as none."""
        try:
            text = self._path.read_bytes()
            found = {key: Announcements.from_json(value) for key, value in json.loads(text).items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _log.warning("what clients were promised before is not known: %s: %s", self._path, error)
            return {}
        self._written = text
        return found

    def keep(self, promises: Mapping[str, Announcements]) -> bool:
        """Write them down. False when that fails; then a further try has an effect after a while only."""
        text = json.dumps({key: one.to_json() for key, one in sorted(promises.items())}, indent=1).encode()
        return not self._is_too_soon and self._write(text)

    def restore(self) -> tuple[str, ...]:
        """Write it again, if somebody removed it: its name."""
        if (
            self._written is None
            or self._path.exists()
            or not self._path.parent.exists()
            or self._is_too_soon
        ):
            return ()
        return (self._path.name,) if self._write(self._written) else ()

    @property
    def _is_too_soon(self) -> bool:
        return bool(self._trouble) and self._clock() - self._tried < _AGAIN_SECONDS

    def _write(self, text: bytes) -> bool:
        self._tried = self._clock()
        before, self._trouble = self._trouble, ""
        try:
            private_file.write(self._path, text)
            self._written = text
        except OSError as error:
            self._trouble = f"{self._path}: {error.strerror}"
        if bool(before) != bool(self._trouble):
            self._on_trouble()
        return not self._trouble

    def seconds_to_next(self) -> float | None:
        """When what could not be written is worth another try; None: all is written."""
        return _AGAIN_SECONDS if self._trouble else None

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
                f"{_AGAIN_SECONDS:.0f} s.",
            ),
        )


def withheld(found: Mapping[str, Evidence], announced: Announcements) -> dict[str, Evidence]:
    """The evidence of all mirrors, where no promise can be written down: what is not announced yet shall not be."""
    return {
        name: one
        if announced.state_name(name) == "announced" or not one.proven
        else Evidence(
            acked=one.acked, proven=False, detail="what it promises cannot be written to the run-dir"
        )
        for name, one in found.items()
    }
