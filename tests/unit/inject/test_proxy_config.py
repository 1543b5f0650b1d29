"""What a ProxyConfig says to the proxy of a Pod."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from mizzen.errors import ResourceRef
from mizzen.inject.container import ProxySettings
from mizzen.inject.pod import injected
from mizzen.inject.proxy_config import configured_pod, variables
from mizzen.inject.settings import InjectorSettings
from mizzen.resolve.proxies.proxy_configs import configured
from mizzen.resources.declaring.declare import Metadata
from mizzen.resources.istio import proxy_config
from mizzen.resources.istio.mesh import MeshConfig, ProxyConfig
from mizzen.resources.istio.security import WorkloadSelector
from mizzen.resources.world import World

Json = dict[str, Any]


def said(namespace: str, name: str, labels: Mapping[str, str] | None = None, **spec: Any) -> Any:
    selector = WorkloadSelector(match_labels=labels) if labels else None
    return proxy_config.ProxyConfig(
        meta=Metadata(name=name, namespace=namespace),
        ref=ResourceRef(kind="ProxyConfig", namespace=namespace, name=name),
        spec=proxy_config.ProxyConfigSpec(selector=selector, **spec),
    )


MESH = MeshConfig(
    default_config=ProxyConfig(
        concurrency=1, drain_duration=timedelta(seconds=45), proxy_metadata={"OF_MESH": "1", "BOTH": "mesh"}
    )
)
WORLD = World.of(
    [
        said("istio-system", "root", environment_variables={"OF_ROOT": "1", "BOTH": "root"}),
        said("shop", "namespace", concurrency=3),
        said("shop", "labels", {"app": "shop"}, concurrency=4, environment_variables={"BOTH": "labels"}),
        said("shop", "other", {"app": "other"}, concurrency=5),
        said("elsewhere", "namespace", concurrency=6),
    ]
)
SETTINGS = InjectorSettings(
    proxy=ProxySettings(image="hub/mizzen:1", pilot="istiod.istio-system.svc:15012"),
    configure=partial(configured, WORLD, MESH),
)


def pod(labels: Mapping[str, str], annotations: Mapping[str, str] | None = None, **spec: Any) -> Json:
    meta = {"name": "a", "labels": dict(labels), "annotations": dict(annotations or {})}
    return {"metadata": meta, "spec": {"containers": [{"name": "app", "image": "app:1"}], **spec}}


def environment(given: Json) -> Json:
    found = injected(given, namespace="shop", settings=SETTINGS, native=False)
    (proxy,) = (one for one in found["spec"]["containers"] if one["name"] == "istio-proxy")
    return {one["name"]: one.get("value") for one in proxy["env"]}


def test_the_nearest_object_counts_and_the_mesh_shows_through() -> None:
    found = environment(pod({"app": "shop"}))
    assert found["PROXY_CONFIG"] == '{"concurrency": 4, "drainDuration": "45s"}'
    assert (found["OF_MESH"], found["OF_ROOT"], found["BOTH"]) == ("1", "1", "labels")
    found = environment(pod({"app": "else"}))
    assert found["PROXY_CONFIG"] == '{"concurrency": 3, "drainDuration": "45s"}'
    assert found["BOTH"] == "root"


def test_a_pods_annotation_goes_before_all() -> None:
    text = "concurrency: 8\nterminationDrainDuration: 90s\nproxyMetadata: {BOTH: pod}\n"
    found = environment(pod({"app": "shop"}, {"proxy.istio.io/config": text}))
    assert (
        found["PROXY_CONFIG"]
        == '{"concurrency": 8, "drainDuration": "45s", "terminationDrainDuration": "90s"}'
    )
    assert found["BOTH"] == "pod"


def test_a_broken_annotation_says_nothing() -> None:
    given = pod({"app": "shop"}, {"proxy.istio.io/config": "["})
    assert configured_pod(given, "shop", SETTINGS.configure).concurrency == 4


def test_gateways_have_them_too_and_their_own_variables_go_before() -> None:
    own = {"name": "istio-proxy", "image": "auto", "env": [{"name": "BOTH", "value": "container"}]}
    given = pod({"app": "shop"}, {"inject.istio.io/templates": "gateway"}, containers=[own])
    found = environment(given)
    assert found["PROXY_CONFIG"] == '{"concurrency": 4, "drainDuration": "45s"}'
    assert (found["OF_ROOT"], found["BOTH"]) == ("1", "container")


def test_the_runtime_goes_with_it() -> None:
    config = ProxyConfig(runtime_values={"overload.some": "1"})
    assert variables(config) == {"PROXY_CONFIG": '{"runtimeValues": {"overload.some": "1"}}'}


def test_a_mesh_that_says_nothing_adds_nothing() -> None:
    assert variables(ProxyConfig()) == {}


def test_no_name_has_the_pod_refused() -> None:
    config = ProxyConfig(proxy_metadata={"A=B": "1", "": "1", "1A": "1", "ISTIO_META_HTTP10": "1"})
    assert variables(config) == {"ISTIO_META_HTTP10": "1"}
