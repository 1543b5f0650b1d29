import pytest

from mizzen.client.shown_problems import (
    SUPPRESSED,
    Suppression,
    annotated,
    at_least,
    friendly_name,
    in_color,
    kept,
    unknown_codes,
)
from mizzen.errors import Problem, ResourceRef, Severity

SHOP = ResourceRef(kind="VirtualService", namespace="default", name="shop")


def problem(code: str = "REF-001", severity: Severity = Severity.ERROR, ref: ResourceRef = SHOP) -> Problem:
    return Problem(severity=severity, code=code, resource=ref, message="a")


@pytest.mark.parametrize(
    ("text", "takes"),
    [
        ("IST0101=VirtualService shop.default", True),
        ("REF-001=VirtualService shop.default", True),
        ("IST0101=VirtualService *.default", True),
        ("IST0101=*", True),
        ("IST0101=VirtualService shop.other", False),
        ("IST0101=VirtualService sho[p].default", False),
        ("IST0102=VirtualService shop.default", False),
        ("IST0101=Gateway shop.default", False),
    ],
)
def test_a_suppression_takes_a_code_at_an_object(text: str, takes: bool) -> None:
    assert Suppression.of(text).takes(problem()) is takes


@pytest.mark.parametrize("text", ["", "IST0101", "IST0101=", "=a", "no code=a"])
def test_what_is_no_suppression_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="is not CODE=KIND"):
        Suppression.of(text)


def test_an_object_without_a_namespace_is_called_by_its_name() -> None:
    assert friendly_name(ResourceRef(kind="Namespace", name="shop")) == "Namespace shop"


def test_an_object_may_suppress_by_its_annotation() -> None:
    def told(codes: object) -> tuple[Problem, ...]:
        data = {"metadata": {"annotations": {SUPPRESSED: codes}}}
        return kept([problem(), problem("BE-004")], by_objects=annotated([(SHOP, data)]))

    assert told("IST0101, BE-004") == ()
    assert told("*") == ()
    assert told("IST0102") == (problem(), problem("BE-004"))
    assert told(7) == (problem(), problem("BE-004"))


def test_what_is_no_object_can_be_left_out() -> None:
    some = [problem("YML-001"), problem("KIND-004"), problem("FLD-001")]

    assert kept(some, ignore_unknown=True) == (problem("FLD-001"),)


def test_a_threshold_keeps_what_is_as_bad() -> None:
    some = tuple(problem(severity=severity) for severity in (Severity.INFO, Severity.WARNING, Severity.ERROR))

    assert at_least(some, Severity.INFO) == some
    assert at_least(some, Severity.WARNING) == some[1:]
    assert at_least(some, Severity.ERROR) == some[2:]


def test_a_code_that_nobody_has_is_known_to_be_none() -> None:
    some = [Suppression.of(f"{code}=*") for code in ("IST0101", "IST0106", "REF-001", "IST0199", "XYZ-001")]

    assert unknown_codes(some, {"REF-001"}) == ["IST0199", "XYZ-001"]


def test_the_severity_is_what_has_a_color() -> None:
    assert in_color(problem()) == ("VirtualService/default/shop: \x1b[31merror\x1b[0m REF-001 (IST0101): a")
