"""Objects of an API server as the stages after it read them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mizzen.errors import Severity
from mizzen.kube.client import Kube, KubeError, connect
from mizzen.kube.reflector import Watched
from mizzen.pipeline import Settings, build
from mizzen.resources.decode import decode
from mizzen.resources.intake import decode_all
from mizzen.resources.kinds import NETWORKING
from mizzen.resources.kubernetes.metadata import LAST_APPLIED
from mizzen.sources.cluster import Cluster, kept, plural, taken
from mizzen.sources.listing import Difference
from mizzen.sources.mesh_text import MeshText
from tests.harness.fake_api_server import Answer, FakeServer, event, page, refusal

Json = dict[str, Any]
Until = Callable[[Callable[[], object]], Awaitable[None]]


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


MESH_MAP = Watched(
    kind="ConfigMap", group="", versions=("v1",), plural="configmaps", namespace="istio-system", name="istio"
)
PODS = Watched(kind="Pod", group="", versions=("v1",), plural="pods")
ROUTES = Watched(
    kind="VirtualService", group=NETWORKING, versions=("v1",), plural="virtualservices", has_status=True
)


def config_map(text: str, version: int = 1) -> Json:
    meta = {"name": "istio", "namespace": "istio-system", "resourceVersion": str(version)}
    return {"metadata": meta, "data": {"mesh": text}}


def mesh(cluster: Cluster) -> list[Any]:
    return [
        one.data["spec"]["meshConfig"] for one in cluster.listing().objects if one.kind == "IstioOperator"
    ]


@asynccontextmanager
async def following(
    kube: Kube, watched: Watched, cluster: Cluster | None = None, **more: Any
) -> AsyncIterator[Cluster]:
    """A cluster of which one kind is read."""
    cluster = cluster or Cluster(kube)
    cluster._follow(watched, **more)
    try:
        await cluster.ready()
        yield cluster
    finally:
        await cluster.stop()


@pytest.mark.parametrize("is_kept", [False, True])
async def test_what_kubectl_noted_is_kept_for_who_asks_what_applying_does(
    server: FakeServer, kube: Kube, is_kept: bool
) -> None:
    """Else nobody could tell what a file said the last time, and says no more."""
    server.lists.append(page(route(metadata={"annotations": {LAST_APPLIED: "{}", "a": "b"}}), version=1))
    async with following(kube, ROUTES, Cluster(kube, keeps_applied=is_kept)) as cluster:
        [one] = [one for one in cluster.listing().objects if one.kind == "VirtualService"]

    assert one.data["metadata"]["annotations"] == {"a": "b", **({LAST_APPLIED: "{}"} if is_kept else {})}


async def test_a_changed_mesh_is_followed(server: FakeServer, kube: Kube) -> None:
    server.lists.append(page(config_map("trustDomain: a.b"), version=1))
    async with following(kube, MESH_MAP, keep=MeshText.of) as cluster:
        changes = cluster.changes()
        async with asyncio.timeout(5):
            await anext(changes)
            assert mesh(cluster) == [{"trustDomain": "a.b"}]
            server.watches.append(
                Answer(events=[event("MODIFIED", config_map("trustDomain: c.d", 2))], ends=False)
            )
            await anext(changes)
        assert mesh(cluster) == [{"trustDomain": "c.d"}]


async def test_a_mesh_that_cannot_be_read_leaves_the_last_good_one_in_force(
    server: FakeServer, kube: Kube, until: Until
) -> None:
    server.lists.append(page(config_map("trustDomain: a.b"), version=1))
    async with following(kube, MESH_MAP, keep=MeshText.of) as cluster:
        assert mesh(cluster) == [{"trustDomain": "a.b"}]
        for number, text in enumerate(("trustDomain: [a", "- a list"), 2):
            server.watches.append(Answer(events=[event("MODIFIED", config_map(text, number))]))
            await until(lambda: cluster.listing().problems)
            (problem,) = cluster.listing().problems
            assert mesh(cluster) == [{"trustDomain": "a.b"}]
            assert str(problem).startswith("ConfigMap/istio-system/istio data.mesh: error K8S-004: line ")
            server.watches.append(
                Answer(events=[event("MODIFIED", config_map("trustDomain: a.b", number + 5))])
            )
            await until(lambda: not cluster.listing().problems)


async def test_a_mesh_of_which_nothing_was_ever_read_is_not_known(
    server: FakeServer, kube: Kube, until: Until
) -> None:
    """The defaults are somebody's settings only where nobody wrote any."""
    server.lists.append(page(config_map("trustDomain: [a"), version=1))
    async with following(kube, MESH_MAP, keep=MeshText.of) as cluster:
        listing = cluster.listing()
        built = build(listing.objects, listing.problems, Settings())
        assert mesh(cluster) == []
        assert [one.code for one in built.problems] == ["GRD-003", "K8S-004"]
        assert (built.is_partial, built.gateways) == (True, ())
        server.watches.append(
            Answer(events=[event("MODIFIED", config_map("trustDomain: a.b", 2))], ends=False)
        )
        await until(lambda: mesh(cluster) == [{"trustDomain": "a.b"}])
        listing = cluster.listing()
        assert not build(listing.objects, listing.problems, Settings()).is_partial


def pod(name: str, version: int, **labels: str) -> Json:
    meta = {"name": name, "namespace": "a", "resourceVersion": str(version), "labels": labels}
    return {"metadata": meta, "spec": {}, "status": {}}


async def test_a_listing_tells_what_differs_and_leaves_the_rest_as_it_is(
    server: FakeServer, kube: Kube, until: Until
) -> None:
    server.lists.append(page(*(pod(name, 1) for name in "xyz"), version=1))
    async with following(kube, PODS) as cluster:
        first = cluster.listing()
        assert (first.added, first.gone, first.since) == (first.objects, (), None)
        server.watches.append(
            Answer(
                events=[
                    event("MODIFIED", pod("x", 2)),  # a heartbeat
                    event("MODIFIED", pod("y", 3, app="web")),
                    event("DELETED", pod("z", 4)),
                    event("ADDED", pod("new", 5)),
                ],
                ends=False,
            )
        )
        await until(lambda: len(cluster._news) == 3)
        second = cluster.listing()
        assert second.since is first.token
        assert [raw.name for raw in second.added] == ["y", "new"]
        assert [raw.name for raw in second.gone] == ["y", "z"]
        assert set(map(id, first.objects)) - set(map(id, second.gone)) < set(map(id, second.objects))
        assert second.after(first.token, first.objects).added == second.added
        third = cluster.listing()
        assert (third.added, third.gone, third.objects is second.objects) == ((), (), True)
        assert third.after(first.token, first.objects) == Difference(added=second.added, gone=second.gone)


async def test_after_a_new_list_only_what_differs_is_new(
    server: FakeServer, kube: Kube, until: Until
) -> None:
    server.lists += [page(pod("x", 1), pod("y", 1), version=1), page(pod("x", 9), version=9)]
    server.watches.append(refusal(410))
    async with following(kube, PODS) as cluster:
        first = cluster.listing()
        await until(lambda: len(server.of("list")) == 2 and cluster._news)
        second = cluster.listing()
        assert ([raw.name for raw in second.added], [raw.name for raw in second.gone]) == ([], ["y"])
        assert second.objects[1] is first.objects[1]


async def test_a_status_that_is_written_changes_no_object_that_was_handed_out(
    server: FakeServer, kube: Kube, until: Until
) -> None:
    server.lists.append(page(route(), version=1))
    async with following(kube, ROUTES) as cluster:
        handed_out = cluster.listing().objects[-1]
        (known,) = cluster.reflectors[str(ROUTES)].objects.values()
        cluster.follow_status(known, {"conditions": []})
        (now,) = cluster.reflectors[str(ROUTES)].objects.values()
        assert now.data["status"] == {"conditions": []}
        assert "status" not in handed_out.data
        assert cluster.listing().objects[-1] is handed_out


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
