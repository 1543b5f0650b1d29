import pytest

from mizzen.resources.decode import decode
from mizzen.resources.raw_objects import parse_documents


def told(kind: str, metadata: str, rest: str = "") -> list[str]:
    group = "apps/v1" if kind == "Deployment" else "v1"
    (raw,), _ = parse_documents(
        f"{{apiVersion: {group}, kind: {kind}, metadata: {{name: a, {metadata}}}{rest}}}", ""
    )
    return [f"{one.severity.value} {one.code} {one.field} {one.hint}".strip() for one in decode(raw).problems]


@pytest.mark.parametrize(
    ("kind", "metadata", "problem"),
    [
        (
            "Pod",
            "annotations: {proxy.istio.io/confg: a}",
            "warning META-004 metadata.annotations[proxy.istio.io/confg] Did you mean proxy.istio.io/config?",
        ),
        (
            "Pod",
            "annotations: {nothing.istio.io/x: a}",
            "warning META-004 metadata.annotations[nothing.istio.io/x]",
        ),
        (
            "Service",
            "annotations: {proxy.istio.io/config: a}",
            "warning META-005 metadata.annotations[proxy.istio.io/config] "
            "Write it at the Pods: spec.template.metadata.annotations.",
        ),
        (
            "Namespace",
            "annotations: {networking.istio.io/exportTo: a}",
            "warning META-005 metadata.annotations[networking.istio.io/exportTo]",
        ),
        (
            "Pod",
            "annotations: {sidecar.istio.io/inject: 'true'}",
            "info META-006 metadata.annotations[sidecar.istio.io/inject] Write it as a label.",
        ),
    ],
)
def test_an_annotation_that_does_nothing_is_told(kind: str, metadata: str, problem: str) -> None:
    assert told(kind, metadata) == [problem]


@pytest.mark.parametrize(
    ("kind", "metadata"),
    [
        ("Pod", "annotations: {proxy.istio.io/config: a, example.com/x: b}"),
        ("Pod", "labels: {sidecar.istio.io/inject: 'true'}, annotations: {sidecar.istio.io/inject: 'true'}"),
        ("Service", "annotations: {networking.istio.io/exportTo: a, galley.istio.io/analyze-suppress: '*'}"),
        ("Namespace", "annotations: {networking.istio.io/traffic-distribution: PreferClose}"),
    ],
)
def test_others_are_not(kind: str, metadata: str) -> None:
    assert told(kind, metadata) == []


def test_those_of_the_pods_of_a_workload_are_judged_as_theirs() -> None:
    spec = ", spec: {template: {metadata: {annotations: {proxy.istio.io/config: a, sidecar.istio.io/injekt: b}}}}"

    assert told("Deployment", "namespace: a", spec) == [
        "warning META-004 spec.template.metadata.annotations[sidecar.istio.io/injekt] "
        "Did you mean sidecar.istio.io/inject?"
    ]
    assert told("Deployment", "annotations: {sidecar.istio.io/proxyCPU: '1'}") == [
        "warning META-005 metadata.annotations[sidecar.istio.io/proxyCPU] "
        "Write it at the Pods: spec.template.metadata.annotations."
    ]
