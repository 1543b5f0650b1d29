"""What would happen if some objects took the place of others: the plan."""

from collections.abc import Mapping
from dataclasses import field, replace
from functools import partial

from mizzen.errors import Problem
from mizzen.lazy import dataclass
from mizzen.pipeline import Build, GatewayBuild, Memory, Settings, build
from mizzen.plan.causes import Key, Surfaces, Trial, attributed, causes, of_nothing
from mizzen.plan.compare import changes
from mizzen.plan.differences import differences
from mizzen.plan.effects import Because, Change, Effect, Plan, plan_of
from mizzen.plan.hints import with_hint
from mizzen.plan.hits import Remembered
from mizzen.plan.surface import Surface
from mizzen.resources.raw_objects import RawObject

# How route tables are sent by who serves now: key of the proxy -> table -> host by host.
Scoped = Mapping[str, Mapping[str, bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a change is held against."""

    objects: tuple[RawObject, ...] = ()
    problems: tuple[Problem, ...] = ()  # of reading them
    remembered: Remembered = field(default_factory=dict)  # what clients were promised
    scoped: Scoped = field(default_factory=dict)


def plan(
    served: Served, objects: tuple[RawObject, ...], found: tuple[Problem, ...], settings: Settings
) -> Plan:
    """What happens when `objects` take the place of those that are served. `found`: problems of reading them."""
    memory = Memory()
    differing = differences(served.objects, objects, settings.default_namespace)
    before = build(served.objects, served.problems, settings, memory)
    old = {one.proxy.key: _first(one, served.scoped.get(one.proxy.key, {})) for one in before.gateways}
    built = partial(_built, found, settings, memory, old)
    new = built(differing.objects)
    trial = Trial(
        old_objects=served.objects,
        new_objects=differing.objects,
        old=old,
        new=new,
        changed=differing.changed,
        built=partial(_built, found, settings, memory, new),
    )
    return plan_of(_attributed(trial, served.remembered))


def _first(gateway: GatewayBuild, scoped: Mapping[str, bool]) -> Surface:
    return Surface(gateway, gateway.config(gateway.announced_when_proven(), None, scoped))


def _built(
    found: tuple[Problem, ...],
    settings: Settings,
    memory: Memory,
    like: Surfaces,
    objects: tuple[RawObject, ...],
) -> dict[str, Surface]:
    """What each gateway is told where there are these objects, with what is as in `like` taken over."""
    result: Build = build(objects, found, settings, memory)
    return {one.proxy.key: _surface(one, like.get(one.proxy.key)) for one in result.gateways}


def _surface(gateway: GatewayBuild, like: Surface | None) -> Surface:
    before = like.config if like is not None else None
    return Surface(gateway, gateway.config(gateway.announced_when_proven(), before), like)


def _attributed(trial: Trial, remembered: Remembered) -> list[Change]:
    if not trial.changed:
        return []
    by_key = {
        key: tuple(changes(trial.old.get(key), trial.new.get(key), remembered))
        for key in sorted(trial.old.keys() | trial.new.keys())
    }
    wanted: list[Key] = [
        (key, facet) for key, some in by_key.items() for one in some for facet in one.facets | one.others
    ]
    caused = causes(trial, wanted)
    opened = {one.host for some in by_key.values() for one in some if one.effect is Effect.OPENS}
    found = [
        with_hint(
            attributed(one, key, caused), trial.old.get(key), trial.new.get(key), moves=one.host in opened
        )
        for key, some in by_key.items()
        for one in some
    ]
    found += [_nothing(because) for because in of_nothing(trial, caused)]
    return _by_place(found)


def _by_place(changes: list[Change]) -> list[Change]:
    """Pods of one gateway that differ have each their Envoy: of each place the hardest that happens at one of them."""
    found: dict[object, Change] = {}
    for one in changes:
        place = (one.gateway, one.listener, one.host) if one.gateway is not None else one.because
        known = found.get(place)
        if known is None or known.effect.hardness < one.effect.hardness:
            found[place] = one
        elif known.effect is one.effect:
            found[place] = replace(known, because=tuple(dict.fromkeys((*known.because, *one.because))))
    return list(found.values())


def _nothing(because: Because) -> Change:
    return Change(effect=Effect.NONE, because=(because,))
