"""Where a replica runs, and what its cluster has."""

from datetime import UTC, datetime, timedelta

import pytest

from mizzen.run.cluster_pilot import Place, has_native_sidecars
from mizzen.run.network import pilot_identity
from mizzen.run.reporter import is_pass_word, pass_word


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
