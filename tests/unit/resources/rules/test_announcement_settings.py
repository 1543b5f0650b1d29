"""What is refused of stages; the messages are in the case stages-that-are-refused."""

from datetime import timedelta

import pytest

from mizzen.errors import ResourceRef
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.mizzen.announcement import (
    AnnouncementSettings,
    AnnouncementStage,
    AnnouncementStepBack,
)
from mizzen.resources.rules.announcement_settings import LONGEST, MOST_STAGES, validate_announcement

SECOND = timedelta(seconds=1)


def refused(settings: AnnouncementSettings) -> list[str]:
    found = Findings(ResourceRef(kind="HTTP3Policy", name="a"))
    validate_announcement(settings, found)
    return [one.code for one in found.problems]


def gradual(*ages: int) -> AnnouncementSettings:
    stages = [AnnouncementStage(max_age=age * SECOND, duration=SECOND) for age in ages[:-1]]
    return AnnouncementSettings(
        rollout="Gradual", stages=(*stages, AnnouncementStage(max_age=ages[-1] * SECOND))
    )


@pytest.mark.parametrize(
    "settings",
    [
        AnnouncementSettings(),
        gradual(5),
        gradual(*range(1, MOST_STAGES + 1)),
        AnnouncementSettings(max_age=LONGEST),
        AnnouncementSettings(public_address="2001:db8::1"),
        AnnouncementSettings(rollout="Gradual", max_age=SECOND),
        AnnouncementSettings(step_back=AnnouncementStepBack(interval=SECOND, pause=SECOND)),
    ],
)
def test_what_may_be_said(settings: AnnouncementSettings) -> None:
    assert refused(settings) == []


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (gradual(5, 5), "VAL-013"),
        (gradual(9, 5, 10), "VAL-013"),
        (gradual(*range(1, MOST_STAGES + 2)), "VAL-013"),
        (AnnouncementSettings(stages=(AnnouncementStage(max_age=SECOND),)), "VAL-002"),
        (AnnouncementSettings(max_age=LONGEST + SECOND), "VAL-009"),
        (AnnouncementSettings(max_age=SECOND / 2), "VAL-009"),
        (AnnouncementSettings(max_age=SECOND * 1.5), "VAL-009"),
        (AnnouncementSettings(public_address="lb.example.com"), "VAL-013"),
        (AnnouncementSettings(step_back=AnnouncementStepBack(interval=timedelta(hours=2))), "VAL-009"),
        (AnnouncementSettings(step_back=AnnouncementStepBack(round_trip=timedelta(0))), "VAL-009"),
    ],
)
def test_what_may_not(settings: AnnouncementSettings, code: str) -> None:
    assert refused(settings) == [code]
