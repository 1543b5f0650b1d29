"""How old objects of files are. Pure: the time is handed in.

Of two objects that want the same thing, a host of a port for example, Istio lets the older one have it, by
metadata.creationTimestamp. An API server sets that; in files it is seldom written, and then names decide, so
that a new object could take away what another one has been serving. While a control plane serves, it is the API
server: what it finds later was created later. What it found when it first started is equally old.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from mizzen.resources.kinds import group_of
from mizzen.resources.yaml import RawObject
from mizzen.sources.state_file import StateFile
from mizzen.sources.versions import Key, key_of

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
    _done: dict[Key, "_Stamped"] = field(default_factory=dict)  # so that only what has changed is made anew
    _has_begun: bool = False

    def __post_init__(self) -> None:
        stored = self.kept.load()
        if stored is None:
            return
        try:
            self.known = dict(_restored(*entry) for entry in stored["first_seen"])
            self._has_begun = True
        except (KeyError, TypeError, ValueError):
            self.kept.ignore("its content is not ours")

    def stamp(
        self, objects: Iterable[RawObject], is_hidden: Callable[[str], bool], now: datetime
    ) -> tuple[RawObject, ...]:
        """The objects, each with the time at which it was seen first in its metadata.

        Args:
            objects: all there are.
            is_hidden: may this file hold more than can be read of it? Then what was in it is not forgotten.
            now: what those get that were not there before.
        """
        found: dict[Key, Age] = {}
        made: dict[Key, _Stamped] = {}
        stamped = []
        for raw in objects:
            key = key_of(raw)
            age = found.get(key) or self.known.get(key) or Age(self._first_seen(raw, now), "")
            done = self._done.get(key)
            if done is None or done.raw is not raw or done.age.created != age.created:
                age = Age(age.created, raw.ref.place().file)
                done = _Stamped(raw, age, _with(raw, age.created))
            found[key], made[key] = done.age, done
            stamped.append(done.stamped)
        for key, age in self.known.items():
            if key not in found and is_hidden(age.file):
                found[key] = age
        if found != self.known or self.kept.is_behind:
            self.kept.save(
                {
                    "first_seen": sorted(
                        [*key[1:], age.created, age.file, key[0]] for key, age in found.items()
                    )
                }
            )
        self.known, self._done, self._has_begun = found, made, True
        return tuple(stamped)

    def _first_seen(self, raw: RawObject, now: datetime) -> str:
        """What is written in a file may make an object younger, never older than the control plane knows it."""
        written = _written(raw)
        if not self._has_begun:
            return written
        moment = _moment(written)
        return written if moment and moment > now else now.isoformat()


@dataclass(frozen=True, slots=True)
class _Stamped:
    """What became of an object."""

    raw: RawObject
    age: Age
    stamped: RawObject


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
