"""Keys of tokens that issuers publish: asked for, kept, and asked for again.

Each source has a task of its own. What was had last holds while a source does not answer, for a week at most, also for the
process that comes next.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, KeysView, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from mizzen.errors import Problem
from mizzen.model.token import KeySource
from mizzen.resolve.access.key_sources import key_sources
from mizzen.resolve.context import FetchedKeys
from mizzen.resolve.proxies.gateways import switches_of
from mizzen.resources.world import World
from mizzen.sources.fetching import Unfetched
from mizzen.sources.state_file import StateFile

FIRST_SECONDS = 5.0  # how long a start waits for what is asked for the first time
RETRY_SECONDS, LONGEST_RETRY_SECONDS = 1.0, 60.0  # while a source does not answer; doubled each time
HELD = timedelta(days=7)  # Istio's: for so long keys hold that cannot be had any more
MOST = 1_000  # sources that are asked
_TOO_MANY = FetchedKeys(why=f"more than {MOST:,} addresses of keys are named, and it is not asked")
_AT_ONCE = 16  # sources that are being asked

_log = logging.getLogger(__name__)


class KeySets:
    """What is `found` at the sources that are wanted; the map is another one whenever something of it has changed."""

    def __init__(
        self,
        fetch: Callable[[KeySource], Awaitable[str]],
        on_change: Callable[[], object],
        clock: Callable[[], datetime],
        kept: StateFile | None = None,
    ) -> None:
        self.found: Mapping[str, FetchedKeys] = {}
        self._fetch, self._on_change, self._clock, self._kept = fetch, on_change, clock, kept
        self._sources: dict[str, KeySource] = {}
        self._beyond: KeysView[str] = {}.keys()  # of sources that are too many
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._had: dict[str, tuple[str, datetime]] = {}  # the text of a source, and when it was had
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._asked = asyncio.Condition()  # something has been asked for the first time
        self._pending: set[str] = set()
        self._load()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """That what is to be kept is not."""
        return self._kept.problems if self._kept is not None else ()

    def want(self, sources: Iterable[KeySource]) -> None:
        """These are wanted from now on, and no others."""
        listed = [(source.key, source) for source in sources]
        wanted, beyond = dict(listed[:MOST]), dict(listed[MOST:]).keys()
        if wanted == self._sources and beyond == self._beyond:
            return
        gone = self._sources.keys() - wanted.keys()
        changed = {key for key, source in wanted.items() if self._sources.get(key) != source}
        self._sources = wanted
        for key in gone | changed:
            if task := self._tasks.pop(key, None):
                task.cancel()
        before = {key: one for key, one in self.found.items() if key in wanted and one is not _TOO_MANY}
        new = changed - before.keys()
        known = {key: FetchedKeys(text=text) for key in new if (text := self._holding(key))}
        self._pending = (self._pending - gone) | (new - known.keys())
        found = {**before, **known, **dict.fromkeys(beyond, _TOO_MANY)}
        if found != self.found:
            self._set(found)
        self._beyond = beyond
        for key in changed:
            self._tasks[key] = asyncio.create_task(self._follow(wanted[key]))

    async def asked_once(self, seconds: float = FIRST_SECONDS) -> bool:
        """Wait until each source has been asked, or so long. Was there one to wait for?"""
        if not self._pending:
            return False
        async with self._asked:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait_for(lambda: not self._pending), seconds)
        return True

    async def stop(self) -> None:
        tasks = tuple(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- one source --------------------------------------------------------------------------------

    async def _follow(self, source: KeySource) -> None:
        """Ask, and ask again: sooner while it does not answer."""
        retry = RETRY_SECONDS
        while True:
            try:
                async with self._gate:
                    text = await self._fetch(source)
            except Unfetched as why:
                self._failed(source.key, str(why))
                wait, retry = retry, min(retry * 2, LONGEST_RETRY_SECONDS)
            except Exception:  # noqa: BLE001  # a fault of ours is one source's alone
                _log.exception("the keys at %s cannot be fetched", source.url)
                self._failed(source.key, "it cannot be asked, for a fault of mizzen")
                wait, retry = retry, min(retry * 2, LONGEST_RETRY_SECONDS)
            else:
                self._came(source.key, text)
                wait, retry = source.refresh.total_seconds(), RETRY_SECONDS
            async with self._asked:
                self._pending.discard(source.key)
                self._asked.notify_all()
            await asyncio.sleep(min(wait, source.refresh.total_seconds()))

    def _came(self, key: str, text: str) -> None:
        self._had[key] = (text, self._clock())
        self._update(key, FetchedKeys(text=text))
        self._save()

    def _failed(self, key: str, why: str) -> None:
        self._update(key, FetchedKeys(text=self._holding(key), why=why))

    def _holding(self, key: str) -> str:
        """What was had of a source, if that was not too long ago."""
        text, at = self._had.get(key, ("", None))
        return text if at is not None and self._clock() - at <= HELD else ""

    def _update(self, key: str, found: FetchedKeys) -> None:
        if self.found.get(key) != found:
            self._set({**self.found, key: found})

    def _set(self, found: Mapping[str, FetchedKeys]) -> None:
        self.found = found
        self._on_change()

    # --- what is kept ------------------------------------------------------------------------------

    def _load(self) -> None:
        if self._kept is None or (kept := self._kept.load()) is None:
            return
        try:
            self._had = {key: _read(one) for key, one in kept.items()}
        except (AttributeError, KeyError, TypeError, ValueError):
            self._kept.ignore("it does not say what keys there were")

    def _save(self) -> None:
        if self._kept is not None:
            had = {key: one for key, one in self._had.items() if key in self._sources}
            self._kept.save({key: {"text": text, "at": at.isoformat()} for key, (text, at) in had.items()})


def _read(kept: Any) -> tuple[str, datetime]:
    text, at = kept["text"], datetime.fromisoformat(kept["at"])
    if not isinstance(text, str) or at.tzinfo is None:
        raise ValueError("no text with a time")
    return text, at


def wanted_sources(world: World, environment: Mapping[str, str]) -> tuple[KeySource, ...]:
    """Those that the RequestAuthentications of a world name, as the switches of its mesh say."""
    return key_sources(world, switches_of(world.operators, environment))
