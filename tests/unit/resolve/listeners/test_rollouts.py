"""How announcements come, as policies say."""

from datetime import timedelta

import pytest

from mizzen.model.announcement import IMMEDIATE, Announcement, Stage, StepBack
from mizzen.pipeline import Settings, build
from mizzen.resources.raw_objects import parse_documents
from tests.unit.plane.harness import https

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TWO = https("shop") + "---" + https("other", port=8443)


def policy(spec: str, name: str = "one") -> str:
    return f"""
---
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {{name: {name}, namespace: istio-system}}
spec: {spec}
"""


def announcements(*policies: str, operator: str = "") -> dict[str, Announcement]:
    objects, broken = parse_documents(TWO + "".join(policies) + operator, "in.yaml")
    assert not broken
    built = build(objects, (), Settings())
    assert not [one for one in built.problems if one.code.startswith(("FLD", "VAL"))]
    return {one.name.split(".")[3]: one for one in built.gateways[0].model.announcements}


def test_without_a_choice_it_is_a_day_at_once() -> None:
    for one in announcements().values():
        assert (one.rollout.stages, one.rollout.step_back) == (IMMEDIATE, None)
        assert one.rollout.drain == timedelta(seconds=20)


def test_gradual_begins_with_a_minute_and_is_judged() -> None:
    made = announcements(policy("{announcement: {rollout: Gradual}}"))["shop"].rollout
    assert [one.max_age for one in made.stages] == [MINUTE, 5 * MINUTE, HOUR, 24 * HOUR]
    assert [one.duration for one in made.stages] == [10 * MINUTE, HOUR, 24 * HOUR, None]
    assert made.step_back == StepBack()


@pytest.mark.parametrize(
    ("settings", "ages"),
    [
        ("{maxAge: 2h}", [2 * HOUR]),
        ("{rollout: Immediate}", [24 * HOUR]),
        ("{rollout: Gradual, maxAge: 1h}", [MINUTE, 5 * MINUTE, HOUR]),
        ("{rollout: Gradual, maxAge: 30s}", [MINUTE / 2]),
    ],
)
def test_the_last_age_may_be_another(settings: str, ages: list[timedelta]) -> None:
    made = announcements(policy(f"{{announcement: {settings}}}"))["shop"].rollout
    assert [one.max_age for one in made.stages] == ages
    assert made.stages[-1].duration is None


def test_one_gateway_may_have_stages_of_its_own() -> None:
    own = "{targetRefs: [{name: shop}], announcement: {rollout: Gradual, stages: [{maxAge: 1s, duration: 3s}, {maxAge: 9s}]}}"
    made = announcements(policy("{announcement: {maxAge: 1h}}", "all"), policy(own))
    assert made["shop"].rollout.stages == (
        Stage(max_age=timedelta(seconds=1), duration=timedelta(seconds=3)),
        Stage(max_age=timedelta(seconds=9)),
    )
    assert made["other"].rollout.stages == (Stage(max_age=HOUR),)


def test_what_is_judged_may_be_said_and_switched_off() -> None:
    off = announcements(policy("{announcement: {rollout: Gradual, stepBack: {enabled: false}}}"))["shop"]
    assert off.rollout.step_back is None
    said = "{announcement: {stepBack: {interval: 5s, badIntervals: 1, errorsAboveTcp: 1, roundTrip: 1s}}}"
    made = announcements(policy(said))["shop"].rollout
    assert made.stages == IMMEDIATE
    assert made.step_back == StepBack(
        interval=timedelta(seconds=5), bad=1, errors_above_tcp=0.01, round_trip=timedelta(seconds=1)
    )


def test_the_public_address_is_proven_too() -> None:
    made = announcements(policy("{announcement: {publicAddress: 203.0.113.9}}"))["shop"]
    assert made.public_address == "203.0.113.9"


def test_how_long_envoy_drains_is_that_of_its_proxy() -> None:
    operator = """
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: one, namespace: istio-system}
spec:
  values: {pilot: {env: {PILOT_ENABLE_QUIC_LISTENERS: "true"}}}
  meshConfig: {defaultConfig: {drainDuration: 7s}}
"""
    assert announcements(operator=operator)["shop"].rollout.drain == timedelta(seconds=7)
