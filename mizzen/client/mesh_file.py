"""A file with the settings of the mesh (MeshConfig), in place of those that objects bring: `--meshConfigFile`."""

import textwrap
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mizzen.errors import Place, Problem
from mizzen.resources.istio.operator import IstioOperator
from mizzen.resources.kinds import KINDS
from mizzen.resources.raw_objects import RawObject, parse_documents

_KIND = KINDS[IstioOperator.__name__]
_HEAD = f"apiVersion: {_KIND.api_version}\nkind: {_KIND.kind}\nspec:\n  meshConfig:\n"
_LINES, _INDENT = _HEAD.count("\n"), 4


def with_mesh_config(
    objects: tuple[RawObject, ...], text: str, file: str
) -> tuple[tuple[RawObject, ...], tuple[Problem, ...]]:
    """The objects, with an IstioOperator that has these settings beside those of others; and what is wrong with the text.

    What is wrong with the settings is told where it stands in the file.
    """
    raws, problems = parse_documents(_HEAD + textwrap.indent(text, " " * _INDENT), file)
    made = tuple(replace(raw, ref=replace(raw.ref, places=_shifted(raw.ref.places))) for raw in raws)
    moved = tuple(
        replace(problem, resource=replace(problem.resource, places=_shifted(problem.resource.places)))
        for problem in problems
    )
    return (*map(_without_settings, objects), *made), moved


def _without_settings(raw: RawObject) -> RawObject:
    spec = raw.data.get("spec") if raw.kind == _KIND.kind else None
    if not isinstance(spec, Mapping) or "meshConfig" not in spec:
        return raw
    kept: dict[str, Any] = {key: value for key, value in spec.items() if key != "meshConfig"}
    return replace(raw, data={**raw.data, "spec": kept})


def _shifted(places: Mapping[str, Place]) -> Mapping[str, Place]:
    """Where each field stands in the file."""
    return {
        path: Place(place.file, max(1, place.line - _LINES), max(1, place.column - _INDENT))
        for path, place in places.items()
    }
