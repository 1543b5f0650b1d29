"""Where a replica runs, and what its cluster has."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mizzen.cluster import replica
from mizzen.cluster.replica import ClusterPilot, Place, has_native_sidecars
from mizzen.cluster.status_writer import is_pass_word, pass_word
from mizzen.node.instance import Instance
from mizzen.pipeline import Settings, build
from mizzen.plane.network import Listening, pilot_identity
from mizzen.resources.raw_objects import parse_documents
from mizzen.sources.mesh_text import MeshText


@pytest.mark.parametrize(
    ("version", "native"),
    [("v1.33.0", True), ("v1.37.2", True), ("v1.32.9-eks-1", False), ("v2.0.0", True), ("", False)],
)
def test_native_sidecars(version: str, native: bool) -> None:
    assert has_native_sidecars({"gitVersion": version}) is native


def test_a_replica_is_known_by_its_service_and_its_revision() -> None:
    assert Place.of({}).names[0] == "istiod.istio-system.svc"
    canary = Place.of({"REVISION": "canary", "POD_NAMESPACE": "mesh"})
    assert canary.names[0] == "istiod-canary.mesh.svc"
    assert canary.revised("mizzen-leader") == "mizzen-leader-canary"
    assert (
        pilot_identity(canary.names[0], "cluster.local").uri
        == "spiffe://cluster.local/ns/mesh/sa/istiod-canary"
    )


def test_what_replicas_show_each_other_is_good_for_two_minutes_at_most() -> None:
    key, now = b"the key of the authority", datetime(2026, 1, 1, tzinfo=UTC)
    word = pass_word(key, now)
    assert is_pass_word(word, key, now + timedelta(seconds=90))
    assert not is_pass_word(word, key, now + timedelta(seconds=180))
    assert not is_pass_word(word, b"another", now)
    assert not is_pass_word("", key, now)


async def test_the_root_of_the_mesh_waits_for_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A root of the default trust domain would be the root of another mesh."""
    monkeypatch.setattr(replica, "_RETRY_SECONDS", 0.01)
    told: list[str] = []
    no_server: Any = None  # nothing is asked of it here
    pilot = ClusterPilot(no_server, Instance(tmp_path), Place.of({}), {}, Listening(), told.append)
    watched = pilot.cluster._config_map("istio")

    def says(text: str) -> None:
        config_map = {"metadata": {"name": "istio", "namespace": "istio-system"}, "data": {"mesh": text}}
        pilot.cluster._news.append((watched, ("istio-system", "istio"), MeshText.of(config_map)))

    says("trustDomain: [a")
    waiting = asyncio.create_task(pilot._trust_domain(Settings()))
    async with asyncio.timeout(10):
        while not told:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert not waiting.done()
        assert len(told) == 1 and "K8S-004" in told[0] and "cannot be read as YAML" in told[0]
        says("trustDomain: a.b")
        assert await waiting == "a.b"


def test_pods_are_injected_as_the_objects_of_the_cluster_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
apiVersion: networking.istio.io/v1beta1
kind: ProxyConfig
metadata: {name: a, namespace: shop}
spec: {concurrency: 3}
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec: {meshConfig: {trustDomain: a.b, defaultConfig: {concurrency: 1, drainDuration: 7s}}}
"""
    objects, _ = parse_documents(text, "in.yaml")
    nobody: Any = None
    pilot = ClusterPilot(nobody, Instance(tmp_path), Place.of({}), {}, Listening(), nobody)
    plane: Any = SimpleNamespace(result=None)
    pilot.plane = plane
    values = {"values": '{"global": {"hub": "h", "tag": "1"}}'}
    monkeypatch.setattr(type(pilot.cluster), "injector", values)

    assert pilot._injector().configure("shop", {}).concurrency is None  # nothing is known yet
    plane.result = build(objects, (), Settings())
    settings = pilot._injector()
    assert settings.proxy.trust_domain == "a.b"
    for namespace, threads in (("shop", 3), ("other", 1)):
        config = settings.configure(namespace, {})
        assert (config.concurrency, config.drain_duration) == (threads, timedelta(seconds=7))
