"""Makes again, while an instance runs, what somebody removed of its run-dir: at each look, and without a restart."""

import logging
from typing import Protocol

from mizzen.node.restarting_process import StartFailed
from mizzen.node.run_dir import Possession

RESTORE_SECONDS = 0.5  # between two looks

_log = logging.getLogger(__name__)


class Restorable(Protocol):
    """Something with files or sockets in the run-dir."""

    def restore(self) -> tuple[str, ...]:
        """Make them again where they are gone: their names. OSError when that fails."""


class Restorer:
    """Looks after one run-dir, and says what it finds: each trouble once."""

    def __init__(self, held: Possession | None = None) -> None:
        """`held`: the run-dir, where this process is the one to make it again."""
        self._held = held
        self._trouble = ""

    def look(self, *parts: Restorable) -> None:
        """The run-dir itself first: nothing is put into one that is not ours any more."""
        gone: list[str] = []
        troubles: list[str] = []
        try:
            gone += self._held.restore() if self._held else ()
        except StartFailed as error:
            self._say_trouble(str(error))
            return
        for part in parts:
            try:
                gone += part.restore()
            except OSError as error:  # the others may be in luck
                troubles.append(str(error))
        self._say_trouble("; ".join(troubles))
        if gone:
            _log.warning(
                "somebody removed from the run-dir what is in use: %s. All is there again, and clients noticed nothing; "
                "take the run-dir out of what is cleaned (tmpfiles.d, a cron job)",
                ", ".join(gone),
            )

    def _say_trouble(self, text: str) -> None:
        if text and text != self._trouble:
            _log.error("what somebody removed cannot be made again: %s. It is tried again and again", text)
        self._trouble = text
