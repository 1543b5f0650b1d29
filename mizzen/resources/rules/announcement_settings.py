"""What is refused in the block `announcement` of an HTTP3Policy."""

from datetime import timedelta

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.formats import checks
from mizzen.resources.mizzen.announcement import (
    SHORTEST,
    AnnouncementSettings,
    AnnouncementStage,
    AnnouncementStepBack,
)

LONGEST = timedelta(days=365)
LONGEST_INTERVAL = timedelta(hours=1)
MOST_STAGES = 16
_SECONDS = timedelta(seconds=1)


def validate_announcement(one: AnnouncementSettings, found: Findings) -> None:
    _time(one.max_age, f"{one.at}.maxAge", found)
    if one.stages and one.rollout != "Gradual":
        message = "stages are those of a gradual rollout"
        found.error("VAL-002", f"{one.at}.stages", message, 'Say "rollout: Gradual".')
    if one.stages and one.max_age is not None:
        message = "maxAge and stages exclude each other: the last stage says it"
        found.error("VAL-002", f"{one.at}.maxAge", message, "Leave one of them out.")
    if len(one.stages) > MOST_STAGES:
        found.error("VAL-013", f"{one.at}.stages", f"there are more than {MOST_STAGES} of them")
    _validate_stages(one.stages, found)
    if one.step_back is not None:
        _validate_step_back(one.step_back, found)
    if one.public_address and not checks.is_ip(one.public_address):
        message = f'"{one.public_address}" is not an IP address'
        found.error("VAL-013", f"{one.at}.publicAddress", message, "A name could lead anywhere else.")


def _validate_stages(stages: tuple[AnnouncementStage, ...], found: Findings) -> None:
    for number, stage in enumerate(stages):
        _time(stage.max_age, f"{stage.at}.maxAge", found)
        _time(stage.duration, f"{stage.at}.duration", found)
        is_last = number + 1 == len(stages)
        if is_last and stage.duration is not None:
            message = "nothing comes after the last stage: it stays"
            found.error("VAL-002", f"{stage.at}.duration", message, "Leave it out.")
        if not is_last and stage.duration is None:
            message = "how long it lasts must be said of all stages but the last"
            found.error("VAL-001", f"{stage.at}.duration", message, "Say 10m.")
        if number and stage.max_age <= stages[number - 1].max_age:
            message = "each stage must be remembered for longer than the one before"
            found.error("VAL-013", f"{stage.at}.maxAge", message, "Put them in the order of their ages.")


def _validate_step_back(one: AnnouncementStepBack, found: Findings) -> None:
    _time(one.interval, f"{one.at}.interval", found, LONGEST_INTERVAL)
    _time(one.pause, f"{one.at}.pause", found)
    if one.round_trip is not None and (wrong := checks.duration(one.round_trip)):
        found.error("VAL-009", f"{one.at}.roundTrip", wrong)


def _time(value: timedelta | None, at: str, found: Findings, longest: timedelta = LONGEST) -> None:
    if value is None:
        return
    if value % _SECONDS or not SHORTEST <= value <= longest:
        most = f"{longest.days} days" if longest.days else f"{longest.total_seconds() / 3600:.0f} h"
        found.error("VAL-009", at, f"it must be a number of whole seconds, from 1s to {most}")
