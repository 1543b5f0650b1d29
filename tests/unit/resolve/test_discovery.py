"""Which namespaces count."""

from collections.abc import Mapping
from typing import Any

import pytest

from mizzen.errors import ResourceRef
from mizzen.resolve.discovery import discovered, is_discovered
from mizzen.resources.declaring.declare import Metadata
from mizzen.resources.istio.mesh import NamespaceRequirement, NamespaceSelector
from mizzen.resources.istio.security import AuthorizationPolicy
from mizzen.resources.kubernetes.core import Namespace, Secret, Service
from mizzen.resources.world import World


def made(kind: Any, namespace: str, name: str, labels: Mapping[str, str] | None = None) -> Any:
    ref = ResourceRef(kind=kind.__name__, namespace=namespace, name=name)
    return kind(meta=Metadata(name=name, namespace=namespace, labels=labels or {}), ref=ref)


def wanting(operator: Any, *values: str, key: str = "a") -> NamespaceSelector:
    requirement = NamespaceRequirement(key=key, operator=operator, values=values)
    return NamespaceSelector(match_expressions=(requirement,))


LABELS = NamespaceSelector(match_labels={"a": "1"})
WORLD = World.of(
    [
        made(Namespace, "", "one", {"a": "1"}),
        made(Namespace, "", "two", {"a": "2"}),
        *(made(Service, namespace, "web") for namespace in ("one", "two", "three")),
        made(AuthorizationPolicy, "two", "guard"),
        made(Secret, "two", "own"),
    ]
)


@pytest.mark.parametrize(
    ("selectors", "count"),
    [
        ((), {"one", "two", "three"}),
        ((LABELS,), {"one"}),
        ((NamespaceSelector(),), {"one", "two", "three"}),
        ((wanting("In", "1", "2"),), {"one", "two"}),
        ((wanting("NotIn", "1"),), {"two", "three"}),
        ((wanting("Exists"),), {"one", "two"}),
        ((wanting("DoesNotExist"),), {"three"}),
        ((LABELS, wanting("In", "three", key="kubernetes.io/metadata.name")), {"one", "three"}),
        (
            (
                NamespaceSelector(
                    match_labels={"a": "1"}, match_expressions=wanting("In", "2").match_expressions
                ),
            ),
            set(),
        ),
    ],
)
def test_one_selector_must_fit_with_all_that_it_says(
    selectors: tuple[NamespaceSelector, ...], count: set[str]
) -> None:
    assert {one for one in ("one", "two", "three") if is_discovered(WORLD, selectors, one)} == count
    left = discovered(WORLD, selectors).made
    assert {one.namespace for one in left.services} == count


def test_what_a_proxy_of_that_namespace_goes_by_stays() -> None:
    left = discovered(WORLD, (LABELS,)).made
    assert left.authorization_policies == WORLD.authorization_policies
    assert left.secrets == WORLD.secrets
    assert left.namespaces == WORLD.namespaces


def test_without_selectors_nothing_is_made() -> None:
    assert discovered(WORLD, ()).made is WORLD


def test_what_follows_from_a_difference_is_what_is_made_anew() -> None:
    before = discovered(WORLD, (LABELS,))
    for changed, removed in (
        ({("one", "more"): made(Service, "one", "more")}, ()),
        ({("two", "more"): made(Service, "two", "more")}, [("one", "web"), ("three", "web")]),
        ({}, [("two", "web")]),
    ):
        world = before.world.with_changes({Service: changed}, {Service: removed}, (), {})
        after = discovered(world, (LABELS,), before)
        assert after.made == discovered(world, (LABELS,)).made
        assert after.made.services == discovered(world, (LABELS,)).made.services
        before = after
    relabelled = made(Namespace, "", "two", {"a": "1"})
    world = before.world.with_changes({Namespace: {("", "two"): relabelled}}, {}, (), {})
    assert {one.namespace for one in discovered(world, (LABELS,), before).made.services} == {"one", "two"}
