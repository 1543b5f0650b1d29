"""Where what Kustomize built was written: the resource files of a folder and of those that it names.

A build tells nothing of it. An object is looked for by its kind and its name, to which a build may have added a beginning
and an end; where two could be meant (two bases, an older version beside a newer), nothing is said.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from mizzen.errors import Place, Problem, ResourceRef
from mizzen.resources.raw_objects import parse_documents
from mizzen.resources.yaml.construct import Broken, construct
from mizzen.sources.kustomize import BUILT, kustomization_of

_LISTS = ("resources", "bases")
_DEEPEST = 50  # folders that name one another


def with_origins(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The same; what is wrong with something built says in its hint where that is written, if that is clear."""
    known: dict[str, tuple[ResourceRef, ...]] = {}
    return tuple(_with_origin(problem, known) for problem in problems)


def _with_origin(problem: Problem, known: dict[str, tuple[ResourceRef, ...]]) -> Problem:
    folder, name = os.path.split(problem.origin.file)
    if name != BUILT:
        return problem
    if folder not in known:
        known[folder] = tuple(_resources(folder))
    place = origin(problem.resource, known[folder], problem.field)
    if place is None:
        return problem
    return replace(problem, hint=f"{problem.hint} It is written in {place}.".strip())


def origin(built: ResourceRef, resources: Iterable[ResourceRef], field: str = "") -> Place | None:
    """Where a field of what was built is written, or what is nearest to it; None where that is not clear."""
    alike = [one for one in resources if (one.group, one.kind) == (built.group, built.kind)]
    same = [one for one in alike if one.name == built.name]
    meant = same or [one for one in alike if one.name and one.name in built.name]
    return meant[0].place(field) if len(meant) == 1 else None


def _resources(folder: str) -> Iterator[ResourceRef]:
    """The objects of the files that a folder of Kustomize, and those that it names, have for resources."""
    seen: set[str] = set()
    for path in _files(folder, seen, 0):
        try:
            with open(path, "rb") as file:
                objects, _ = parse_documents(file.read(), path)
        except OSError:
            continue
        yield from (one.ref for one in objects)


def _files(folder: str, seen: set[str], depth: int) -> Iterator[str]:
    real = os.path.realpath(folder)
    kustomization = kustomization_of(folder)
    if not kustomization or real in seen or depth > _DEEPEST:
        return
    seen.add(real)
    for named in _named(kustomization):
        path = os.path.normpath(os.path.join(folder, named))
        if os.path.isdir(path):
            yield from _files(path, seen, depth + 1)
        elif os.path.isfile(path) and os.path.realpath(path) not in seen:
            seen.add(os.path.realpath(path))
            yield path


def _named(kustomization: str) -> Iterator[str]:
    try:
        with open(kustomization, "rb") as file:
            documents = construct(file.read().decode(errors="replace"))
    except (OSError, Broken):
        return
    for document in documents:
        value: Any = document.value
        for key in _LISTS if isinstance(value, Mapping) else ():
            listed = value.get(key)
            yield from (one for one in (listed if isinstance(listed, list) else ()) if isinstance(one, str))
