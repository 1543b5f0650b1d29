"""One kind of objects, kept as an API server has them, whatever that server does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from mizzen.kube import reflector
from mizzen.kube.client import Kube
from mizzen.kube.reflector import Reflector, Watched
from tests.harness.fake_api_server import Answer, FakeServer, bookmark, event, one, page, refusal

Until = Callable[[Callable[[], object]], Awaitable[None]]

THINGS = Watched(kind="Thing", group="", versions=("v1",), plural="things")
OPEN = Answer(ends=False)


@asynccontextmanager
async def running(kube: Kube, watched: Watched = THINGS) -> AsyncIterator[Reflector]:
    found = Reflector(kube, watched, lambda obj: obj["spec"], lambda: None)
    task = asyncio.create_task(found.run())
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_RETRY", "LAST_RETRY", "ABSENT_RETRY", "REFUSED_RETRY"):
        monkeypatch.setattr(reflector, name, 0.01)


def names(found: Reflector) -> list[str]:
    return sorted(name for _, name in found.objects)


async def test_pages_are_one_list_and_events_follow_it(server: FakeServer, kube: Kube, until: Until) -> None:
    server.lists += [page(one("x", 1), version=5, following="more"), page(one("y", 2), version=5)]
    server.watches.append(
        Answer(
            events=[
                event("ADDED", one("z", 6)),
                event("MODIFIED", one("x", 7, changed=True)),
                event("DELETED", one("y", 8)),
            ],
            ends=False,
        )
    )
    async with running(kube) as found:
        await until(lambda: names(found) == ["x", "z"])
    assert found.objects["a", "x"] == {"changed": True}
    assert [said.get("continue") for said in server.of("list")] == [None, "more"]
    assert server.of("watch")[0]["resourceVersion"] == "5"
    assert server.of("watch")[0]["allowWatchBookmarks"] == "true"


async def test_a_watch_that_ends_goes_on_where_it_was_bookmarks_included(
    server: FakeServer, kube: Kube, until: Until
) -> None:
    server.lists.append(page(version=1))
    server.watches += [Answer(events=[bookmark(41)]), Answer(events=[event("ADDED", one("x", 42))]), OPEN]
    async with running(kube) as found:
        await until(lambda: len(server.of("watch")) == 3)
    assert [said["resourceVersion"] for said in server.of("watch")] == ["1", "41", "42"]
    assert names(found) == ["x"]
    assert len(server.of("list")) == 1


@pytest.mark.parametrize("expired", [refusal(410), Answer(events=[event("ERROR", {"code": 410})])])
async def test_after_410_all_is_listed_anew_and_what_was_deleted_meanwhile_is_gone(
    server: FakeServer, kube: Kube, until: Until, expired: Answer
) -> None:
    server.lists += [page(one("x", 1), one("y", 2), version=3), page(one("y", 2), version=9)]
    server.watches += [expired, OPEN]
    async with running(kube) as found:
        await until(lambda: len(server.of("watch")) == 2)
        assert names(found) == ["y"]
        assert found.trouble is None


async def test_pages_that_expire_are_read_at_once(server: FakeServer, kube: Kube, until: Until) -> None:
    server.lists += [
        page(one("x", 1), version=5, following="more"),
        refusal(410),
        page(one("y", 2), version=6),
    ]
    server.watches.append(OPEN)
    async with running(kube) as found:
        await until(lambda: len(server.of("watch")) == 1)
        assert names(found) == ["y"]
    assert "limit" not in server.of("list")[2]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_server_in_trouble_takes_nothing_away_and_the_watch_goes_on(
    server: FakeServer, kube: Kube, until: Until, status: int
) -> None:
    server.lists.append(page(one("x", 1), version=3))
    server.watches += [refusal(status, "later"), refusal(status, "later")]
    async with running(kube) as found:
        await until(lambda: found.trouble is not None)
        assert names(found) == ["x"]
        assert found.trouble is not None
        assert found.trouble.status == status
        server.watches.append(Answer(events=[event("ADDED", one("y", 4))], ends=False))
        await until(lambda: found.trouble is None)
    assert names(found) == ["x", "y"]
    assert [said["resourceVersion"] for said in server.of("watch")] == ["3", "3", "3"]


async def test_retry_after_is_heeded(server: FakeServer, kube: Kube, until: Until) -> None:
    server.lists += [refusal(429, "later", **{"retry-after": "1"}), page(version=1)]
    server.watches.append(OPEN)
    async with running(kube) as found:
        await until(lambda: found.trouble is not None)
        assert found.trouble is not None
        assert found.trouble.retry_after == 1.0
        assert not found.read.is_set()


async def test_a_kind_that_may_not_be_read_does_not_hold_up_the_others(
    server: FakeServer, kube: Kube, until: Until
) -> None:
    server.lists += [refusal(403, "things is forbidden"), page(one("x", 1), version=1)]
    server.watches.append(OPEN)
    async with running(kube) as found:
        await found.read.wait()
        await until(lambda: names(found) == ["x"])
        assert found.trouble is None


NEEDED = Watched(
    kind="Guard", group="example.org", versions=("v1", "v1beta1"), plural="guards", is_needed=True
)
V1BETA1 = {"versions": [{"version": "v1beta1"}]}
FORBIDDEN = refusal(403, "guards is forbidden")


async def test_a_kind_that_is_needed_is_waited_for_where_it_may_not_be_read(
    server: FakeServer, kube: Kube, until: Until
) -> None:
    defined = {"resources": [{"name": "guards/status"}, {"name": "guards"}]}
    server.lists += [V1BETA1, FORBIDDEN, refusal(404), defined]
    async with running(kube, NEEDED) as found:
        await until(lambda: found.trouble is not None)
        assert found.trouble is not None
        assert found.trouble.status == 403
        assert not found.read.is_set()
        server.lists += [V1BETA1, page(one("x", 1), version=1)]
        await found.read.wait()
        assert names(found) == ["x"]


async def test_a_kind_that_is_needed_and_not_there_is_not_waited_for(server: FakeServer, kube: Kube) -> None:
    server.lists += [V1BETA1, FORBIDDEN, refusal(404), {"resources": [{"name": "others"}]}]
    async with running(kube, NEEDED) as found:
        await found.read.wait()
        assert found.trouble is not None
        assert found.trouble.status == 404


async def test_a_kind_whose_definition_comes_later_is_found(
    server: FakeServer, kube: Kube, until: Until
) -> None:
    later = Watched(kind="Thing", group="example.org", versions=("v1", "v1beta1"), plural="things")
    versions = {"versions": [{"version": "v1beta1"}]}
    server.lists += [refusal(404), versions, page(one("x", 1), version=1)]
    server.watches.append(OPEN)
    async with running(kube, later) as found:
        await found.read.wait()
        assert names(found) == []
        await until(lambda: names(found) == ["x"])
    assert server.asked[-1][0] == "/apis/example.org/v1beta1/things"


async def test_a_kind_whose_definition_is_lost_keeps_its_objects(
    server: FakeServer, kube: Kube, until: Until
) -> None:
    server.lists += [page(one("x", 1), version=1), refusal(404), refusal(404)]
    server.watches.append(refusal(404))
    async with running(kube) as found:
        await until(lambda: len(server.of("list")) == 3)
        assert names(found) == ["x"]
        assert found.trouble is not None


async def test_an_event_that_is_cut_off_is_read_again(server: FakeServer, kube: Kube, until: Until) -> None:
    server.lists.append(page(version=1))
    server.watches += [
        Answer(events=[event("ADDED", one("x", 2))], cut='{"type": "ADDED", "object": {"meta'),
        Answer(events=[event("ADDED", one("y", 3))], ends=False),
    ]
    async with running(kube) as found:
        await until(lambda: names(found) == ["x", "y"])
    assert server.of("watch")[1]["resourceVersion"] == "2"
