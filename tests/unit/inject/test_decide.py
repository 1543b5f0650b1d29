"""Which Pods are injected: Istio's four webhooks."""

import pytest

from mizzen.inject.decide import is_selected, said, why_not


@pytest.mark.parametrize(
    ("namespace", "pod", "revision", "selected"),
    [
        ({}, {}, "default", False),
        ({"istio-injection": "enabled"}, {}, "default", True),
        ({"istio-injection": "enabled"}, {"sidecar.istio.io/inject": "false"}, "default", False),
        ({"istio-injection": "enabled"}, {}, "canary", False),
        ({"istio-injection": "enabled", "istio.io/rev": "canary"}, {}, "canary", False),
        ({"istio-injection": "enabled", "istio.io/rev": "canary"}, {}, "default", True),
        ({"istio-injection": "disabled"}, {"sidecar.istio.io/inject": "true"}, "default", False),
        ({"istio.io/rev": "canary"}, {}, "canary", True),
        ({"istio.io/rev": "canary"}, {}, "default", False),
        ({"istio.io/rev": "default"}, {}, "default", True),
        ({}, {"sidecar.istio.io/inject": "true"}, "default", True),
        ({}, {"sidecar.istio.io/inject": "true"}, "canary", False),
        ({}, {"istio.io/rev": "canary"}, "canary", True),
        ({}, {"istio.io/rev": "canary", "sidecar.istio.io/inject": "false"}, "canary", False),
    ],
)
def test_selection(namespace: dict[str, str], pod: dict[str, str], revision: str, selected: bool) -> None:
    assert is_selected(namespace, {"metadata": {"labels": pod}}, revision) is selected


def test_the_label_counts_before_the_annotation() -> None:
    meta = {
        "labels": {"sidecar.istio.io/inject": "true"},
        "annotations": {"sidecar.istio.io/inject": "false"},
    }
    assert said({"metadata": meta}) is True
    assert said({"metadata": {"annotations": {"sidecar.istio.io/inject": "false"}}}) is False
    assert said({}) is None


def test_never_in_kube_system_nor_on_the_network_of_a_node() -> None:
    assert why_not({}, "kube-system")
    assert why_not({"spec": {"hostNetwork": True}}, "a")
    assert not why_not({}, "a")
