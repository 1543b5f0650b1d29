"""The Secret that replicas share for session tickets."""

import base64
import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mizzen.cluster.shared_tickets import SharedTickets
from mizzen.http3.session_tickets import ROTATION
from mizzen.inject.container import SESSION_TICKETS
from mizzen.kube.client import KubeError

START = datetime(2026, 3, 1, tzinfo=UTC)
Json = dict[str, Any]


class _Server:
    """Holds one Secret, and refuses what was made of an older version."""

    def __init__(self) -> None:
        self.secret: Json | None = None
        self.version = 0
        self.is_away = False
        self.blind = 0  # how often it does not see the Secret yet

    async def get(self, path: str) -> Json:
        assert path == f"/api/v1/namespaces/istio-system/secrets/{SESSION_TICKETS}"
        self.blind, is_blind = max(0, self.blind - 1), self.blind > 0
        self._answer(missing=self.secret is None or is_blind)
        return copy.deepcopy(self.secret or {})

    async def send(self, method: str, path: str, body: Json, **_: object) -> Json:
        there = self.secret is not None
        self._answer(missing=method == "PUT" and not there)
        told = body["metadata"].get("resourceVersion")
        if (method == "POST" and there) or (method == "PUT" and told != str(self.version)):
            raise KubeError(409, "conflict")
        self.version += 1
        self.secret = copy.deepcopy(body)
        self.secret["metadata"]["resourceVersion"] = str(self.version)
        return copy.deepcopy(self.secret)

    def _answer(self, *, missing: bool) -> None:
        if self.is_away:
            raise KubeError(0, "away")
        if missing:
            raise KubeError(404, "not found")


def replica(server: Any) -> SharedTickets:
    return SharedTickets(server, "istio-system")


async def test_the_first_makes_the_secret_and_the_others_have_the_same() -> None:
    server = _Server()
    first, second = replica(server), replica(server)
    await first.open(START)
    await second.open(START + timedelta(seconds=1))
    assert first.seeds.served(START) == second.seeds.served(START)
    assert server.secret is not None
    assert base64.b64encode(first.seeds.served(START)[0]).decode() not in str(server.secret["metadata"])


async def test_who_comes_second_with_a_new_one_takes_the_first() -> None:
    server = _Server()
    first, second = replica(server), replica(server)
    await first.open(START)
    server.blind = 1
    await second.open(START)
    assert second.seeds == first.seeds


async def test_the_leader_rotates_and_the_others_follow() -> None:
    server = _Server()
    leader, other = replica(server), replica(server)
    await leader.open(START)
    await other.open(START)
    await leader.maintain(START + timedelta(hours=1))
    assert server.version == 1
    await leader.maintain(START + ROTATION)
    assert server.secret is not None
    other.take(server.secret)
    assert (len(other.seeds.seeds), other.seeds) == (2, leader.seeds)


async def test_what_could_not_be_written_has_not_been() -> None:
    server = _Server()
    leader = replica(server)
    await leader.open(START)
    before, server.is_away = leader.seeds, True
    with pytest.raises(KubeError):
        await leader.maintain(START + ROTATION)
    assert leader.seeds == before


async def test_a_secret_that_was_removed_is_made_anew() -> None:
    server = _Server()
    leader = replica(server)
    await leader.open(START)
    before, server.secret = leader.seeds, None
    await leader.open(START + timedelta(hours=1))
    assert not set(before.served(START)) & set(leader.seeds.served(START))


async def test_a_secret_of_somebody_else_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    server = _Server()
    leader = replica(server)
    await leader.open(START)
    before = leader.seeds
    for data in (
        {},
        {"session-tickets.json": "x"},
        {"session-tickets.json": base64.b64encode(b"1").decode()},
    ):
        leader.take({"metadata": {"resourceVersion": f"x{len(data)}{data}"}, "data": data})
    assert leader.seeds == before
    assert "holds no keys" in caplog.text
