"""What is refused in an HTTP3Policy."""

from functools import partial

import pytest

from tests.unit.resources.rules import harness

WEB = "{group: networking.istio.io, kind: Gateway, name: web}"


judged = partial(harness.judged, "mizzen.dev/v1alpha1", "HTTP3Policy")


@pytest.mark.parametrize(
    ("spec", "code", "field"),
    [
        (f"{{selector: {{matchLabels: {{a: b}}}}, targetRefs: [{WEB}]}}", "VAL-002", "spec.targetRefs"),
        ("{hosts: [a.example.com]}", "VAL-002", "spec.hosts"),
        (f"{{targetRefs: [{WEB}], hosts: ['a b']}}", "VAL-004", "spec.hosts[0]"),
        (f"{{targetRefs: [{WEB}], hosts: [a.example.com], mode: only}}", "VAL-002", "spec.mode"),
        ("{targetRefs: [{name: ''}]}", "VAL-001", "spec.targetRefs[0].name"),
        ("{targetRefs: [{}]}", "FLD-003", "spec.targetRefs[0].name"),
        ("{targetRefs: [{kind: Service, name: a}]}", "VAL-011", "spec.targetRefs[0].kind"),
        (
            "{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: a}]}",
            "VAL-011",
            "spec.targetRefs[0].kind",
        ),
        ("{mode: sometimes}", "FLD-002", "spec.mode"),
        ("{modes: only}", "FLD-001", "spec.modes"),
    ],
)
def test_what_is_refused(spec, code, field):
    is_read, problems = judged(spec)

    assert not is_read
    assert problems == [(code, field)]


@pytest.mark.parametrize(
    "spec",
    [
        "{}",
        '{mode: "off"}',
        f'{{targetRefs: [{WEB}], hosts: ["*.example.com", a.example.com], mode: "off"}}',
        f"{{targetRefs: [{WEB[:-1]}, sectionName: https}}], mode: only}}",
        '{selector: {matchLabels: {istio: ingressgateway}}, mode: "on"}',
    ],
)
def test_what_is_read(spec):
    assert judged(spec) == (True, [])
