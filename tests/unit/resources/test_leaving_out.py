import pytest

from mizzen.resources.decode import decode
from mizzen.resources.leaving_out import remainder
from mizzen.resources.raw_objects import RawObject, parse_documents

HEAD = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec: "


def raw(spec: str) -> RawObject:
    (found,), problems = parse_documents(HEAD + spec, "in.yaml")
    assert not problems
    return found


def further(spec: str) -> list[str]:
    one = raw(spec)
    rest = remainder(one, decode(one).problems, "default")
    assert rest is not None
    assert rest.raw is None or decode(rest.raw).resource is not None
    return [f"{problem.code} {problem.field}" for problem in rest.problems]


@pytest.mark.parametrize(
    ("spec", "more"),
    [
        # A type that is wrong keeps values from being judged.
        (
            "{hosts: [a.b], http: [{timeout: soon, route: [{destination: {host: b}, weight: -1}]}]}",
            ["VAL-003 spec.http[0].route[0].weight"],
        ),
        # What follows from leaving something out is not told.
        ("{hosts: [a.b], http: [{route: 7}]}", []),
        ("{hosts: [7], gateways: [gw], http: [{route: [{destination: {host: b}}]}]}", []),
        # Not even this much can be read: the field around it goes.
        (
            "{hosts: [a.b], http: [{route: [{weight: 1}], retries: {attempts: -2}}]}",
            ["VAL-003 spec.http[0].retries.attempts"],
        ),
        ("{hosts: [a.b], no: 1, http: [{timeout: 1ns, route: [{destination: {host: b}}]}]}", []),
    ],
)
def test_what_else_is_wrong_is_found(spec: str, more: list[str]) -> None:
    assert further(spec) == more


@pytest.mark.parametrize("spec", ["[]", "7", "{}"])
def test_of_what_is_no_object_nothing_is_left(spec: str) -> None:
    one = raw(spec)

    rest = remainder(one, decode(one).problems, "default")

    assert rest is not None
    assert (rest.raw, rest.problems) == (None, ())


def test_the_object_itself_stays_as_it_was() -> None:
    one = raw("{hosts: [a.b], http: [{timeout: soon}]}")
    before = str(one.data)

    remainder(one, decode(one).problems, "default")

    assert str(one.data) == before
