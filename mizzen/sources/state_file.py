"""A file in the run-dir in which a source remembers something for the control plane that comes after it.

Nothing depends on it but memory: what cannot be read counts as nothing, what cannot be written is tried again with
the next change, and both are said.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from mizzen.errors import Place, Problem, ResourceRef, Severity
from mizzen.lazy import dataclass

LARGEST = 64 * 1024 * 1024  # bytes

Write = Callable[[Path, bytes], None]  # whole or not at all, for its owner's eyes only; raises OSError


@dataclass(slots=True)
class StateFile:
    """JSON at `path`, put there by `write`."""

    path: Path
    write: Write
    _written: bytes | None = None
    _unread: str = ""
    _unwritten: str = ""

    def load(self) -> Any:
        """What was saved; None when there is nothing that can be read."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                content = file.read(LARGEST + 1)
            if len(content) > LARGEST:
                raise OSError(0, f"it is larger than {LARGEST} bytes")
            return msgspec.json.decode(content)
        except FileNotFoundError:
            return None
        except OSError as error:
            self.ignore((error.strerror or str(error)).lower())
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self.ignore("it is no JSON")
        return None

    def ignore(self, why: str) -> None:
        """Its content is of no use."""
        self._unread = why

    def save(self, value: Any) -> None:
        """Keep this instead, if it is something else."""
        content = msgspec.json.encode(value)
        if content == self._written:
            return
        if len(content) > LARGEST:
            self._unwritten = f"it would be larger than {LARGEST} bytes"
            return
        try:
            self.write(self.path, content)
        except OSError as error:
            self._unwritten = (error.strerror or str(error)).lower()
            return
        self._written, self._unwritten = content, ""

    def restore(self) -> tuple[str, ...]:
        """Write again what was saved, if somebody removed it: its name. OSError when that fails."""
        if self._written is None or self.path.exists() or not self.path.parent.exists():
            return ()
        self.write(self.path, self._written)
        return (self.path.name,)

    @property
    def is_behind(self) -> bool:
        """What is in it is not what should be: it could not be used, or the last `save` failed."""
        return bool(self._unwritten) or bool(self._unread and self._written is None)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """That it could not be read or written, if so."""
        if self._unwritten:
            what = f"this file cannot be written: {self._unwritten}; what is remembered now is lost with this process"
        elif self._unread:
            what = f"this file cannot be used: {self._unread}; what an earlier process remembered is lost"
        else:
            return ()
        return (
            Problem(
                severity=Severity.WARNING,
                code="FILE-004",
                resource=ResourceRef(kind="File", name=str(self.path), places={"": Place(str(self.path))}),
                message=what,
                hint="Make room on the disk, and let mizzen alone write to its run-dir; it is tried again with the "
                "next change.",
            ),
        )
