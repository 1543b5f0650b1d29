"""Dataclasses whose methods are made when they are called first.

`dataclasses.dataclass` writes and compiles the source of up to eight methods for each class. A process that reads
objects imports some 400 of these classes and makes objects of a third: that was half of the time of all imports. Here
a class gets its fields at once; the standard library makes each method when it is called for the first time, and from
then on it is the class's own, as fast as any.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, Never, TypeVar, dataclass_transform

T = TypeVar("T")

_ORDER = ("__lt__", "__le__", "__gt__", "__ge__")
_ANY = "A description."
_set: Callable[[type, str, object], None] = type.__setattr__


@dataclass_transform(field_specifiers=(dataclasses.field,))
def dataclass(
    *, frozen: bool = False, slots: bool = False, kw_only: bool = False, eq: bool = True, order: bool = False
) -> Callable[[type[T]], type[T]]:
    """`dataclasses.dataclass` with these parameters, which mean the same.

    Nothing inherits between its classes and those of the standard library. Frozen objects with slots can be neither copied
    nor pickled.
    """

    def declare(written: type[T]) -> type[T]:
        description = written.__doc__
        written.__doc__ = (
            description or _ANY
        )  # else the signature is written there, which takes longer than all the rest
        bare = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)
        cls = bare(written)
        cls.__doc__ = description
        own = vars(cls)
        if eq and not frozen and "__hash__" not in own:
            _set(cls, "__hash__", None)
        for name in _wanted(eq=eq, frozen=frozen, order=order):
            if name not in own:
                _set(cls, name, _at_first(cls, name, frozen, slots))
        if frozen:
            _set(cls, "__setattr__", _refuse_to_set)
            _set(cls, "__delattr__", _refuse_to_delete)
        return cls

    return declare


def _wanted(*, eq: bool, frozen: bool, order: bool) -> tuple[str, ...]:
    """The methods that the class gets, as in the standard library's table."""
    hashed = ("__hash__",) if eq and frozen else ()
    return ("__init__", "__repr__", *(("__eq__",) if eq else ()), *hashed, *(_ORDER if order else ()))


def _at_first(cls: type, name: str, frozen: bool, slots: bool) -> Callable[..., Any]:
    """What stands in the place of a method until it is called: it has the method made."""

    def first(self: object, *arguments: Any, **named: Any) -> Any:
        method = _made(cls, name, frozen, slots)
        _set(cls, name, method)
        return method(self, *arguments, **named)

    return first


def _made(cls: Any, name: str, frozen: bool, slots: bool) -> Any:
    """The method that the standard library makes for a class with the same fields."""
    own: dict[str, object] = {"__doc__": _ANY}
    if hasattr(cls, "__post_init__"):
        own["__post_init__"] = cls.__post_init__
    twin = dataclasses.make_dataclass(
        cls.__name__,
        [(field.name, field.type, field) for field in dataclasses.fields(cls)],
        namespace=own,
        init=name == "__init__",
        repr=name == "__repr__",
        eq=name == "__eq__" or name in _ORDER,
        order=name in _ORDER,
        unsafe_hash=name == "__hash__",
        frozen=frozen and name == "__init__",  # it sets what nobody else can
        slots=slots,
    )
    method = vars(twin)[name]
    method.__qualname__ = f"{cls.__qualname__}.{name}"
    return method


def _refuse_to_set(_: object, name: str, __: object) -> Never:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_: object, name: str) -> Never:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
