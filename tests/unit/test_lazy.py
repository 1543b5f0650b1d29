"""The same as the standard library's dataclasses, class by class; only that methods are made when they are called first."""

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from mizzen.lazy import dataclass


def sample(decorate: Callable[[type], type]) -> Any:
    """A class with each sort of field, and one that inherits from it."""

    class Parent:
        number: int
        letters: list[str] = dataclasses.field(default_factory=list)
        word: str = "w"
        aside: int = dataclasses.field(default=0, compare=False, repr=False)
        counted: int = dataclasses.field(init=False, default=7)

    base = decorate(Parent)

    class Child(base):  # type: ignore[misc, valid-type]
        number: int = 1
        more: tuple[int, ...] = ()

        def __repr__(self) -> str:
            return f"<{self.number}>"

    return base, decorate(Child)


PARAMETERS = [
    {"frozen": True, "slots": True, "kw_only": True},
    {"frozen": True, "slots": True},
    {"frozen": True, "kw_only": True},
    {"frozen": True, "slots": True, "kw_only": True, "order": True},
    {"frozen": True, "slots": True, "kw_only": True, "eq": False},
    {"slots": True},
    {"slots": True, "kw_only": True},
]


def pairs(parameters: dict[str, bool]) -> list[tuple[Any, Any]]:
    """(the standard library's, ours), of the parent and of the child."""
    return list(
        zip(sample(dataclasses.dataclass(**parameters)), sample(dataclass(**parameters)), strict=True)
    )


def raised(call: Callable[[], object]) -> tuple[type, str]:
    try:
        call()
    except Exception as error:  # noqa: BLE001  # which one is compared
        return type(error), str(error)
    return type(None), ""


@pytest.mark.parametrize("parameters", PARAMETERS, ids=lambda one: "-".join(one))
def test_objects_are_made_alike(parameters: dict[str, bool]) -> None:
    for theirs, ours in pairs(parameters):
        for named in ({"number": 2}, {"number": 2, "letters": ["a"], "word": "b"}):
            assert repr(ours(**named)) == repr(theirs(**named))
            assert dataclasses.asdict(ours(**named)) == dataclasses.asdict(theirs(**named))
        assert ours(number=2).letters is not ours(number=2).letters
        assert raised(lambda t=theirs: t(none=1)) == raised(lambda o=ours: o(none=1))
        assert raised(lambda t=theirs: t(1, [], "b")) == raised(lambda o=ours: o(1, [], "b"))
        assert str(inspect.signature(ours)) == str(
            inspect.signature(theirs)
        )  # the method has been made by now
        assert ours.__match_args__ == theirs.__match_args__
        assert hasattr(ours, "__slots__") == hasattr(theirs, "__slots__")
        assert ours.__doc__ is None  # what nobody has written


@pytest.mark.parametrize("parameters", PARAMETERS, ids=lambda one: "-".join(one))
def test_objects_are_compared_alike(parameters: dict[str, bool]) -> None:
    for cls in [cls for pair in pairs(parameters) for cls in pair]:
        one, same, other = cls(number=1), cls(number=1, aside=9), cls(number=2)
        eq = parameters.get("eq", True)
        assert (one == same) is eq
        assert one == one
        assert one != other
        assert one != 1
        if not eq:
            assert len({one, same}) == 2
        elif parameters.get("frozen"):
            assert raised(lambda one=one: hash(one)) == (TypeError, "unhashable type: 'list'")
            hashed = (cls(number=1, letters=()), cls(number=1, letters=(), aside=9))  # type: ignore[arg-type]
            assert len(set(hashed)) == 1
        else:
            assert cls.__hash__ is None
        if parameters.get("order"):
            assert sorted((other, one)) == [one, other]
            assert one <= same <= other
            assert other >= same > cls(number=0)
        else:
            assert raised(lambda one=one, other=other: one < other)[0] is TypeError


@pytest.mark.parametrize("parameters", PARAMETERS, ids=lambda one: "-".join(one))
def test_fields_are_set_or_not_alike(parameters: dict[str, bool]) -> None:
    for theirs, ours in pairs(parameters):
        results = []
        for cls in (theirs, ours):
            one = cls(number=1)
            results.append(
                (
                    raised(lambda one=one: setattr(one, "number", 2)),
                    raised(lambda one=one: delattr(one, "number")),
                )
            )
            assert not parameters.get("frozen") or one.number == 1
            assert dataclasses.replace(cls(number=3), word="z").number == 3
        assert results[0] == results[1]


def test_what_a_class_says_after_its_fields_are_set_is_done() -> None:
    @dataclass(frozen=True, slots=True)
    class Checked:
        number: int

        def __post_init__(self) -> None:
            if self.number < 0:
                raise ValueError("below zero")

    assert Checked(1).number == 1
    with pytest.raises(ValueError, match="below zero"):
        Checked(-1)


def test_a_method_is_made_when_it_is_called_first_and_then_is_the_classes_own() -> None:
    @dataclass(frozen=True, slots=True)
    class Point:
        x: int

    class Named(Point):  # no dataclass: it inherits what is in the place of the methods
        pass

    before = {name: vars(Point)[name] for name in ("__init__", "__eq__", "__hash__", "__repr__")}
    assert Named(1).x == 1
    made = vars(Point)["__init__"]
    assert made is not before["__init__"]
    assert made.__qualname__.endswith("Point.__init__")
    assert {name for name in before if vars(Point)[name] is before[name]} == {
        "__eq__",
        "__hash__",
        "__repr__",
    }
    Point(2)
    assert vars(Point)["__init__"] is made
