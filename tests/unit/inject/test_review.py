"""What the API server is answered."""

import base64
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mizzen.inject.review import review
from mizzen.inject.settings import InjectorSettings, SettingsError, settings_of

Json = dict[str, Any]

VALUES = json.dumps({"global": {"hub": "hub", "tag": "1", "imagePullSecrets": ["a"]}, "revision": "default"})
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def settings() -> InjectorSettings:
    return settings_of(VALUES, pilot="istiod.istio-system.svc:15012", trust_domain="cluster.local")


def asked(pod: Any, namespace: str = "shop", **request: Any) -> Json:
    return {"request": {"uid": "u", "namespace": namespace, "object": pod, **request}}


def patched(before: Json, answer: Json) -> Json:
    """What RFC 6902 makes of it, for the operations that we use."""
    after = copy.deepcopy(before)
    for one in json.loads(base64.b64decode(answer["response"]["patch"])):
        *way, last = (part.replace("~1", "/").replace("~0", "~") for part in one["path"].split("/")[1:])
        at = after
        for step in way:
            at = at[step]
        if one["op"] == "remove":
            del at[last]
        else:
            at[last] = one["value"]
    return after


POD = {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "app", "image": "x"}]}}


def test_the_patch_makes_the_pod_with_its_sidecar() -> None:
    answer = review(asked(POD), settings, native=True)

    assert answer["response"]["uid"] == "u"
    assert answer["response"]["patchType"] == "JSONPatch"
    found = patched(POD, answer)
    assert [one["name"] for one in found["spec"]["initContainers"]] == ["istio-init", "istio-proxy"]
    assert found["spec"]["initContainers"][1]["image"] == "hub/mizzen:1"


def test_pods_that_get_none_are_let_through_as_they_are() -> None:
    network = {**POD, "spec": {**POD["spec"], "hostNetwork": True}}
    refused = {**POD, "metadata": {"name": "a", "labels": {"sidecar.istio.io/inject": "false"}}}
    for request in (asked(network), asked(refused), asked(POD, "kube-system"), asked({"kind": "Other"})):
        assert review(request, settings, native=True)["response"] == {"uid": "u", "allowed": True}


def test_a_pod_that_cannot_be_injected_is_refused_with_the_reason() -> None:
    pod = {**POD, "metadata": {"name": "a", "annotations": {"inject.istio.io/templates": "nono"}}}
    response = review(asked(pod), settings, native=True)["response"]
    assert response["allowed"] is False
    assert "there is no template 'nono'" in response["status"]["message"]


def test_settings_that_cannot_be_read_are_said() -> None:
    def broken() -> InjectorSettings:
        return settings_of("{", pilot="", trust_domain="")

    response = review(asked(POD), broken, native=True)["response"]
    assert response["allowed"] is False
    assert "the injector's values cannot be read" in response["status"]["message"]
    with pytest.raises(SettingsError, match="JSON"):
        broken()


@given(anything)
def test_no_input_makes_it_fail(value: Any) -> None:
    for request in (
        value,
        {"request": value},
        asked(value),
        asked({"metadata": value, "spec": {"containers": value}}),
    ):
        answer = review(request, settings, native=False)
        assert isinstance(answer["response"]["allowed"], bool)
