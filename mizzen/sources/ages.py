"""How old objects of files are. The time is handed in.

Of two objects that want the same thing, a host of a port for example, Istio lets the older one have it, by
metadata.creationTimestamp. An API server sets that; in files it is seldom written, and then names decide, so
that a new object could take away what another one has been serving. While a control plane serves, it is the API
server: what it finds later was created later. What it found when it first started is equally old.
"""

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from datetime import UTC, datetime
from typing import Any

from mizzen.lazy import dataclass
from mizzen.resources.kinds import group_of
from mizzen.resources.raw_objects import RawObject
from mizzen.sources.listing import Difference
from mizzen.sources.state_file import StateFile
from mizzen.sources.versions import Key, key_of

STDIN_NAME = "stdin"  # how places in standard input are told
_KEPT_AT_ONCE = 200  # objects; more are written down when there is time, by who calls `keep`
_FIELD = "creationTimestamp"


@dataclass(frozen=True, slots=True)
class Age:
    """Since when an object is there ("": nobody knows), and in which file it was last."""

    created: str
    file: str


@dataclass(slots=True)
class Ages:
    """Remembers when each object was seen first. `kept`: for the next process."""

    kept: StateFile
    known: dict[Key, Age] = field(default_factory=dict)
    # Of the objects that are there, one for each.
    _files: dict[Key, tuple[str, ...]] = field(default_factory=dict)
    _away: set[Key] = field(default_factory=set)  # known, and not there
    is_behind: bool = False  # what is kept is not what is known
    _has_begun: bool = False

    def __post_init__(self) -> None:
        stored = self.kept.load()
        if stored is not None:
            try:
                self.known = dict(_restored(*entry) for entry in stored["first_seen"])
                self._has_begun = True
            except (KeyError, TypeError, ValueError):
                self.kept.ignore("its content is not ours")
        self._away = set(self.known)

    def follow(
        self, changed: Difference, is_hidden: Callable[[str], bool], now: datetime
    ) -> dict[int, RawObject]:
        """The objects that are added, by their id(), each with the time at which it was seen first in its metadata.

        Args:
            changed: what differs from the call before; what is new, edited, moved or gone.
            is_hidden: may this file hold more than can be read of it? Then what was in it is not forgotten.
            now: what those get that were not there before.
        """
        stamped: dict[int, RawObject] = {}
        ages: dict[Key, Age | None] = {}  # as they were
        for raw in changed.added:
            key = key_of(raw)
            before = self.known.get(key)
            ages.setdefault(key, before)
            self.known[key] = before or Age(self._first_seen(raw, now), "")
            self._files[key] = (*self._files.get(key, ()), raw.ref.place().file)
            self._away.discard(key)
            stamped[id(raw)] = _with(raw, self.known[key].created)
        for raw in changed.gone:
            ages.setdefault(key_of(raw), self.known[key_of(raw)])
            self._take_away(raw)
        for key in ages.keys() & self._files.keys():
            last = max(self._files[key], key=lambda file: (file != STDIN_NAME, file))  # as a listing has them
            self.known[key] = Age(self.known[key].created, last)
        forgotten = {key for key in self._away if not is_hidden(self.known[key].file)}
        for key in forgotten:
            del self.known[key]
        self._away -= forgotten
        is_other = bool(forgotten) or any(self.known.get(key) != age for key, age in ages.items())
        self.is_behind = self.is_behind or is_other or self.kept.is_behind
        self._has_begun = True
        if len(self.known) <= _KEPT_AT_ONCE:
            self.keep()
        return stamped

    def _take_away(self, raw: RawObject) -> None:
        key = key_of(raw)
        files = list(self._files.pop(key))
        files.remove(raw.ref.place().file)
        if files:
            self._files[key] = tuple(files)
        else:
            self._away.add(key)

    def keep(self) -> None:
        """Write it down, if it `is_behind`."""
        if self.is_behind:
            rows = [[*key[1:], age.created, age.file, key[0]] for key, age in self.known.items()]
            self.kept.save({"first_seen": sorted(rows)})
            self.is_behind = self.kept.is_behind

    def _first_seen(self, raw: RawObject, now: datetime) -> str:
        """What is written in a file may make an object younger, never older than the control plane knows it."""
        written = _written(raw)
        if not self._has_begun:
            return written
        moment = _moment(written)
        return written if moment and moment > now else now.isoformat()


def _restored(
    kind: Any, namespace: Any, name: Any, created: Any, file: Any, group: Any = None
) -> tuple[Key, Age]:
    """TypeError: this was not written by `stamp`. Once no group was written; then it is that of the kind we read."""
    key = (group_of(kind, "") if group is None else group, kind, namespace, name)
    return key, _age(created, file)


def _age(created: Any, file: Any) -> Age:
    if not isinstance(created, str) or not isinstance(file, str) or (created and not _moment(created)):
        raise TypeError("no age")
    return Age(created, file)


def _metadata(raw: RawObject) -> Mapping[str, Any] | None:
    metadata = raw.data.get("metadata")
    return metadata if isinstance(metadata, dict) else None


def _written(raw: RawObject) -> str:
    """The creationTimestamp of a file, where that is a time."""
    value = (_metadata(raw) or {}).get(_FIELD)
    return value if isinstance(value, str) and _moment(value) else ""


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _with(raw: RawObject, created: str) -> RawObject:
    """`raw` as an API server would give it."""
    metadata = _metadata(raw)
    if metadata is None or _written(raw) == created or (metadata.get(_FIELD) and not _written(raw)):
        return raw  # what is no time there is a problem of its own
    if not created:
        metadata = {key: value for key, value in metadata.items() if key != _FIELD}
    else:
        metadata = {**metadata, _FIELD: created}
    return replace(raw, data={**raw.data, "metadata": metadata}, digest=f"{raw.digest}@{created}")
