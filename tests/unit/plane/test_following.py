"""What is followed in other ways than keys: asked once, kept for ever, bounded together."""

import asyncio
import base64
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from mizzen.node import private_file
from mizzen.plane import following
from mizzen.plane.following import Following, Kind
from mizzen.sources.fetching import Unfetched
from mizzen.sources.state_file import StateFile
from tests.unit.plane.test_key_sets import until

pytestmark = pytest.mark.asyncio
DOWN = Unfetched("connection refused")


@dataclass(frozen=True)
class Source:
    url: str
    is_asked_anew: bool = False
    refresh: timedelta | None = None
    version: int = 0

    @property
    def key(self) -> str:
        return self.url


KIND = Kind(
    told=lambda content, why: (content, why),
    dump=lambda content: {"content": content},
    load=lambda kept: base64.b64decode(kept["content"]),
    most=2,
    too_many="too many",
    size=len,
    most_bytes=4,
)


class Servers:
    def __init__(self) -> None:
        self.answers: dict[str, bytes | Exception] = {}
        self.asked: list[str] = []
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    async def fetch(self, source: Source) -> bytes:
        self.asked.append(source.url)
        answer = self.answers[source.url]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def following(self, kept: StateFile | None = None) -> Following:
        return Following(KIND, self.fetch, lambda: None, lambda: self.now, kept)


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Servers:
    monkeypatch.setattr(following, "RETRY_SECONDS", 0.001)
    monkeypatch.setattr(following, "LONGEST_RETRY_SECONDS", 0.005)
    return Servers()


async def test_who_has_answered_is_not_asked_again_unless_it_is_another_source(servers: Servers) -> None:
    servers.answers = {"a": b"1", "b": DOWN}
    ours, always = servers.following(), Source("a", is_asked_anew=True)
    ours.want((always, Source("b")))
    await ours.asked_once()
    assert ours.found == {"a": (b"1", ""), "b": (None, "connection refused")}
    servers.answers = {"a": DOWN, "b": b"2"}
    await until(lambda: ours.found == {"a": (b"1", ""), "b": (b"2", "")})
    assert servers.asked.count("a") == 1

    ours.want((replace(always, version=1), replace(Source("b"), version=1)))
    await until(lambda: ours.found["a"] == (b"1", "connection refused"))
    servers.now += timedelta(days=999)
    await asyncio.sleep(0.02)
    assert ours.found == {"a": (b"1", "connection refused"), "b": (b"2", "")}
    await ours.stop()


async def test_the_next_process_asks_for_what_it_has_only_where_it_should(servers: Servers, tmp_path) -> None:
    servers.answers = {"a": b"\0\xff", "b": b"2"}
    path = tmp_path / "kept.json"
    sources = (Source("a"), Source("b", is_asked_anew=True))
    ours = servers.following(StateFile(path, private_file.write))
    ours.want(sources)
    await ours.asked_once()
    await ours.stop()
    servers.asked.clear()
    after = servers.following(StateFile(path, private_file.write))
    after.want(sources)
    assert after.found == {"a": (b"\0\xff", ""), "b": (b"2", "")}
    assert not await after.asked_once()
    await until(lambda: servers.asked == ["b"])
    await after.stop()


async def test_what_is_too_large_together_is_not_held(servers: Servers) -> None:
    servers.answers = {"a": b"123", "b": b"45"}
    ours = servers.following()
    ours.want((Source("a"),))
    await ours.asked_once()
    ours.want((Source("a"), Source("b"), Source("c")))
    await ours.asked_once()
    assert ours.found["a"] == (b"123", "")
    assert "together" in ours.found["b"][1]
    assert ours.found["c"] == (None, "too many")
    ours.want((Source("b"),))  # whose task goes on asking
    await until(lambda: ours.found == {"b": (b"45", "")})
    ours.want((Source("a"), Source("b")))  # the first goes before the other
    await until(lambda: ours.found.get("a") == (b"123", ""))
    assert ours.found["b"][0] is None
    assert "together" in ours.found["b"][1]
    servers.answers["b"] = b"4"
    await until(lambda: ours.found == {"a": (b"123", ""), "b": (b"4", "")})
    await ours.stop()
