"""Objects -> World: what each object becomes, and what follows where several have one name or one cannot be read."""

from collections.abc import Callable, Iterable
from dataclasses import field, replace
from functools import partial

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.lazy import dataclass
from mizzen.resources.closing import Closed, closed, is_guard, whole
from mizzen.resources.declaring.declare import Resource
from mizzen.resources.decode import Decoded, Unread, decode, identify
from mizzen.resources.kinds import KINDS, is_ours
from mizzen.resources.leaving_out import remainder
from mizzen.resources.raw_objects import RawObject
from mizzen.resources.refusal import hosts_of, refused_documents
from mizzen.resources.withheld import withheld, withheld_text
from mizzen.resources.world import Key, World

Decode = Callable[[RawObject], Decoded]
_Place = tuple[object, str]  # where an object stands, and its digest


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What the objects of one name become."""

    ref: ResourceRef | None = None  # of the last of them
    kept: Resource | None = None
    instead: tuple[tuple[_Place, Closed], ...] = ()
    unread: Unread | None = None
    problems: tuple[Problem, ...] = ()
    hosts: tuple[str, ...] = ()  # those that it is for, where it is refused


@dataclass(slots=True)
class Intake:
    """The world of some objects, made by difference to the one before. Of one thread.

    Of several objects of one group, kind, namespace and name, the later valid one is kept: later by the name of
    the file, then by the place in it, so that the order in which they come does not matter. A guard that has an
    error closes (resources.closing; `World.unread` for kinds that are not honoured), and so does a rule or Gateway
    whose absence would open something (resources.withheld), unless there is a good object of its name.
    """

    default_namespace: str = "default"
    decode: Decode | None = (
        None  # in the place of `decode`: a caller can keep what it gave for the same digest
    )
    world: World = field(default_factory=World)
    problems: tuple[Problem, ...] = ()  # everything that is wrong with the objects by themselves
    _raws: dict[ResourceRef, dict[str, RawObject]] = field(default_factory=dict)  # by digest
    _outcomes: dict[ResourceRef, _Outcome] = field(default_factory=dict)
    # Of these outcomes, those that are not just an object without a problem.
    _odd: dict[ResourceRef, _Outcome] = field(default_factory=dict)
    _standing: dict[tuple[type[Resource], Key], Resource] = field(default_factory=dict)

    def update(
        self, added: Iterable[RawObject], gone: Iterable[RawObject], broken: tuple[Problem, ...] = ()
    ) -> None:
        """Take in objects and take out others. `broken`: all problems of documents that give no object now, some of which
        tell its name."""
        touched = self._sort_in(added, gone)
        changed: dict[type[Resource], dict[Key, Resource]] = {}
        removed: dict[type[Resource], set[Key]] = {}
        for ref in touched:
            before = self._outcomes.pop(ref, _Outcome())
            self._odd.pop(ref, None)
            after = self._outcome(ref)
            if ref in self._raws:
                self._outcomes[ref] = after
                if after.kept is None or after.problems:
                    self._odd[ref] = after
            if before.kept is not None:
                removed.setdefault(type(before.kept), set()).add(before.kept.key)
            if after.kept is not None:
                changed.setdefault(type(after.kept), {})[after.kept.key] = after.kept
        self._stand_in(broken, changed, removed, touched)

    def _sort_in(self, added: Iterable[RawObject], gone: Iterable[RawObject]) -> dict[ResourceRef, None]:
        touched: dict[ResourceRef, None] = {}
        for raw in gone:
            ref = identify(raw, self.default_namespace)
            touched[ref] = None
            same = self._raws.get(ref, {})
            if same.get(raw.digest) is raw:
                del same[raw.digest]
            if not same:
                self._raws.pop(ref, None)
        for raw in added:
            ref = identify(raw, self.default_namespace)
            touched[ref] = None
            self._raws.setdefault(ref, {})[raw.digest] = raw
        return touched

    def _outcome(self, ref: ResourceRef) -> _Outcome:
        kept, unread, earlier = None, None, None
        problems: list[Problem] = []
        instead: list[tuple[_Place, Closed]] = []
        namespace = self.default_namespace
        raws = self._raws.get(ref, {}).values()
        for raw in sorted(raws, key=_place_of) if len(raws) > 1 else raws:
            decoded = self.decode(raw) if self.decode else decode(raw, namespace)
            named = identify(raw, namespace)
            problems += decoded.problems
            if decoded.resource is None and (rest := remainder(raw, decoded.problems, namespace)):
                problems += rest.problems
            if earlier is not None and named.name:
                problems.append(_doubled(named, earlier, taken=decoded.resource is not None))
            earlier = named
            if decoded.resource is not None:
                kept = decoded.resource
            elif in_its_place := (
                closed(raw, decoded.problems, namespace) or withheld(raw, decoded.problems, namespace)
            ):
                instead.append((_place_of(raw), in_its_place))
            elif decoded.unread is not None and not is_guard(ref):
                unread = decoded.unread
        return _Outcome(
            ref=earlier,
            kept=kept,
            instead=tuple(instead),
            unread=unread,
            problems=tuple(problems),
            hosts=tuple(host for raw in raws for host in hosts_of(raw)) if kept is None else (),
        )

    def _stand_in(
        self,
        broken: tuple[Problem, ...],
        changed: dict[type[Resource], dict[Key, Resource]],
        removed: dict[type[Resource], set[Key]],
        touched: Iterable[ResourceRef],
    ) -> None:
        """What stands for objects that cannot be read; it gives way to a good object of the same name."""
        closing = _closed_unread(broken, self.default_namespace)
        found = [pair for outcome in self._odd.values() for pair in outcome.instead]
        for _, instead in sorted(found, key=lambda pair: pair[0]):
            closing[instead.resource.ref] = instead
        unread = {one.ref: one for one in map(partial(_guard_of, self.default_namespace), broken) if one}
        unread |= {ref: one.unread for ref, one in self._odd.items() if one.unread is not None}
        standing = [instead for ref, instead in closing.items() if not self._is_kept(ref)]
        wanted = {(type(one.resource), one.resource.key): one.resource for one in standing}
        for kind, key in self._standing.keys() - wanted.keys():
            base = self._kept(kind, key)
            if base is not None:
                changed.setdefault(kind, {})[key] = base
            elif key not in changed.get(kind, {}):
                removed.setdefault(kind, set()).add(key)
        for (kind, key), resource in wanted.items():
            changed.setdefault(kind, {})[key] = resource
        self._standing = wanted
        refused = {
            ref: hosts
            for ref, hosts in refused_documents(broken, self.default_namespace).items()
            if not self._is_kept(ref)
        }
        refused |= {one.ref: one.hosts for one in self._odd.values() if one.kept is None and one.ref}
        self.problems = (
            *(problem for outcome in self._odd.values() for problem in outcome.problems),
            *(one.problem for one in standing if one.problem is not None),
        )
        self.world = self.world.with_changes(
            changed,
            {kind: keys - changed.get(kind, {}).keys() for kind, keys in removed.items()},
            tuple(sorted((one for ref, one in unread.items() if not self._is_kept(ref)), key=_name_of)),
            refused,
        )

    def _is_kept(self, ref: ResourceRef) -> bool:
        outcome = self._outcomes.get(ref)
        return outcome is not None and outcome.kept is not None

    def _kept(self, kind: type[Resource], key: Key) -> Resource | None:
        """A good object in whose place another one stood: of a kind that may be written in several ways."""
        names = (outcome.kept for outcome in self._outcomes.values() if outcome.kept is not None)
        return next((one for one in names if type(one) is kind and one.key == key), None)


def decode_all(
    raws: Iterable[RawObject],
    *,
    default_namespace: str = "default",
    remember: Decode | None = None,
    broken: Iterable[Problem] = (),
) -> tuple[World, tuple[Problem, ...]]:
    """The world of some objects, and everything that is wrong with them. Raises nothing. As `Intake` says."""
    intake = Intake(default_namespace, remember)
    intake.update(sorted(raws, key=_place_of), (), tuple(broken))
    return intake.world, intake.problems


def _place_of(raw: RawObject) -> _Place:
    return (raw.ref.place(), raw.digest)


def _name_of(unread: Unread) -> str:
    return str(unread.ref)


def _closed_unread(problems: Iterable[Problem], default_namespace: str) -> dict[ResourceRef, Closed]:
    """What stands for guards, rules and Gateways whose documents cannot be read."""
    found: dict[ResourceRef, Closed] = {}
    for problem in problems:
        ref = problem.resource
        if problem.code.startswith("YML-") and problem.severity is Severity.ERROR and is_guard(ref):
            ref = replace(ref, namespace=ref.namespace or default_namespace)
            found[ref] = whole(ref, field=problem.field)
        elif instead := withheld_text(problem, default_namespace):
            found[instead.resource.ref] = instead
    return found


def _guard_of(default_namespace: str, problem: Problem) -> Unread | None:
    """A document that cannot be read and that its lines tell to be of a kind that may guard."""
    ref = problem.resource
    if problem.severity is not Severity.ERROR or not is_ours(ref) or not KINDS[ref.kind].may_guard:
        return None
    return Unread(ref=replace(ref, namespace=ref.namespace or default_namespace))


def _doubled(later: ResourceRef, earlier: ResourceRef, *, taken: bool) -> Problem:
    became = "takes the place of" if taken else "would take the place of"
    return Problem(
        severity=Severity.WARNING,
        code="META-002",
        resource=later,
        field="metadata.name",
        message=f"this object {became} the one at {earlier.place()}, which has the same name",
        hint="Rename one of the two, or remove it.",
    )
