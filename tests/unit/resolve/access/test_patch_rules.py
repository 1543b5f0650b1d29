"""What Istio's webhook refuses of a patch, and what has no effect."""

import pytest
import yaml

from mizzen.model.patch import Operation, Target
from mizzen.resolve.access.patch_rules import is_relative, mistakes, operation_of, without_effect
from mizzen.resources.decode import decode
from mizzen.resources.istio.envoy_filter import ConfigPatch, EnvoyFilter
from mizzen.resources.raw_objects import parse_documents

CHAIN = "listener: {filterChain: {filter: %s}}"


def patch(text: str) -> ConfigPatch:
    written = {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": {"name": "a", "namespace": "b"},
        "spec": {"configPatches": [yaml.safe_load(text)]},
    }
    objects, _ = parse_documents(yaml.safe_dump(written), "test.yaml")
    made = decode(objects[0]).resource
    assert isinstance(made, EnvoyFilter)
    return made.spec.config_patches[0]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("{patch: {operation: ADD, value: {a: 1}}}", "applyTo"),
        ("{applyTo: CLUSTER}", ""),
        ("{applyTo: CLUSTER, patch: {value: {a: 1}}}", "patch.operation"),
        ("{applyTo: CLUSTER, patch: {operation: ADD}}", "patch.value"),
        ("{applyTo: CLUSTER, match: {listener: {}}, patch: {operation: REMOVE}}", "match.listener"),
        ("{applyTo: LISTENER, match: {cluster: {}}, patch: {operation: REMOVE}}", "match.cluster"),
        ("{applyTo: HTTP_ROUTE, match: {cluster: {}}, patch: {operation: REMOVE}}", "match.cluster"),
        (
            "{applyTo: CLUSTER, match: {cluster: {}, listener: {}}, patch: {operation: REMOVE}}",
            "match.cluster",
        ),
        (
            "{applyTo: CLUSTER, match: {proxy: {proxyVersion: '('}}, patch: {operation: REMOVE}}",
            "match.proxy.proxyVersion",
        ),
        (
            "{applyTo: NETWORK_FILTER, match: {listener: {filterChain: {filter: {}}}}, patch: {operation: REMOVE}}",
            "match.listener.filterChain.filter",
        ),
        (
            "{applyTo: NETWORK_FILTER, match: {listener: {filterChain: {filter: {name: a, subFilter: {name: b}}}}}, "
            "patch: {operation: REMOVE}}",
            "match.listener.filterChain.filter.subFilter",
        ),
        (
            "{applyTo: HTTP_FILTER, match: {listener: {filterChain: {filter: {name: a, subFilter: {name: b}}}}}, "
            "patch: {operation: REMOVE}}",
            "match.listener.filterChain.filter.name",
        ),
    ],
)
def test_what_istios_webhook_refuses(text: str, at: str) -> None:
    (found,) = mistakes(patch(text))

    assert found.at == ".".join(filter(None, ("spec.configPatches[0]", at)))


@pytest.mark.parametrize(
    "text",
    [
        "{applyTo: CLUSTER, patch: {operation: REMOVE}}",
        "{applyTo: LISTENER, match: {context: GATEWAY, listener: {portNumber: 80}}, patch: {operation: REMOVE}}",
        "{applyTo: BOOTSTRAP, patch: {operation: MERGE, value: {a: 1}}}",
        f"{{applyTo: CLUSTER, match: {{proxy: {{proxyVersion: '{'(' * 2000}'}}}}, patch: {{operation: REMOVE}}}}",
    ],
)
def test_what_it_takes(text: str) -> None:
    assert list(mistakes(patch(text))) == []


@pytest.mark.parametrize(
    ("target", "operation", "becomes"),
    [
        (Target.VIRTUAL_HOST, "INSERT_FIRST", Operation.ADD),
        (Target.CLUSTER, "INSERT_BEFORE", Operation.ADD),
        (Target.HTTP_FILTER, "INSERT_FIRST", Operation.INSERT_FIRST),
        (Target.LISTENER_FILTER, "INSERT_AFTER", Operation.INSERT_AFTER),
        (Target.HTTP_ROUTE, "INSERT_BEFORE", Operation.INSERT_BEFORE),
    ],
)
def test_to_insert_where_there_is_no_order_is_to_add(
    target: Target, operation: str, becomes: Operation
) -> None:
    assert operation_of(target, operation) is becomes


@pytest.mark.parametrize(
    ("target", "operation", "match", "effective"),
    [
        (Target.LISTENER, Operation.REPLACE, "{}", False),
        (Target.ROUTE_CONFIGURATION, Operation.ADD, "{}", False),
        (Target.HTTP_ROUTE, Operation.REPLACE, "{}", False),
        (Target.HTTP_ROUTE, Operation.REMOVE, "{}", True),
        (Target.VIRTUAL_HOST, Operation.REPLACE, "{}", True),
        (Target.EXTENSION_CONFIG, Operation.MERGE, "{}", False),
        (Target.HTTP_FILTER, Operation.MERGE_AND_REPLACE_LIST, "{}", False),
        (Target.HTTP_FILTER, Operation.REMOVE, "{}", False),
        (Target.HTTP_FILTER, Operation.REMOVE, "{listener: {filterChain: {filter: {name: a}}}}", False),
        (
            Target.HTTP_FILTER,
            Operation.REMOVE,
            "{listener: {filterChain: {filter: {name: a, subFilter: {name: b}}}}}",
            True,
        ),
        (Target.NETWORK_FILTER, Operation.REPLACE, "{listener: {filterChain: {filter: {name: a}}}}", True),
        (Target.LISTENER_FILTER, Operation.MERGE, "{listener: {}}", False),
        (Target.LISTENER_FILTER, Operation.MERGE, "{listener: {listenerFilter: a}}", True),
        (Target.LISTENER_FILTER, Operation.ADD, "{}", True),
    ],
)
def test_what_has_an_effect(target: Target, operation: Operation, match: str, effective: bool) -> None:
    written = patch(
        f"{{applyTo: {target.value}, match: {match}, patch: {{operation: {operation.value}, value: {{a: 1}}}}}}"
    )

    assert (without_effect(written, target, operation) == "") == effective


def test_what_depends_on_others() -> None:
    assert is_relative(Target.HTTP_FILTER, Operation.INSERT_BEFORE)
    assert is_relative(Target.CLUSTER, Operation.REMOVE)
    assert not is_relative(Target.HTTP_FILTER, Operation.INSERT_FIRST)
    assert not is_relative(Target.CLUSTER, Operation.MERGE)
