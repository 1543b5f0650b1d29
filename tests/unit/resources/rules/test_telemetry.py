"""What is refused in a Telemetry."""

from functools import partial

import pytest

from tests.unit.resources.rules import harness

judged = partial(harness.judged, "telemetry.istio.io/v1", "Telemetry")


@pytest.mark.parametrize(
    ("spec", "code", "field"),
    [
        ("{accessLogging: [{providers: [{}]}]}", "VAL-001", "spec.accessLogging[0].providers[0].name"),
        (
            "{accessLogging: [{filter: {expression: 'response.code >'}}]}",
            "VAL-005",
            "spec.accessLogging[0].filter.expression",
        ),
        ("{accessLogging: [{filter: {}}]}", "VAL-005", "spec.accessLogging[0].filter.expression"),
        ("{accessLogging: [{filters: {}}]}", "FLD-001", "spec.accessLogging[0].filters"),
        ("{accessLogging: [{match: {mode: BOTH}}]}", "FLD-002", "spec.accessLogging[0].match.mode"),
        (
            "{tracing: [{randomSamplingPercentage: 101}]}",
            "VAL-003",
            "spec.tracing[0].randomSamplingPercentage",
        ),
        ("{tracing: [{customTags: {a: {}}}]}", "VAL-002", "spec.tracing[0].customTags.a"),
        (
            "{tracing: [{customTags: {a: {literal: {}}}}]}",
            "VAL-001",
            "spec.tracing[0].customTags.a.literal.value",
        ),
        (
            "{tracing: [{customTags: {a: {header: {name: 'x y'}}}}]}",
            "VAL-006",
            "spec.tracing[0].customTags.a.header.name",
        ),
        (
            "{tracing: [{customTags: {a: {formatter: {value: '%NO%'}}}}]}",
            "VAL-005",
            "spec.tracing[0].customTags.a.formatter.value",
        ),
        (
            "{tracing: [{customTags: {a: {environment: {}}}}]}",
            "VAL-001",
            "spec.tracing[0].customTags.a.environment.name",
        ),
        ("{selector: {matchLabels: {'': x}}, tracing: [{}]}", "VAL-007", "spec.selector.matchLabels[]"),
        ("{selector: {matchLabels: {a: x}}, targetRefs: [{}], tracing: [{}]}", "VAL-002", "spec.selector"),
    ],
)
def test_what_is_refused(spec, code, field):
    taken, said = judged(spec)
    assert not taken
    assert (code, field) in said


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("{accessLogging: [{}]}", []),
        ("{}", [("VAL-103", "spec")]),
        ("{metrics: [{providers: [{name: prometheus}]}]}", [("VAL-103", "spec.metrics")]),
        (
            "{accessLogging: [{filter: {expression: 'respons.code > 1'}}]}",
            [("VAL-104", "spec.accessLogging[0].filter.expression")],
        ),
        ("{tracing: [{providers: [{name: a}, {name: b}]}]}", [("VAL-103", "spec.tracing[0].providers[1]")]),
        ("{tracing: [{}, {}]}", [("VAL-104", "spec.tracing[1]")]),
        ("{tracing: [{match: {mode: CLIENT}}, {match: {mode: SERVER}}]}", []),
    ],
)
def test_what_is_taken_and_told(spec, expected):
    assert judged(spec) == (True, expected)


@pytest.mark.parametrize(
    ("override", "code"), [("{operation: UPSERT}", "VAL-001"), ("{operation: REMOVE, value: x}", "VAL-002")]
)
def test_overrides_of_metrics(override, code):
    taken, said = judged(f"{{metrics: [{{overrides: [{{tagOverrides: {{a: {override}}}}}]}}]}}")
    assert not taken
    assert (code, "spec.metrics[0].overrides[0].tagOverrides.a") in said
