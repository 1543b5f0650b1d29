"""Objects of an API server as the stages after it read them."""

from typing import Any

import pytest

from mizzen.errors import Severity
from mizzen.resources.decode import decode
from mizzen.resources.intake import decode_all
from mizzen.sources.cluster import Cluster, kept, plural, taken
from mizzen.sources.kube import Kube, KubeError, connect
from mizzen.sources.reflector import Reflector, Watched

Json = dict[str, Any]


def route(**more: Any) -> Json:
    meta = {
        "name": "a",
        "namespace": "b",
        "uid": "u",
        "resourceVersion": "1",
        "generation": 1,
        **more.pop("metadata", {}),
    }
    return {"metadata": meta, "spec": {"hosts": ["a.b"]}, **more}


def made(one: Json) -> Any:
    return kept("VirtualService", "networking.istio.io/v1", one)


def deep() -> Json:
    value: Any = "x"
    for _ in range(5000):
        value = [value]
    return {"hosts": value}


@pytest.mark.parametrize(
    ("kind", "more"),
    [("VirtualService", {"spec": deep()}), ("Pod", {"spec": None}), ("Pod", {"spec": {"containers": [1]}})],
)
def test_an_object_that_cannot_be_taken_in_costs_no_other(kind: str, more: Json) -> None:
    one = taken(kind, "v1", {**route(), **more})

    (problem,) = decode(one).problems
    assert (problem.code, problem.severity) == ("INT-001", Severity.ERROR)
    assert str(problem.resource) == f"{kind}/b/a"
    assert one != taken(kind, "v1", {**route(metadata={"resourceVersion": "2"}), **more})


@pytest.mark.parametrize(
    ("kind", "api_version"),
    [
        ("AuthorizationPolicy", "security.istio.io/v1"),
        ("EnvoyFilter", "networking.istio.io/v1alpha3"),
        ("WasmPlugin", "extensions.istio.io/v1alpha1"),
    ],
)
def test_a_guard_that_cannot_be_taken_in_closes(kind: str, api_version: str) -> None:
    world, problems = decode_all([taken(kind, api_version, route(spec=deep()))])

    assert [str(one.ref) for one in (*world.unread, *world.closures)] == [f"{kind}/b/a"]
    assert "INT-001" in {one.code for one in problems}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Gateway", "gateways"),
        ("ServiceEntry", "serviceentries"),
        ("AuthorizationPolicy", "authorizationpolicies"),
        ("EndpointSlice", "endpointslices"),
        ("Telemetry", "telemetries"),
    ],
)
def test_the_names_of_kinds_in_paths(kind: str, name: str) -> None:
    assert plural(kind) == name


def test_what_is_told_of_an_object_is_no_change_of_it() -> None:
    assert made(route()) == made(
        route(metadata={"resourceVersion": "2", "generation": 2, "managedFields": []})
    )
    assert made(route()) == made(route(status={"conditions": []}))
    assert made(route()) != made(route(metadata={"labels": {"a": "b"}}))
    assert made(route()) != made(route(spec={"hosts": ["b.c"]}))


def test_of_a_service_the_status_counts() -> None:
    def service(ip: str) -> Any:
        status = {"loadBalancer": {"ingress": [{"ip": ip}]}}
        return kept("Service", "v1", {"metadata": {"name": "a"}, "spec": {}, "status": status})

    assert service("10.0.0.1") != service("10.0.0.2")


def test_of_a_pod_only_what_takes_part_is_kept() -> None:
    pod = {
        "metadata": {"name": "a", "namespace": "b", "ownerReferences": [{}]},
        "spec": {
            "nodeName": "n",
            "volumes": [{"name": "v"}],
            "containers": [
                {
                    "name": "app",
                    "image": "x",
                    "env": [{"name": "A", "value": "secret"}],
                    "ports": [{"containerPort": 80}],
                },
                {"name": "istio-proxy", "env": [{"name": "M", "value": "m"}, {"name": "N", "valueFrom": {}}]},
            ],
        },
        "status": {
            "podIP": "10.0.0.1",
            "conditions": [{"type": "Ready", "status": "True", "lastProbeTime": "x"}],
        },
    }
    data = kept("Pod", "v1", pod).data
    assert data["spec"]["containers"] == [
        {"name": "app", "ports": [{"containerPort": 80}]},
        {"name": "istio-proxy", "ports": [], "env": [{"name": "M", "value": "m"}]},
    ]
    assert data["spec"]["nodeName"] == "n"
    assert data["status"] == {"podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": "True"}]}


def test_a_mesh_that_cannot_be_read_leaves_the_last_good_one_in_force(kube: Kube) -> None:
    cluster = Cluster(kube)

    def config_map(text: str) -> Json:
        return {"metadata": {"name": "istio", "namespace": "istio-system"}, "data": {"mesh": text}}

    def mesh() -> Any:
        (operator,) = (one for one in cluster.listing().objects if one.kind == "IstioOperator")
        return operator.data["spec"]["meshConfig"]

    cluster._keep_mesh(config_map("trustDomain: a.b"))
    assert mesh() == {"trustDomain": "a.b"}
    cluster._keep_mesh(config_map("trustDomain: [a"))
    assert mesh() == {"trustDomain": "a.b"}
    (problem,) = cluster.listing().problems
    assert problem.code == "K8S-004"
    assert str(problem).startswith("ConfigMap/istio-system/istio data.mesh: error K8S-004: line ")
    cluster._keep_mesh(config_map("trustDomain: c.d"))
    assert mesh() == {"trustDomain": "c.d"}
    assert cluster.listing().problems == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Missing user|no cluster to ask"),
        ("clusters: [", "no cluster to ask"),
        ("clusters: []\ncontexts: []\nusers: []\n", "no cluster to ask"),
    ],
)
def test_a_kubeconfig_that_cannot_be_used_is_said(tmp_path: Any, text: str, why: str) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(KubeError, match=why):
        connect(str(file))
    with pytest.raises(KubeError, match="there is no"):
        connect(str(tmp_path / "none"))


def test_what_is_listed_in_another_thread_is_what_was_there_when_it_was_asked_for(kube: Kube) -> None:
    cluster = Cluster(kube)
    watched = Watched(
        kind="VirtualService", group="networking.istio.io", versions=("v1",), plural="virtualservices"
    )
    held = cluster.reflectors["routes"] = Reflector(kube, watched, made, lambda: None)
    held.objects["b", "a"] = made(route())
    read = cluster.reader()
    held.objects["b", "other"] = made(route(metadata={"name": "other"}))
    del held.objects["b", "a"]

    assert [one.name for one in read().objects if one.kind == "VirtualService"] == ["a"]
    assert [one.name for one in cluster.listing().objects if one.kind == "VirtualService"] == ["other"]
