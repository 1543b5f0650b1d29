"""Steps that remember what they gave, and what they looked at.

A step is a function of a context and of some hashable arguments. While it runs, everything that it looks at is
noted: facts (an object of a kind by its key, all objects of a kind) and the results of other steps. Its result
is kept until one of these has changed; a step whose new result equals the old one has not changed, so whoever
looked at it is not run again. A change therefore costs the steps that depend on it, however many others there are.

Collections go by difference: `mapped` runs a step for each entry of a PersistentMap, `grouped` and `flattened` gather
what these steps give. Where one entry has changed, one entry is made anew.

Whether something was remembered changes no result, as long as steps depend on nothing but what is noted.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from enum import IntEnum
from typing import Any

from mizzen.errors import Problem
from mizzen.gathering import reflattened, regrouped, renested
from mizzen.guard import is_fault
from mizzen.persistent import PersistentMap

Fact = Hashable
Step = tuple[Any, ...]  # (function, *arguments)

# Of what follows from a fault of ours: it is tried again at the next change.
_RAISED: Fact = ("raised",)
_NOTHING: PersistentMap[Any, Any] = PersistentMap()


class Observed(Mapping[Any, Any]):
    """A map that tells which of its keys are looked up: (name, key), or (name,) for all."""

    __slots__ = ("_look", "_map", "_name")

    def __init__(self, name: str, of: PersistentMap[Any, Any], look: Callable[[Fact], None]) -> None:
        self._name, self._map, self._look = name, of, look

    def __getitem__(self, key: Any) -> Any:
        self._look((self._name, key))
        return self._map[key]

    def get(self, key: Any, default: Any = None) -> Any:
        self._look((self._name, key))
        return self._map.get(key, default)

    def __contains__(self, key: object) -> bool:
        self._look((self._name, key))
        return key in self._map

    def __iter__(self) -> Iterator[Any]:
        self._look((self._name,))
        return iter(self._map)

    def __len__(self) -> int:
        self._look((self._name,))
        return len(self._map)


class _State(IntEnum):
    CLEAN = 0
    DOUBTFUL = 1  # a step that it looked at may give something else
    DIRTY = 2


class _Result:
    """What a step gave."""

    __slots__ = ("collection", "facts", "given", "state", "value")

    def __init__(self) -> None:
        self.value: Any = None
        self.collection: Step | None = None  # whose step it is: that alone asks for it
        self.given: Any = None  # the value of its entry there
        self.facts: tuple[Fact, ...] = ()  # in the order in which they were looked at
        self.state = _State.DIRTY


class _Collection(_Result):
    """The results of one step for the entries of a map."""

    __slots__ = ("changed", "source")

    def __init__(self) -> None:
        super().__init__()
        self.source = self.value = _NOTHING
        self.changed: set[Any] = set()  # keys whose steps may give something else


class _Frame:
    """A step that runs."""

    __slots__ = ("facts", "problems")

    def __init__(self) -> None:
        self.facts: dict[Fact, None] = {}
        self.problems: dict[Problem, None] = {}


class Steps:
    """The results of steps. Of one thread; once something was raised out of it, it is to be thrown away."""

    def __init__(self) -> None:
        self._results: dict[Step, _Result] = {}
        self._readers: dict[Fact, set[Step]] = {}
        self._told: dict[Step, tuple[Problem, ...]] = {}
        self._gathered: dict[Step, tuple[PersistentMap[Any, Any], PersistentMap[Any, Any]]] = {}
        # By name, what was published last, and what steps see of it.
        self._published: dict[str, tuple[PersistentMap[Any, Any], PersistentMap[Any, Any]]] = {}
        self._united: dict[str, tuple[tuple[PersistentMap[Any, Any], ...], PersistentMap[Any, Any]]] = {}
        self._keys: dict[str, tuple[PersistentMap[Any, Any], PersistentMap[Any, bool]]] = {}
        self._stable: dict[str, Any] = {}
        self._frames: list[_Frame] = []
        self.runs = 0  # how many steps have run, ever
        # Where steps look up what follows from many objects: the root puts it in, anew each time.
        self.views: dict[str, Any] = {}

    # --- from outside -------------------------------------------------------------------------------

    def begin(self, changed: Iterable[Fact]) -> None:
        """These facts are others now. What looked at them is run again when it is asked for."""
        self._change((*changed, _RAISED))

    def _change(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            for step in tuple(self._readers.get(fact, ())):
                self._soil(step, _State.DIRTY)

    @property
    def has_faults(self) -> bool:
        """Does something follow from a fault of mizzen, which may be gone the next time?"""
        return _RAISED in self._readers

    def root(self, function: Callable[..., Any], context: Any) -> Any:
        """Run `function(context)`, whatever it looked at: all results that are in use follow from it."""
        return self._run(context, (function,), ()).value

    def problems(self) -> Iterator[Problem]:
        """What the steps whose results are in use have reported."""
        for problems in self._told.values():
            yield from problems

    # --- from within the root -----------------------------------------------------------------------

    def published(self, name: str, entries: PersistentMap[Any, Any]) -> Mapping[Any, Any]:
        """A view of `entries` in which steps may look up some: each key is a fact of its own.

        To be called by the root alone, before the steps that use it: what differs from the last time is a changed fact.
        Entries that are equal to those of the last time are the same.
        """
        earlier, before = self._published.get(name, (_NOTHING, _NOTHING))
        difference = entries.difference(earlier)
        changed = {
            key: value
            for key, value in difference.changed.items()
            if key not in before or not _is_equal(before[key], value)
        }
        after = before.updated(changed, difference.removed)
        self._published[name] = (entries, after)
        if after is not before:
            self._change(((name,), *((name, key) for key in (*changed, *difference.removed))))
        return Observed(name, after, self.look)

    def stable(self, name: str, value: Any) -> Any:
        """The value of the last time under this name where it is equal to this one."""
        before = self._stable.get(name, value)
        same = before if _is_same(before, value) or _is_equal(before, value) else value
        self._stable[name] = same
        return same

    def keys_of(self, name: str, entries: PersistentMap[Any, Any]) -> PersistentMap[Any, bool]:
        """The keys of a map, by difference to the last time under this name: the same as long as none comes or goes."""
        before, keys = self._keys.get(name, (_NOTHING, _NOTHING))
        difference = entries.difference(before)
        after: PersistentMap[Any, bool] = keys.updated(
            dict.fromkeys(difference.changed, True), difference.removed
        )
        self._keys[name] = (entries, after)
        return after

    def united(self, name: str, *maps: PersistentMap[Any, Any]) -> PersistentMap[Any, Any]:
        """(position of the map, key) -> value of several maps, by difference to the last time under this name."""
        nothing = (_NOTHING,) * len(maps)
        before, entries = self._united.get(name, (nothing, _NOTHING))
        changed: dict[Any, Any] = {}
        removed: list[Any] = []
        for position, (old, new) in enumerate(zip(before, maps, strict=True)):
            difference = new.difference(old)
            changed |= {(position, key): value for key, value in difference.changed.items()}
            removed += [(position, key) for key in difference.removed]
        entries = entries.updated(changed, removed)
        self._united[name] = (maps, entries)
        return entries

    # --- from within steps --------------------------------------------------------------------------

    def look(self, fact: Fact) -> None:
        """The running step goes by this fact."""
        if self._frames:
            self._frames[-1].facts[fact] = None

    def report(self, problem: Problem) -> None:
        """The running step tells of a problem: told for as long as its result is in use. After a fault of mizzen it is tried
        again at the next change, whatever that is."""
        self._frames[-1].problems[problem] = None
        if is_fault(problem):
            self.look(_RAISED)

    def value(self, function: Callable[..., Any], context: Any, *arguments: Hashable) -> Any:
        """`function(context, *arguments)`, or what it gave before."""
        step = (function, *arguments)
        self.look(step)
        result = self._results.get(step)
        if result is None or result.state is not _State.CLEAN:
            self._refresh(context, step)
            result = self._results[step]
        return result.value

    def mapped(
        self, function: Callable[..., Any], context: Any, source: PersistentMap[Any, Any]
    ) -> PersistentMap[Any, Any]:
        """Key -> `function(context, key, value)` for each entry of `source`."""
        step = (_MAPPED, function)
        self.look(step)
        result = self._results.get(step)
        if result is None:
            result = self._results[step] = _Collection()
        assert isinstance(result, _Collection)
        self._refresh_collection(context, step, result, source)
        return result.value  # type: ignore[no-any-return]

    def grouped(
        self, function: Callable[..., Any], context: Any, source: PersistentMap[Any, Any]
    ) -> PersistentMap[Any, Mapping[Any, Any]]:
        """Group -> key -> item, where `function(context, key, value)` gives group -> item."""
        mapped = self.mapped(function, context, source)
        return self._gather((_GROUPED, function), mapped, regrouped)

    def flattened(
        self, function: Callable[..., Any], context: Any, source: PersistentMap[Any, Any]
    ) -> PersistentMap[Any, Any]:
        """Name -> item, where `function(context, key, value)` gives name -> item. No name may come twice."""
        mapped = self.mapped(function, context, source)
        return self._gather((_FLATTENED, function), mapped, reflattened)

    def nested(
        self, function: Callable[..., Any], context: Any, source: PersistentMap[Any, Any]
    ) -> PersistentMap[Any, PersistentMap[Any, Any]]:
        """Outer -> inner -> item, where `function(context, key, value)` gives (outer, inner) -> item. No pair
        may come twice."""
        mapped = self.mapped(function, context, source)
        return self._gather((_NESTED, function), mapped, renested)

    def _gather(
        self,
        step: Step,
        mapped: PersistentMap[Any, Any],
        gather: Callable[[PersistentMap[Any, Any], PersistentMap[Any, Any], PersistentMap[Any, Any]], Any],
    ) -> PersistentMap[Any, Any]:
        """By difference to what was gathered before. It lives as long as the collection that it is made of."""
        before, gathered = self._gathered.get(step, (_NOTHING, _NOTHING))
        if mapped is not before:
            gathered = gather(gathered, before, mapped)
            self._gathered[step] = (mapped, gathered)
        return gathered

    # --- running ------------------------------------------------------------------------------------

    def _refresh(self, context: Any, step: Step) -> None:
        """Make sure that the result of a step is what it would give now."""
        result = self._results.get(step)
        if isinstance(result, _Collection):
            self._refresh_collection(context, step, result, result.source)
        elif result is None or not self._is_clean(context, result):
            self._run(context, step, step[1:])

    def _is_clean(self, context: Any, result: _Result) -> bool:
        """Whether everything that a step looked at is as it was; steps among it are refreshed, in its order."""
        if result.state is _State.DOUBTFUL:
            for fact in result.facts:
                looked_at = self._results.get(fact)  # type: ignore[call-overload]
                if looked_at is not None and looked_at.state is not _State.CLEAN:
                    self._refresh(context, fact)  # type: ignore[arg-type]
                    if _is_dirty(result):
                        return False
            result.state = _State.CLEAN
        return result.state is _State.CLEAN

    def _refresh_collection(
        self, context: Any, step: Step, result: _Collection, source: PersistentMap[Any, Any]
    ) -> None:
        if source is result.source and not result.changed:
            result.state = _State.CLEAN
            return
        function = step[1]
        difference = source.difference(result.source)
        todo = dict(difference.changed)
        todo |= {key: source[key] for key in result.changed - todo.keys() if key in source}
        made = {key: self._entry(context, step, (function, key), value) for key, value in todo.items()}
        for key in difference.removed:
            self._drop((function, key))
        value = result.value.updated(made, difference.removed)
        result.source, result.state = source, _State.CLEAN
        result.changed = set()
        if value is not result.value:
            result.value = value
            self._soil_readers(step, result, _State.DIRTY)

    def _entry(self, context: Any, collection: Step, step: Step, given: Any) -> Any:
        """What the step of one entry gives."""
        result = self._results.get(step)
        if result is None or not _is_same(result.given, given) or not self._is_clean(context, result):
            result = self._run(context, step, (step[1], given))
            result.collection = collection
        result.given = given
        return result.value

    def _run(self, context: Any, step: Step, arguments: Iterable[Any]) -> _Result:
        """Run a step, and take in what it gave."""
        frame = _Frame()
        self._frames.append(frame)
        self.runs += 1
        try:
            value = step[0](context, *arguments)
        except BaseException:
            self._frames.pop()
            self._drop(step)
            self.look(_RAISED)
            raise
        self._frames.pop()
        result = self._results.get(step)
        is_new = result is None
        if result is None:
            result = self._results[step] = _Result()
        before, result.facts = result.facts, tuple(frame.facts)
        for fact in frame.facts:
            readers = self._readers.get(fact)
            if readers is None:
                readers = self._readers[fact] = set()
            readers.add(step)
        for fact in before:
            if fact not in frame.facts:
                self._let_go(fact, step)
        if frame.problems:
            self._told[step] = tuple(frame.problems)
        else:
            self._told.pop(step, None)
        result.state = _State.CLEAN
        if is_new or not _is_equal(result.value, value):
            result.value = value
            self._soil_readers(step, result, _State.DIRTY)
        return result

    # --- what follows from a change -----------------------------------------------------------------

    def _soil(self, step: Step, state: _State) -> None:
        result = self._results.get(step)
        if result is None:
            return
        was, result.state = result.state, max(result.state, state)
        if was is _State.CLEAN:
            self._soil_readers(step, result, _State.DOUBTFUL)

    def _soil_readers(self, step: Step, result: _Result, state: _State) -> None:
        if result.collection is None:
            for reader in tuple(self._readers.get(step, ())):
                self._soil(reader, state)
            return
        collection = self._results.get(result.collection)
        if isinstance(collection, _Collection):
            collection.changed.add(step[1])
            self._soil(result.collection, _State.DOUBTFUL)

    def _let_go(self, fact: Fact, reader: Step) -> None:
        """A step looks at this no more. What nobody looks at is forgotten."""
        readers = self._readers.get(fact)
        if readers is None:
            return
        readers.discard(reader)
        if not readers:
            del self._readers[fact]
            if fact in self._results:
                self._drop(fact)

    def _drop(self, step: Step) -> None:
        result = self._results.pop(step, None)
        self._told.pop(step, None)
        if result is None:
            return
        for fact in result.facts:
            self._let_go(fact, step)
        if isinstance(result, _Collection):
            function = step[1]
            for gather in (_GROUPED, _FLATTENED, _NESTED):
                self._gathered.pop((gather, function), None)
            for key in result.source:
                self._drop((function, key))


_MAPPED, _GROUPED, _FLATTENED, _NESTED = "mapped", "grouped", "flattened", "nested"


def _is_dirty(result: _Result) -> bool:
    return result.state is _State.DIRTY


def _is_equal(before: Any, now: Any) -> bool:
    return before is now or bool(before == now)


def _is_same(before: Any, now: Any) -> bool:
    """The very same; of tuples, the very same items. Equal objects may stand in other lines, which problems tell."""
    if before is now:
        return True
    if not (isinstance(before, tuple) and isinstance(now, tuple)) or len(before) != len(now):
        return False
    return all(one is other for one, other in zip(before, now, strict=True))
