"""alt-svc as values."""

import pytest

from mizzen.doctor.alternatives import DEFAULT_AGE, Alternative, announced


@pytest.mark.parametrize(
    ("text", "h3"),
    [
        ('h3=":443"', Alternative(protocol="h3", port=443, max_age=DEFAULT_AGE)),
        ('h3=":8443"; ma=60', Alternative(protocol="h3", port=8443, max_age=60)),
        (
            'h3-29=":443", h3="alt.test:444";ma=5;persist=1',
            Alternative(protocol="h3", host="alt.test", port=444, max_age=5),
        ),
        ('h3="[::1]:444"', Alternative(protocol="h3", host="::1", port=444)),
        ('h3-29=":443"', None),
        ("clear", None),
        ("nonsense", None),
        ("", None),
    ],
)
def test_what_is_announced(text: str, h3: Alternative | None) -> None:
    assert announced([text]).h3 == h3


def test_clear_takes_everything_back() -> None:
    assert announced(["clear"]).clear and not announced(['h3=":1"']).clear


def test_several_headers_are_one() -> None:
    found = announced(['h2=":443"', 'h3=":444"'])
    assert [one.protocol for one in found.alternatives] == ["h2", "h3"]
    assert found.text == 'h2=":443", h3=":444"'
