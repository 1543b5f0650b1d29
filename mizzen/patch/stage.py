"""The stage: a configuration of Envoy -> the same with its patches applied, by difference.

Each resource is patched by itself, from what it was made: what was patched before and is the same is not patched again. Whom no patch
is for keeps the very bytes it has.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from mizzen.envoy.changes import Faults, Name
from mizzen.envoy.config import (
    CLUSTERS,
    ENDPOINTS,
    EXTENSION_CONFIGS,
    LISTENERS,
    ROUTES,
    SCOPED_ROUTES,
    EnvoyConfig,
)
from mizzen.envoy.filters import access_policies
from mizzen.envoy.scoped_route import parts_of_scope
from mizzen.envoy.types import MESSAGES
from mizzen.envoy.violations import is_sound, violations
from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.model import Model
from mizzen.model.backend import Backend
from mizzen.model.patch import Operation, Patch, Target
from mizzen.patch.clusters import patch_cluster
from mizzen.patch.http_filters import Judges, may_name_judges
from mizzen.patch.listeners import Around, patch_listener
from mizzen.patch.matching import table, table_name
from mizzen.patch.prepared import Work, value_of
from mizzen.patch.routes import patch_scope
from mizzen.patch.tables import TablePatched, patch_table
from mizzen.persistent import PersistentMap

CODES = {
    "EXT-008": "A patch of an EnvoyFilter is for this gateway, and for nothing that it has.",
    "EXT-009": "A patch of an EnvoyFilter makes what Envoy refuses, or cannot be applied to what is there.",
}
_SHOWN = 3  # names in a hint
_OF_ROUTES = frozenset({Target.ROUTE_CONFIGURATION, Target.VIRTUAL_HOST, Target.HTTP_ROUTE})
_TARGETS: Mapping[str, frozenset[Target]] = {
    LISTENERS: frozenset(
        {
            Target.LISTENER,
            Target.FILTER_CHAIN,
            Target.NETWORK_FILTER,
            Target.HTTP_FILTER,
            Target.LISTENER_FILTER,
        }
    ),
    ROUTES: _OF_ROUTES,
    SCOPED_ROUTES: _OF_ROUTES,
    CLUSTERS: frozenset({Target.CLUSTER}),
    EXTENSION_CONFIGS: frozenset({Target.EXTENSION_CONFIG}),
}
_ADDED: Mapping[str, Target] = {
    LISTENERS: Target.LISTENER,
    CLUSTERS: Target.CLUSTER,
    EXTENSION_CONFIGS: Target.EXTENSION_CONFIG,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one resource. `body`: None where it is removed."""

    body: bytes | None
    hits: frozenset[Patch]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Patched:
    """What is kept for the next time of the resources of one type that a patch is for."""

    patches: tuple[Patch, ...]
    judges: bytes | None
    outcomes: PersistentMap[str, Outcome]
    bodies: PersistentMap[str, bytes]
    tables: Mapping[str, TablePatched]  # route tables that go as one


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of the stage for one gateway. `hits`: the patches that changed something, or had nothing left to change."""

    types: Mapping[str, Patched]
    hits: frozenset[Patch]


def patches_for(url: str, patches: Iterable[Patch]) -> tuple[Patch, ...]:
    """Those that may be for a resource of that type."""
    targets = _TARGETS.get(url, frozenset())
    return tuple(patch for patch in patches if patch.target in targets)


def patched(base: EnvoyConfig, before: EnvoyConfig | None) -> EnvoyConfig:
    """The configuration with the patches of its model applied. `before`: what this gave for the one before."""
    if not base.model.patches:
        return base
    earlier_base = before.unpatched or before if before else None
    kept = before.patched.types if before is not None and isinstance(before.patched, Kept) else {}
    bodies: dict[str, PersistentMap[str, bytes]] = {**base.bodies}
    made: dict[str, Patched] = {}
    for url in _TARGETS:
        if mine := patches_for(url, base.model.patches):
            known = kept.get(url)
            made[url] = _of_type(url, mine, base, known, earlier_base.bodies[url] if earlier_base else None)
            bodies[url] = made[url].bodies
    if CLUSTERS in made:
        bodies[ENDPOINTS] = _endpoints(base, made[CLUSTERS])
    return replace(
        base,
        bodies=bodies,
        faults=_faults(base, made),
        unpatched=base,
        patched=Kept(made, frozenset(_hits(made))),
    )


def _of_type(
    url: str,
    mine: tuple[Patch, ...],
    base: EnvoyConfig,
    known: Patched | None,
    earlier: PersistentMap[str, bytes] | None,
) -> Patched:
    resources = base.bodies[url]
    judges = (
        base.bodies[EXTENSION_CONFIGS].get(access_policies.NAME) if any(map(may_name_judges, mine)) else None
    )
    if known is None or known.patches != mine or known.judges != judges or earlier is None:
        known, earlier = None, None
    difference = resources.difference(earlier)
    how = partial(_patch_one, url, mine, base.model, Judges.of(judges) if judges else Judges())
    tables = dict(known.tables) if known else {}
    for name in difference.removed:
        tables.pop(name, None)
    if url == ROUTES:
        how = partial(_patch_table, mine, base, tables)
    outcomes = {name: how(name, body) for name, body in difference.changed.items()}
    kept: PersistentMap[str, Outcome] = known.outcomes if known else PersistentMap()
    bodies: PersistentMap[str, bytes] = known.bodies if known else resources
    added = _added(url, mine, resources)
    touched = {name: one for name, one in outcomes.items() if one.hits or one.problems}
    kept = kept.updated(touched, (outcomes.keys() - touched.keys()) | difference.removed)
    changed = {name: one.body for name, one in outcomes.items() if one.body is not None}
    gone = {name for name, one in outcomes.items() if one.body is None} | difference.removed
    bodies = bodies.updated({**changed, **added}, gone - added.keys())
    return Patched(mine, judges, kept, bodies, tables)


def _added(url: str, mine: Iterable[Patch], resources: Mapping[str, bytes]) -> dict[str, bytes]:
    """What patches add; of one name the first, and none that is there already."""
    found: dict[str, bytes] = {}
    for patch in mine:
        if patch.operation is Operation.ADD and patch.target is _ADDED.get(url):
            name = value_of(patch).name
            if name not in resources:
                found.setdefault(name, patch.value)
    return found


def _endpoints(base: EnvoyConfig, clusters: Patched) -> PersistentMap[str, bytes]:
    """Nobody asks for the endpoints of a cluster that a patch has removed."""
    backends: Mapping[str, Backend] = base.model.backends
    gone = [
        backends[name].endpoints_name
        for name, one in clusters.outcomes.items()
        if one.body is None and name in backends
    ]
    endpoints = base.bodies[ENDPOINTS]
    return endpoints.updated({}, [name for name in gone if name in endpoints]) if gone else endpoints


# --- one resource -----------------------------------------------------------------------------------


def _patch_one(
    url: str, mine: tuple[Patch, ...], model: Model, judges: Judges, name: str, body: bytes
) -> Outcome:
    """What raises closes: there is no such resource."""
    problems: list[Problem] = []
    make = partial(_applied, url, mine, model, judges, name, body)
    made = attempt(Stage.TRANSLATE, mine[0].origin, make, problems.append, None, mine[0].at)
    return made or Outcome(None, frozenset(mine), tuple(problems))


def _patch_table(
    mine: tuple[Patch, ...], base: EnvoyConfig, tables: dict[str, TablePatched], name: str, body: bytes
) -> Outcome:
    """A table that goes as one; what is kept of it for the next time goes into `tables`. What raises closes."""
    problems: list[Problem] = []
    named = table_name(name, _gateway_of(base.model, name))
    make = partial(patch_table, base.tables[name], named, mine, tables.pop(name, None))
    unpatched = object()
    made = attempt(
        Stage.TRANSLATE, mine[0].origin, lambda: make() or unpatched, problems.append, None, mine[0].at
    )
    if made is unpatched:
        return Outcome(body, frozenset())
    if not isinstance(made, TablePatched):
        return Outcome(None, frozenset(mine), tuple(problems))
    tables[name] = made
    problems = [_failed(patch, why) for patch, why in made.failed]
    problems += [_refused(patch, name, *wrong) for patch, wrong in made.unsound]
    return Outcome(made.body, made.hits, tuple(problems))


def _applied(
    url: str, mine: tuple[Patch, ...], model: Model, judges: Judges, name: str, body: bytes
) -> Outcome:
    work, message = Work(mine), MESSAGES[url].FromString(body)
    is_kept = _PATCHING[url](message, model, judges, name, work)
    if not work.hits and not work.failed:
        return Outcome(body, frozenset())
    problems = [_failed(patch, why) for patch, why in work.failed.items()]
    if not is_kept:
        return Outcome(None, frozenset(work.hits), tuple(problems))
    made = message.SerializeToString(deterministic=True)
    if made == body:
        return Outcome(body, frozenset(work.hits), tuple(problems))
    if not is_sound(message):
        culprit = _first_unsound(url, mine, model, judges, name, body, work)
        problems.append(_refused(culprit, name, *violations(message)[0]))
    return Outcome(made, frozenset(work.hits), tuple(problems))


def _first_unsound(
    url: str, mine: tuple[Patch, ...], model: Model, judges: Judges, name: str, body: bytes, work: Work
) -> Patch:
    """The first patch with which (and those before it) Envoy refuses the resource."""
    hits = [patch for patch in mine if patch in work.hits]
    for count in range(1, len(hits)):
        message = MESSAGES[url].FromString(body)
        if _PATCHING[url](message, model, judges, name, Work(tuple(hits[:count]))) and not is_sound(message):
            return hits[count - 1]
    return hits[-1]


def _listener(message: Any, model: Model, judges: Judges, name: str, work: Work) -> bool:
    edge = next(one.edge for one in model.listeners if one.name == name)
    return patch_listener(message, Around(edge, judges), work)


def _scope(message: Any, model: Model, __: Judges, name: str, work: Work) -> bool:
    called, _ = parts_of_scope(name)
    return patch_scope(message.route_configuration, table_name(called, _gateway_of(model, called)), work)


def _gateway_of(model: Model, table: str) -> str:
    origin = next((one.origin for one in model.route_tables if one.name == table), None)
    return f"{origin.namespace}/{origin.name}" if origin else ""


def _cluster(message: Any, _: Model, __: Judges, name: str, work: Work) -> bool:
    return patch_cluster(message, name, work)


def _extension(_: Any, __: Model, ___: Judges, ____: str, _____: Work) -> bool:
    return True  # they are only added


_PATCHING: Mapping[str, Callable[[Any, Model, Judges, str, Work], bool]] = {
    LISTENERS: _listener,
    SCOPED_ROUTES: _scope,
    CLUSTERS: _cluster,
    EXTENSION_CONFIGS: _extension,
}


# --- what is told -----------------------------------------------------------------------------------


def _hits(made: Mapping[str, Patched]) -> set[Patch]:
    hits: set[Patch] = set()
    for url, one in made.items():
        for outcome in one.outcomes.values():
            hits |= outcome.hits
        hits |= {patch for patch in one.patches if _adds(url, patch)}
    return hits


def _adds(url: str, patch: Patch) -> bool:
    return patch.operation is Operation.ADD and patch.target is _ADDED.get(url)


def _faults(base: EnvoyConfig, made: Mapping[str, Patched]) -> Faults:
    found: dict[Name, tuple[Problem, ...]] = {}
    for url, one in made.items():
        for name, outcome in one.outcomes.items():
            if outcome.problems:
                found[url, name] = (*base.faults.get((url, name), ()), *outcome.problems)
        for patch in one.patches:
            if _adds(url, patch) and one.bodies.get(value_of(patch).name) != patch.value:
                found[f"patch {patch.origin}", patch.at] = (_taken(patch),)
    return base.faults.updated(found) if found else base.faults


def for_nothing(configs: Iterable[EnvoyConfig]) -> tuple[Problem, ...]:
    """Of the patches that are for some of these gateways (all that there are), those that none has anything for."""
    asked: dict[tuple[ResourceRef, str], tuple[Patch, EnvoyConfig]] = {}
    hits: set[tuple[ResourceRef, str]] = set()
    for config in configs:
        if isinstance(config.patched, Kept):
            asked |= {(patch.origin, patch.at): (patch, config) for patch in config.model.patches}
            hits |= {(patch.origin, patch.at) for patch in config.patched.hits}
    return tuple(_for_nothing(*asked[key]) for key in asked if key not in hits)


def _for_nothing(patch: Patch, config: EnvoyConfig) -> Problem:
    names = _names(patch, config.model)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    hint = f"There is {', '.join(names[:_SHOWN])}{more}." if names else ""
    what = patch.target.value
    chain = patch.listener.chain if patch.listener else None
    if chain is not None and (chain.http_filter or chain.network_filter):
        what = f"{what} beside {chain.http_filter or chain.network_filter}"
    return Problem(
        severity=Severity.WARNING,
        code="EXT-008",
        resource=patch.origin,
        field=patch.at,
        message=f"the patch is for a gateway here, and there is no {what} that it matches: it changes nothing",
        hint=hint,
    )


def _names(patch: Patch, model: Model) -> list[str]:
    """What a gateway has of the kind that a patch names."""
    if patch.listener is not None and (patch.listener.name or patch.listener.port):
        return [one.name for one in model.listeners]
    wanted = patch.table
    if wanted is None:
        return []
    tables = [
        one for one in model.route_tables if table(wanted, table_name(one.name, _gateway_of(model, one.name)))
    ]
    if not tables:
        return [one.name for one in model.route_tables]
    return [host.name for one in tables for host in one.hosts.values()] if wanted.host else []


def _failed(patch: Patch, why: str) -> Problem:
    return Problem(
        code="EXT-009",
        resource=patch.origin,
        field=f"{patch.at}.patch.value",
        message=f"the patch is not applied: {why}",
        hint="Use the type of what it is merged into, or a match for that alone.",
    )


def _refused(patch: Patch, name: str, path: str, wrong: str) -> Problem:
    return Problem(
        code="EXT-009",
        resource=patch.origin,
        field=patch.at,
        message=f"with it, Envoy refuses {name}: {path}: {wrong}",
        hint="Mend the patch: Envoy takes none of what is sent with it.",
    )


def _taken(patch: Patch) -> Problem:
    name = value_of(patch).name
    return Problem(
        severity=Severity.WARNING,
        code="EXT-009",
        resource=patch.origin,
        field=patch.at,
        message=f"there is a {patch.target.value} of the name {name!r} already: it stays, and none is added",
        hint="Give it another name, or use MERGE.",
    )


# --- what cannot go host by host --------------------------------------------------------------------


def whole_tables(model: Model) -> dict[str, ResourceRef]:
    """Route tables that go to Envoy as one, and the EnvoyFilter for which they do: it brings hosts, or gives some other domains."""
    found: dict[str, ResourceRef] = {}
    for patch in model.patches:
        if _brings_domains(patch):
            for one in model.route_tables:
                if table(patch.table, table_name(one.name, _gateway_of(model, one.name))):
                    found.setdefault(one.name, patch.origin)
    return found


def _brings_domains(patch: Patch) -> bool:
    if patch.target is Target.ROUTE_CONFIGURATION:
        return bool(value_of(patch).virtual_hosts)
    return (
        patch.target is Target.VIRTUAL_HOST
        and patch.operation is not Operation.REMOVE
        and bool(value_of(patch).domains)
    )
