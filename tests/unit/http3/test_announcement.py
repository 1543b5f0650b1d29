"""What answers say, as a header."""

from datetime import timedelta

import pytest

from mizzen.http3.announcement import Phase, State, header_value
from tests.unit.http3.harness import H3, an_announcement


@pytest.mark.parametrize(
    ("phase", "port", "value"),
    [
        (Phase.ANNOUNCED, 443, H3),
        (Phase.ANNOUNCED, None, None),
        (Phase.WITHDRAWN, None, "clear"),
        (Phase.WITHHELD, 443, None),
    ],
)
def test_each_phase_has_its_value(phase: Phase, port: int | None, value: str | None) -> None:
    assert header_value(an_announcement(port=port), State(phase=phase)) == value


def test_the_age_is_told_in_seconds() -> None:
    state = State(phase=Phase.ANNOUNCED, max_age=timedelta(minutes=5))
    assert header_value(an_announcement(), state) == 'h3=":443"; ma=300'
