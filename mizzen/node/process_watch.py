"""Watches a child: says when it falls silent, kills it when it hangs, and says when its descriptors run short."""

import logging
import signal
import time

from mizzen.node import process_facts
from mizzen.node.child_process import Child
from mizzen.node.hang_detection import Look, Silence, Verdict
from mizzen.node.restarting_process import Keeper

_DESCRIPTOR_SECONDS = 2.0  # between two counts

_log = logging.getLogger(__name__)


class Watch:
    """Of one keeper's child, and those who follow it. Who is killed is started again by the keeper."""

    def __init__(self, keeper: Keeper, patience: float) -> None:
        """`patience`: seconds of silence after which a child is killed."""
        self._keeper = keeper
        self._silence = Silence(patience=patience)
        self._child: Child | None = None
        self._ticks = 0
        self._counted = 0.0
        self._is_short = False

    def look(self, answered: bool | None = None) -> None:
        """Judge the child. `answered`: whether it did, just now; None: it is never asked anything."""
        child = self._keeper.child
        if child is None or not child.is_running:
            return
        if child is not self._child:
            self._child, self._ticks, self._is_short = child, 0, False
            self._silence.on_start()
        seen = process_facts.look(child.pid)
        look = Look(
            answered=not seen.is_stopped if answered is None else answered,
            is_stopped=seen.is_stopped,
            is_busy=seen.ticks > self._ticks,
            is_excused=seen.is_traced or self._is_short,
        )
        self._ticks = seen.ticks
        self._act(child, look, self._silence.hear(look, time.monotonic()))
        self._count(child)

    def _act(self, child: Child, look: Look, verdict: Verdict) -> None:
        name, silence = f"{self._keeper.command.name} (pid {child.pid})", self._silence
        match verdict:
            case Verdict.SILENT:
                why = (
                    f": somebody stopped it, and 'kill -CONT {child.pid}' lets it go on"
                    if look.is_stopped
                    else ""
                )
                _log.warning(
                    "%s has not answered for %.0f s%s; if it stays silent for %.0f s, it is killed and started again",
                    *(name, silence.seconds, why, silence.patience),
                )
            case Verdict.HUNG:
                _log.error(
                    "%s has not answered for %.0f s: it is killed, and started again", name, silence.seconds
                )
                child.send(signal.SIGKILL)
                silence.on_start()  # until it has ended
            case Verdict.BACK:
                _log.warning("%s answers again, after %.0f s", name, silence.seconds)
                silence.seconds = 0.0
            case Verdict.NOTHING_NEW:
                pass

    def _count(self, child: Child) -> None:
        now = time.monotonic()
        if now - self._counted < _DESCRIPTOR_SECONDS:
            return
        self._counted = now
        found = process_facts.descriptors(child.pid)
        if found is None or found.are_short == self._is_short:
            return
        self._is_short = found.are_short
        if found.are_short:
            _log.warning(
                "%s has %d of at most %d files and connections open: it will soon take no more; start mizzen with a "
                "higher limit ('ulimit -n', or LimitNOFILE= of systemd)",
                *(self._keeper.command.name, found.used, found.limit),
            )
        else:
            _log.warning("%s has file descriptors to spare again", self._keeper.command.name)
