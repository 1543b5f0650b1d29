"""All that is wrong with some objects, told in one go: what is refused is looked at as if its errors were mended, too."""

from collections.abc import Iterable
from datetime import datetime

from mizzen.errors import Problem, ResourceRef, capped, sort_key
from mizzen.pipeline import Settings, analysed, build
from mizzen.resources.decode import identify
from mizzen.resources.leaving_out import Remainder, remainder
from mizzen.resources.raw_objects import RawObject


def analysis(
    objects: tuple[RawObject, ...], found: tuple[Problem, ...], settings: Settings, now: datetime
) -> tuple[Problem, ...]:
    """Every problem of the objects, in order. `found`: those of reading them."""
    built = build(objects, found, settings)
    told = analysed(built, now)
    rests = dict(_rests(objects, told, built.world.refused, settings.default_namespace))
    if not rests:
        return told
    mended = tuple(rests[raw.digest].raw or raw if raw.digest in rests else raw for raw in objects)
    by_ref = {
        identify(raw, settings.default_namespace): rests[raw.digest] for raw in objects if raw.digest in rests
    }
    further = [
        problem
        for problem in analysed(build(mended, found, settings), now)
        if problem.resource in by_ref and by_ref[problem.resource].is_about_the_rest(problem)
    ]
    known = {(problem.resource, problem.code, problem.field) for problem in told}
    new = [one for one in further if (one.resource, one.code, one.field) not in known]
    return capped(sorted((*told, *new), key=sort_key))


def _rests(
    objects: Iterable[RawObject], told: Iterable[Problem], refused: Iterable[ResourceRef], namespace: str
) -> Iterable[tuple[str, Remainder]]:
    """What is left of each object that is refused, by its digest."""
    problems: dict[ResourceRef, list[Problem]] = {}
    for problem in told:
        problems.setdefault(problem.resource, []).append(problem)
    for raw in objects:
        ref = identify(raw, namespace)
        rest = remainder(raw, problems.get(ref, ()), namespace) if ref in refused else None
        if rest is not None and rest.raw is not None:
            yield raw.digest, rest
