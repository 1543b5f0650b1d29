"""What others publish and objects name by its address: asked for, kept, and asked for again.

Each source has a task of its own. What was had last holds while a source does not answer, also for the process that comes next.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, KeysView, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from mizzen.errors import Problem
from mizzen.lazy import dataclass
from mizzen.sources.fetching import Unfetched
from mizzen.sources.state_file import StateFile

FIRST_SECONDS = 5.0  # how long a start waits for what is asked for the first time
RETRY_SECONDS, LONGEST_RETRY_SECONDS = 1.0, 60.0  # while a source does not answer; doubled each time
_AT_ONCE = 16  # sources that are being asked

_log = logging.getLogger(__name__)


class Source(Protocol):
    """Where something is published."""

    @property
    def key(self) -> str:
        """What tells it from others."""

    @property
    def url(self) -> str:
        """What a log calls it."""

    @property
    def refresh(self) -> timedelta | None:
        """It is asked again so often; None: not once it has answered."""

    @property
    def is_asked_anew(self) -> bool:
        """Is it asked although it is known what is there?"""


S = TypeVar("S", bound=Source)
C = TypeVar("C")  # what is published
F = TypeVar("F")  # the same, or why it cannot be had


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[C, F]):
    """What is fetched."""

    told: Callable[[C | None, str], F]  # what is had now, and why it cannot be had any more
    dump: Callable[[C], Mapping[str, Any]]  # for a file of JSON
    load: Callable[[Mapping[str, Any]], C]  # raises KeyError, TypeError, ValueError
    held: timedelta | None = None  # for so long it holds when it cannot be had any more; None: for ever
    most: int  # sources that are asked
    too_many: str  # why no others are
    size: Callable[[C], int] = lambda _: 0
    most_bytes: int = 0  # of all together; 0: no matter


class Following(Generic[S, C, F]):
    """What is `found` at the sources that are wanted; the map is another one whenever something of it has changed.

    Where there is no room for all, those that are listed first go before others.
    """

    def __init__(
        self,
        kind: Kind[C, F],
        fetch: Callable[[S], Awaitable[C]],
        on_change: Callable[[], object],
        clock: Callable[[], datetime],
        kept: StateFile | None = None,
    ) -> None:
        self.found: Mapping[str, F] = {}
        self._kind = kind
        self._too_many = kind.told(None, kind.too_many)
        self._fetch, self._on_change, self._clock, self._kept = fetch, on_change, clock, kept
        self._sources: dict[str, S] = {}
        self._beyond: KeysView[str] = {}.keys()  # of sources that are too many
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._had: dict[str, tuple[C, datetime]] = {}  # what there was at a source, and when
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._asked = asyncio.Condition()  # something has been asked for the first time
        self._pending: set[str] = set()
        self._load()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """That what is to be kept is not."""
        return self._kept.problems if self._kept is not None else ()

    def want(self, sources: Iterable[S]) -> None:
        """These are wanted from now on, and no others."""
        listed = [(source.key, source) for source in sources]
        wanted, beyond = dict(listed[: self._kind.most]), dict(listed[self._kind.most :]).keys()
        if wanted == self._sources and beyond == self._beyond:
            return
        gone = self._sources.keys() - wanted.keys()
        changed = {key for key, source in wanted.items() if self._sources.get(key) != source}
        self._sources = wanted
        if self._kind.most_bytes:
            self._had = {key: one for key, one in self._had.items() if key not in gone}
        for key in gone | changed:
            if task := self._tasks.pop(key, None):
                task.cancel()
        before = {key: one for key, one in self.found.items() if key in wanted and one is not self._too_many}
        new = changed - before.keys()
        held = {key: content for key in new if (content := self._holding(key)) is not None}
        known = {key: self._kind.told(content, "") for key, content in held.items()}
        self._pending = (self._pending - gone) | (new - known.keys())
        found = {**before, **known, **dict.fromkeys(beyond, self._too_many)}
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

    async def _follow(self, source: S) -> None:
        """Ask, and ask again: sooner while it does not answer."""
        if not source.is_asked_anew and self._holding(source.key) is not None:
            return
        retry = RETRY_SECONDS
        while True:
            has_answered = await self._ask(source)
            async with self._asked:
                self._pending.discard(source.key)
                self._asked.notify_all()
            if has_answered and source.refresh is None:
                return
            longest = LONGEST_RETRY_SECONDS if source.refresh is None else source.refresh.total_seconds()
            wait = longest if has_answered else min(retry, longest)
            retry = RETRY_SECONDS if has_answered else min(retry * 2, LONGEST_RETRY_SECONDS)
            await asyncio.sleep(wait)

    async def _ask(self, source: S) -> bool:
        """Has it answered?"""
        try:
            async with self._gate:
                self._came(source.key, await self._fetch(source))
        except Unfetched as why:
            self._failed(source.key, str(why))
            return False
        except Exception:  # noqa: BLE001  # a fault of ours is one source's alone
            _log.exception("what is at %s cannot be fetched", source.url)
            self._failed(source.key, "it cannot be asked, for a fault of mizzen")
            return False
        return True

    def _came(self, key: str, content: C) -> None:
        """Unfetched where there is no room for it beside those that are listed before it."""
        before = self._had.get(key)
        self._had[key] = (content, self._clock())
        beyond = self._beyond_bounds()
        if key in beyond:
            del self._had[key]
            if before is not None:
                self._had[key] = before
            raise Unfetched(self._too_large)
        for other in beyond:
            del self._had[other]
            self._failed(other, self._too_large)
            self._tasks[other].cancel()
            self._tasks[other] = asyncio.create_task(self._follow(self._sources[other]))
        self._update(key, self._kind.told(content, ""))
        self._save()

    def _beyond_bounds(self) -> list[str]:
        """The sources whose content has no room beside that of those that are listed before them."""
        total, beyond = 0, []
        for key in self._sources if self._kind.most_bytes else ():
            if key in self._had:
                size = self._kind.size(self._had[key][0])
                if total + size > self._kind.most_bytes:
                    beyond.append(key)
                else:
                    total += size
        return beyond

    @property
    def _too_large(self) -> str:
        return f"together with others it has more than {self._kind.most_bytes // 2**20} MB"

    def _failed(self, key: str, why: str) -> None:
        self._update(key, self._kind.told(self._holding(key), why))

    def _holding(self, key: str) -> C | None:
        """What was had of a source, if that was not too long ago."""
        if (had := self._had.get(key)) is None:
            return None
        content, at = had
        return content if self._kind.held is None or self._clock() - at <= self._kind.held else None

    def _update(self, key: str, found: F) -> None:
        if self.found.get(key) != found:
            self._set({**self.found, key: found})

    def _set(self, found: Mapping[str, F]) -> None:
        self.found = found
        self._on_change()

    # --- what is kept ------------------------------------------------------------------------------

    def _load(self) -> None:
        if self._kept is None or (kept := self._kept.load()) is None:
            return
        try:
            self._had = {key: (self._kind.load(one), _time(one["at"])) for key, one in kept.items()}
        except (AttributeError, KeyError, TypeError, ValueError):
            self._kept.ignore("it does not say what was fetched")

    def _save(self) -> None:
        if self._kept is not None:
            had = {key: one for key, one in self._had.items() if key in self._sources}
            dump = self._kind.dump
            self._kept.save({key: {**dump(one), "at": at.isoformat()} for key, (one, at) in had.items()})


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("no time")
    return at
