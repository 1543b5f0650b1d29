from collections.abc import Callable

import pytest

Judge = Callable[[str, str], list[str]]


@pytest.mark.parametrize(
    ("entries", "problems"),
    [
        ("[]", []),
        ("['*']", []),
        ("['.', ns1]", []),
        ("['.', '*']", ["error VAL-010 spec.exportTo"]),
        ("['*', ns1]", ["error VAL-010 spec.exportTo"]),
        ("['.', own]", ["error VAL-010 spec.exportTo[1]"]),
        ("[ns1, ns1]", ["error VAL-010 spec.exportTo[1]"]),
        ("[ns1_]", ["error VAL-010 spec.exportTo[0]"]),
        ("['~']", ["error VAL-010 spec.exportTo[0]"]),
    ],
)
def test_who_may_see_an_object_is_said_without_contradiction(
    judge: Judge, entries: str, problems: list[str]
) -> None:
    assert judge("DestinationRule", f"{{host: a, exportTo: {entries}}}") == problems
