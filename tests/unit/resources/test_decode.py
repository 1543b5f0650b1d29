import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mizzen.resources.declaring.compile import declared_fields
from mizzen.resources.decode import decode
from mizzen.resources.kinds import KINDS
from mizzen.resources.raw_objects import RawObject, parse_documents


def raw(text: str) -> RawObject:
    (found,), problems = parse_documents(text, "in.yaml")
    assert problems == ()
    return found


def told(text: str) -> list[str]:
    return [f"{p.severity.value} {p.code} {p.field}" for p in decode(raw(text)).problems]


def test_a_good_object_becomes_a_resource() -> None:
    found = decode(
        raw("{apiVersion: v1, kind: ConfigMap, metadata: {name: a, creationTimestamp: null}}"), "own"
    )

    assert found.problems == ()
    assert found.resource is not None
    assert found.resource.key == ("own", "a")
    assert str(found.resource.ref) == "ConfigMap/own/a"


def test_some_kinds_have_no_namespace() -> None:
    found = decode(raw("{apiVersion: v1, kind: Namespace, metadata: {name: a, namespace: x}}"))

    assert found.resource is not None
    assert found.resource.namespace == ""


def test_an_operator_needs_no_name_and_lives_in_istio_system() -> None:
    found = decode(raw("{apiVersion: install.istio.io/v1alpha1, kind: IstioOperator, spec: {}}"))

    assert found.resource is not None
    assert found.resource.key == ("istio-system", "")


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("kind: Gateway", "error KIND-004 apiVersion"),
        ("apiVersion: v1", "error KIND-004 kind"),
        ("apiVersion: networking.istio.io/v2, kind: Gateway", "error KIND-003 apiVersion"),
        ("apiVersion: v1, kind: Gateway", "error KIND-003 apiVersion"),
        ("apiVersion: networking.istio.io, kind: Gateway", "error KIND-003 apiVersion"),
        ("apiVersion: gateway.networking.k8s.io/v1, kind: Gateway", "warning KIND-001 kind"),
        ("apiVersion: networking.istio.io/v1, kind: VirtualServices", "error KIND-001 kind"),
        ("apiVersion: authentication.istio.io/v1alpha1, kind: Policy", "error KIND-005 kind"),
        ("apiVersion: rbac.istio.io/v1alpha1, kind: ServiceRole", "error KIND-005 kind"),
        ("apiVersion: config.istio.io/v1alpha2, kind: rule", "error KIND-005 kind"),
        ("apiVersion: config.istio.io/v1alpha2, kind: RouteRule", "error KIND-005 kind"),
        ("apiVersion: v1, kind: service", "error KIND-001 kind"),
        ("apiVersion: rbac.authorization.k8s.io/v1, kind: Role", "info KIND-001 kind"),
        ("apiVersion: networking.istio.io/v1, kind: WorkloadGroup", "warning KIND-002 kind"),
    ],
)
def test_a_kind_that_nothing_is_done_about_is_told(head: str, expected: str) -> None:
    assert told(f"{{{head}, metadata: {{name: a}}}}") == [expected]


@pytest.mark.parametrize(
    "metadata", ["{}", "{name: }", "{name: A_b}", "{name: 1}", "[]", "{name: a, namespace: _}"]
)
def test_an_object_needs_a_name_that_kubernetes_takes(metadata: str) -> None:
    (problem,) = told(f"{{apiVersion: v1, kind: ConfigMap, metadata: {metadata}}}")

    assert problem.startswith("error")
    assert " metadata" in problem


def test_a_field_that_does_not_exist_is_refused_with_the_nearest_one() -> None:
    text = (
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\n"
        "spec:\n  hosts: [a.b]\n  http:\n  - route:\n    - destnation: {host: a}\n"
    )
    found = decode(raw(text))

    assert found.resource is None
    first, second = found.problems
    assert (first.code, first.field, str(first.origin)) == (
        "FLD-001",
        "spec.http[0].route[0].destnation",
        "in.yaml:8:7",
    )
    assert first.hint == "Did you mean destination?"
    assert (second.code, second.field) == ("FLD-003", "spec.http[0].route[0].destination")


def test_what_a_cluster_adds_to_an_object_is_no_mistake() -> None:
    meta = "{name: a, uid: x, resourceVersion: '1', managedFields: [{}], ownerReferences: [{}]}"

    assert (
        told(
            f"{{apiVersion: v1, kind: Pod, metadata: {meta}, spec: {{volumes: []}}, status: {{qosClass: x}}}}"
        )
        == []
    )
    assert (
        told(
            f"{{apiVersion: networking.istio.io/v1, kind: WorkloadEntry, metadata: {meta}, spec: {{address: 1.2.3.4}},"
            " status: {observedGeneration: 1, conditions: [{type: Healthy, status: 'True', lastProbeTime: x}]}}"
        )
        == []
    )
    assert (
        told(
            f"{{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {meta}, spec: {{host: a}},"
            " status: {anything: 1}}"
        )
        == []
    )


def test_settings_of_an_operator_that_take_no_part_are_warned_of() -> None:
    text = (
        "{apiVersion: install.istio.io/v1alpha1, kind: IstioOperator, metadata: {name: a}, spec: "
        "{components: {cni: {enabled: true}}, meshConfig: {caCertificates: [], connectTimeout: 5s}}}"
    )

    assert told(text) == [
        "warning FLD-005 spec.components.cni",
        "warning FLD-005 spec.meshConfig.caCertificates",
    ]


@pytest.mark.parametrize("name", ["istio.io/dry-run", "internal.istio.io/parents"])
def test_annotations_that_nobody_may_write_are_refused(name: str) -> None:
    text = (
        f"{{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {{name: a, annotations: "
        f'{{{name}: "true"}}}}, spec: {{host: a}}}}'
    )

    assert told(text) == [f"error VAL-002 metadata.annotations[{name}]"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def shaped(declaration: type, depth: int = 6) -> st.SearchStrategy[Any]:
    """Mappings with the fields of a declaration, most of them with values that do not fit."""
    fields = declared_fields(declaration)
    words = st.sampled_from(
        ["", "*", "5s", "0s", "a.b", "~", "1", "HTTP", "tls", "SIMPLE", "%", "a/b", "mesh", "["]
    )
    plain = words | JSON
    within: dict[str, st.SearchStrategy[Any]] = {}
    for one in fields:
        nested = [part for part in _parts(one.type) if hasattr(part, "__dataclass_fields__")]
        if nested and depth:
            inner = shaped(nested[0], depth - 1)
            within[one.key] = inner | st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2)
        else:
            within[one.key] = plain | st.lists(plain, max_size=2)
    return st.fixed_dictionaries({}, optional=within) | JSON


def _parts(hint: Any) -> list[Any]:
    arguments = getattr(hint, "__args__", ())
    return [hint, *(part for argument in arguments for part in _parts(argument))]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_object_of_any_shape_raises(kind: str) -> None:
    shapes = shaped(KINDS[kind].declaration)

    @settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(shapes)
    def check(body: Any) -> None:
        data = {"apiVersion": KINDS[kind].api_version, "kind": kind, "metadata": {"name": "a"}}
        data |= body if isinstance(body, dict) else {"spec": body}
        template = raw("{apiVersion: v1, kind: X, metadata: {name: a}}")
        decode(
            RawObject(
                kind=kind,
                api_version=data["apiVersion"] if isinstance(data["apiVersion"], str) else "",
                namespace="",
                name="a",
                data=data,
                ref=template.ref,
                digest="",
            )
        )

    check()


def test_decoding_depends_on_nothing_but_the_object(read: Callable[[str], Any]) -> None:
    text = json.dumps(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"k": "aGk="}}
    )

    assert decode(raw(text)) == decode(raw(text))
