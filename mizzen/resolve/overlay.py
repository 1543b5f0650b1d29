"""Laying one declared setting over another: what the upper one says wins, the rest shows through."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def overlay(base: T, top: T) -> T:
    """`top` over `base`, field by field. A field that `top` has at its default says nothing.

    Mappings are laid over each other key by key, lists are replaced as a whole (as Istio merges
    ProxyConfig and an installer merges IstioOperators).
    """
    if not dataclasses.is_dataclass(base) or isinstance(base, type) or type(base) is not type(top):
        return top
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(base):
        above = getattr(top, field.name)
        if not field.compare or above == _default(field):
            continue
        below = getattr(base, field.name)
        if isinstance(above, Mapping) and isinstance(below, Mapping):
            above = {**below, **above}
        elif dataclasses.is_dataclass(above) and below is not None:
            above = overlay(below, above)
        changes[field.name] = above
    return dataclasses.replace(base, **changes)


def _default(field: "dataclasses.Field[Any]") -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default
