import json
from typing import Any

from mizzen.plan.applying import applied
from mizzen.plan.differences import differences, said
from mizzen.resources.kubernetes.metadata import LAST_APPLIED
from mizzen.resources.raw_objects import RawObject, parse_documents

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "edge", "namespace": "n"},
    "spec": {"ports": [{"port": 443, "name": "https"}, {"port": 443, "name": "http3", "protocol": "UDP"}]},
}
GATEWAY = {
    "apiVersion": "networking.istio.io/v1beta1",
    "kind": "Gateway",
    "metadata": {"name": "web", "namespace": "n"},
    "spec": {"servers": [{"hosts": ["a"], "port": {"number": 80, "name": "http"}}]},
}


def raw(value: Any, file: str = "a.yaml") -> RawObject:
    [found], problems = parse_documents(json.dumps(value), file)
    assert not problems
    return found


def stored(value: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """As an API server has it, once it was applied."""
    metadata = {
        **value["metadata"],
        "uid": "u",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "annotations": {LAST_APPLIED: json.dumps(value)},
    }
    return {**value, "metadata": metadata, "spec": {**value.get("spec", {}), **spec}, "status": {"x": 1}}


def onto(there: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    [found] = applied((raw(there, "cluster"),), (raw(given),), "default")
    assert str(found.ref.place()) == "a.yaml:1:1"
    return dict(found.data)


def test_what_is_applied_again_differs_in_nothing() -> None:
    there = stored(
        SERVICE,
        clusterIP="10.0.0.1",
        ports=[
            {"port": 443, "name": "https", "protocol": "TCP", "targetPort": 8443, "nodePort": 30000},
            {"port": 443, "name": "http3", "protocol": "UDP", "targetPort": 8443, "nodePort": 30001},
        ],
    )
    objects = (raw(there, "cluster"),)

    assert differences(objects, applied(objects, (raw(SERVICE),), "default"), "default").changed == ()


def test_what_a_file_says_no_more_goes_and_what_others_wrote_stays() -> None:
    before = {**SERVICE, "spec": {**SERVICE["spec"], "externalTrafficPolicy": "Local"}}
    found = onto(stored(before, clusterIP="10.0.0.1"), SERVICE)

    assert "externalTrafficPolicy" not in found["spec"]
    assert (found["spec"]["clusterIP"], found["status"]) == ("10.0.0.1", {"x": 1})
    assert found["metadata"]["creationTimestamp"]


def test_a_port_that_a_file_names_no_more_goes() -> None:
    [https, _] = SERVICE["spec"]["ports"]
    found = onto(stored(SERVICE), {**SERVICE, "spec": {"ports": [https]}})

    assert found["spec"]["ports"] == [https]


def test_lists_of_other_kinds_are_taken_as_a_whole() -> None:
    server = {"hosts": ["b"], "port": {"number": 80, "name": "http"}}
    there = stored(GATEWAY)
    there["spec"]["servers"][0]["tls"] = {"httpsRedirect": True}

    assert onto(there, {**GATEWAY, "spec": {"servers": [server]}})["spec"]["servers"] == [server]


def test_the_version_that_the_server_tells_is_no_difference() -> None:
    there = stored({**GATEWAY, "apiVersion": "networking.istio.io/v1"})

    assert onto(there, GATEWAY)["apiVersion"] == "networking.istio.io/v1"


def test_texts_of_secrets_are_data() -> None:
    there = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "n"},
        "data": {"a": "eA=="},
    }
    given = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "n"},
        "stringData": {"a": "x"},
    }

    assert said(onto(there, given)) == there


def test_what_is_not_there_comes_and_what_is_not_given_stays() -> None:
    other = {**GATEWAY, "metadata": {"name": "other", "namespace": "n"}}
    found = applied((raw(GATEWAY, "cluster"),), (raw(other),), "default")

    assert [one.name for one in found] == ["web", "other"]


def test_what_was_applied_the_last_time_may_be_nonsense() -> None:
    there = stored(GATEWAY)
    for nonsense in ("{", "[]", "null", "3"):
        there["metadata"]["annotations"][LAST_APPLIED] = nonsense
        assert onto(there, GATEWAY)["spec"] == GATEWAY["spec"]
