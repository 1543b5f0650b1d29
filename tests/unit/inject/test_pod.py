"""A Pod with its sidecar."""

import copy
import json
from typing import Any

import pytest

from mizzen.inject.container import ProxySettings
from mizzen.inject.pod import Unfit, injected, owner_of
from mizzen.inject.settings import InjectorSettings

SETTINGS = InjectorSettings(
    proxy=ProxySettings(image="hub/mizzen:1", pilot="istiod.istio-system.svc:15012"),
    pull_secrets=("registry",),
)

Json = dict[str, Any]


def pod(**spec: Any) -> Json:
    return {
        "metadata": {
            "generateName": "shop-7d9f-",
            "labels": {"app": "shop", "version": "v2", "pod-template-hash": "7d9f"},
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "shop-7d9f", "controller": True}
            ],
        },
        "spec": {
            "containers": [{"name": "shop", "image": "shop:1", "ports": [{"containerPort": 80}]}],
            **spec,
        },
    }


def made(given: Json | None = None, *, native: bool = True, **annotations: str) -> Json:
    given = given or pod()
    if annotations:
        given["metadata"]["annotations"] = {
            key.replace("__", "/"): value for key, value in annotations.items()
        }
    return injected(given, namespace="shop", settings=SETTINGS, native=native)


def container(found: Json, name: str) -> Json:
    every = [*found["spec"].get("initContainers", ()), *found["spec"]["containers"]]
    (one,) = (each for each in every if each["name"] == name)
    return dict(one)


def env(found: Json) -> dict[str, Any]:
    return {
        one["name"]: one.get("value", one.get("valueFrom")) for one in container(found, "istio-proxy")["env"]
    }


def test_a_native_sidecar_starts_before_the_application_and_ends_after_it() -> None:
    found = made()

    assert [one["name"] for one in found["spec"]["initContainers"]] == ["istio-init", "istio-proxy"]
    assert [one["name"] for one in found["spec"]["containers"]] == ["shop"]
    proxy = container(found, "istio-proxy")
    assert proxy["restartPolicy"] == "Always"
    assert proxy["startupProbe"]["httpGet"]["port"] == 15021
    assert proxy["args"] == ["proxy", "sidecar"]


def test_where_there_are_no_native_sidecars_it_is_the_first_container() -> None:
    found = made(native=False)

    assert [one["name"] for one in found["spec"]["containers"]] == ["istio-proxy", "shop"]
    assert [one["name"] for one in found["spec"]["initContainers"]] == ["istio-init"]


def test_only_the_init_container_has_rights_and_only_over_its_network() -> None:
    found = made()

    init, proxy = container(found, "istio-init")["securityContext"], container(found, "istio-proxy")
    assert init["capabilities"] == {"add": ["NET_ADMIN", "NET_RAW"], "drop": ["ALL"]}
    assert init["privileged"] is False
    own = proxy["securityContext"]
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert own["runAsUser"] == 1337
    assert own["runAsNonRoot"] is True
    assert own["readOnlyRootFilesystem"] is True


def test_labels_and_annotations_are_istios() -> None:
    meta = made()["metadata"]

    assert meta["labels"]["security.istio.io/tlsMode"] == "istio"
    assert meta["labels"]["service.istio.io/canonical-name"] == "shop"
    assert meta["labels"]["service.istio.io/canonical-revision"] == "v2"
    assert meta["annotations"]["kubectl.kubernetes.io/default-container"] == "shop"
    assert meta["annotations"]["prometheus.io/port"] == "15020"
    assert meta["annotations"]["mizzen.dev/sidecar"] == "true"
    status = json.loads(meta["annotations"]["sidecar.istio.io/status"])
    assert status["initContainers"] == ["istio-init", "istio-proxy"]
    assert status["revision"] == "default"


def test_the_proxy_knows_what_its_pod_is_of() -> None:
    found = env(made())

    assert found["ISTIO_META_WORKLOAD_NAME"] == "shop"
    assert found["ISTIO_META_OWNER"] == "kubernetes://apis/apps/v1/namespaces/shop/deployments/shop"
    assert json.loads(found["ISTIO_META_POD_PORTS"]) == [{"containerPort": 80}]
    assert found["ISTIO_META_APP_CONTAINERS"] == "shop"


def test_the_argument_stays_as_it_was() -> None:
    given = pod()
    before = copy.deepcopy(given)
    made(given)
    assert given == before


def test_injected_twice_it_is_as_injected_once() -> None:
    once = made()
    assert injected(once, namespace="shop", settings=SETTINGS, native=True) == once


def test_annotations_steer_what_is_redirected() -> None:
    found = made(
        traffic__ignored="",
        **{
            "traffic.sidecar.istio.io__excludeInboundPorts": "9000",
            "traffic.sidecar.istio.io__includeOutboundIPRanges": "10.0.0.0/8",
            "traffic.sidecar.istio.io__excludeOutboundPorts": "3306",
        },
    )
    arguments = container(found, "istio-init")["args"]
    said = dict(zip(arguments[1::2], arguments[2::2], strict=True))
    assert said["-d"] == "15090,15021,15020,9000"
    assert said["-i"] == "10.0.0.0/8"
    assert said["-o"] == "3306"


def test_annotations_steer_the_proxys_resources_and_image() -> None:
    found = made(
        **{
            "sidecar.istio.io__proxyCPU": "50m",
            "sidecar.istio.io__proxyMemoryLimit": "256Mi",
            "sidecar.istio.io__proxyImage": "other:2",
        }
    )
    proxy = container(found, "istio-proxy")
    assert proxy["resources"] == {"requests": {"cpu": "50m"}, "limits": {"memory": "256Mi"}}
    assert proxy["image"] == "other:2"


def test_a_pod_may_have_a_proxy_without_redirection() -> None:
    found = made(**{"sidecar.istio.io__interceptionMode": "NONE"})
    assert [one["name"] for one in found["spec"]["initContainers"]] == ["istio-proxy"]


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(Unfit, match="interception mode TPROXY"):
        made(**{"sidecar.istio.io__interceptionMode": "TPROXY"})
    with pytest.raises(Unfit, match="no template 'grpc-agent'"):
        made(**{"inject.istio.io__templates": "grpc-agent"})
    with pytest.raises(Unfit, match="a container called istio-proxy"):
        made(**{"inject.istio.io__templates": "gateway"})


def test_the_template_gateway_fills_in_a_container() -> None:
    own = {
        "name": "istio-proxy",
        "image": "auto",
        "imagePullPolicy": "Always",  # as the API server fills in for an image without a tag
        "ports": [{"containerPort": 8443}],
        "env": [{"name": "A", "value": "b"}],
    }
    found = made(pod(containers=[own]), **{"inject.istio.io__templates": "gateway"})

    proxy = container(found, "istio-proxy")
    assert proxy["image"] == "hub/mizzen:1"
    assert "imagePullPolicy" not in proxy
    assert proxy["args"] == ["proxy", "router"]
    assert {one["containerPort"] for one in proxy["ports"]} == {8443, 15090}
    assert env(found)["A"] == "b"
    assert "initContainers" not in found["spec"]
    assert "security.istio.io/tlsMode" not in found["metadata"]["labels"]
    assert "mizzen.dev/sidecar" not in found["metadata"]["annotations"]


def test_a_container_of_the_users_own_customises_the_sidecar() -> None:
    own = {"name": "istio-proxy", "image": "auto", "resources": {"limits": {"cpu": "1"}}}
    given = pod()
    given["spec"]["containers"].append(own)
    proxy = container(made(given), "istio-proxy")
    assert proxy["image"] == "hub/mizzen:1"
    assert proxy["resources"]["limits"] == {"cpu": "1", "memory": "1024Mi"}


def test_pull_secrets_and_volumes_are_added_to_what_there_is() -> None:
    given = pod(volumes=[{"name": "data"}], imagePullSecrets=[{"name": "own"}])
    spec = made(given)["spec"]
    assert [one["name"] for one in spec["imagePullSecrets"]] == ["own", "registry"]
    assert {"data", "istio-token", "istiod-ca-cert"} <= {one["name"] for one in spec["volumes"]}


def test_probes_are_asked_by_the_agent() -> None:
    given = pod()
    given["spec"]["containers"][0] |= {
        "ports": [{"containerPort": 80, "name": "web"}],
        "readinessProbe": {"httpGet": {"path": "/ok", "port": "web"}, "timeoutSeconds": 3},
        "livenessProbe": {"tcpSocket": {"port": 80}},
        "startupProbe": {"exec": {"command": ["true"]}},
    }
    found = made(given)

    shop = container(found, "shop")
    assert shop["readinessProbe"]["httpGet"] == {
        "path": "/app-health/shop/readyz",
        "port": 15020,
        "scheme": "HTTP",
    }
    assert "tcpSocket" not in shop["livenessProbe"]
    assert shop["startupProbe"] == {"exec": {"command": ["true"]}}
    assert json.loads(env(found)["ISTIO_KUBE_APP_PROBERS"]) == {
        "/app-health/shop/readyz": {"httpGet": {"path": "/ok", "port": 80}, "timeoutSeconds": 3},
        "/app-health/shop/livez": {"tcpSocket": {"port": 80}},
    }


def test_probes_stay_where_the_pod_says_so() -> None:
    given = pod()
    given["spec"]["containers"][0]["livenessProbe"] = {"tcpSocket": {"port": 80}}
    found = made(given, **{"sidecar.istio.io__rewriteAppHTTPProbers": "false"})
    assert container(found, "shop")["livenessProbe"] == {"tcpSocket": {"port": 80}}


@pytest.mark.parametrize(
    ("meta", "name", "path"),
    [
        ({"name": "alone"}, "alone", ""),
        (
            {"ownerReferences": [{"kind": "StatefulSet", "name": "db", "controller": True}]},
            "db",
            "kubernetes://apis/apps/v1/namespaces/n/statefulsets/db",
        ),
        (
            {"ownerReferences": [{"kind": "Job", "name": "once", "controller": True}]},
            "once",
            "kubernetes://apis/batch/v1/namespaces/n/jobs/once",
        ),
    ],
)
def test_what_a_pod_is_of(meta: Json, name: str, path: str) -> None:
    assert owner_of({"metadata": meta}, "n") == (name, path)
