"""What is found at the sources of keys, asked for again, and held while it cannot be had."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mizzen.model.token import KeySource
from mizzen.node import private_file
from mizzen.plane import following, key_sets
from mizzen.plane.key_sets import HELD, KeySets, following_keys
from mizzen.resolve.context import FetchedKeys
from mizzen.sources.fetching import Unfetched
from mizzen.sources.state_file import StateFile

pytestmark = pytest.mark.asyncio
ONE = KeySource(url="http://one/", refresh=timedelta(milliseconds=5))
TWO = KeySource(url="http://two/", refresh=timedelta(milliseconds=5))
DOWN = Unfetched("connection refused")


class Issuers:
    """What is answered, by address; a clock that is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(following, "RETRY_SECONDS", 0.001)
        monkeypatch.setattr(following, "LONGEST_RETRY_SECONDS", 0.005)
        self.answers: dict[str, str | Exception] = {}
        self.changes = 0
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    async def fetch(self, source: KeySource) -> str:
        await asyncio.sleep(0)
        answer = self.answers[source.url]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def on_change(self) -> None:
        self.changes += 1

    def sets(self, kept: StateFile | None = None) -> KeySets:
        return following_keys(self.fetch, self.on_change, lambda: self.now, kept)


@pytest.fixture
def issuers(monkeypatch: pytest.MonkeyPatch) -> Issuers:
    return Issuers(monkeypatch)


async def until(check) -> None:
    async with asyncio.timeout(2):
        while not check():
            await asyncio.sleep(0.001)


async def test_they_are_asked_once_before_a_start_goes_on_and_a_change_is_told_once(issuers) -> None:
    issuers.answers = {ONE.url: "a", TWO.url: DOWN}
    sets = issuers.sets()
    assert not await sets.asked_once()
    sets.want((ONE, TWO))
    assert await sets.asked_once()
    assert sets.found == {ONE.key: FetchedKeys(text="a"), TWO.key: FetchedKeys(why="connection refused")}
    told, before = issuers.changes, sets.found
    await asyncio.sleep(0.05)  # asked many times
    assert (issuers.changes, sets.found is before) == (told, True)
    issuers.answers[ONE.url] = "b"
    await until(lambda: sets.found[ONE.key].text == "b")
    await sets.stop()


async def test_a_start_waits_no_longer_than_it_should(issuers) -> None:
    async def never(_: KeySource) -> str:
        await asyncio.Event().wait()
        return ""

    sets = following_keys(never, issuers.on_change, lambda: issuers.now)
    sets.want((ONE,))
    assert await sets.asked_once(0.01)
    assert not sets.found
    await sets.stop()


async def test_what_was_had_holds_for_a_week(issuers) -> None:
    issuers.answers = {ONE.url: "a"}
    sets = issuers.sets()
    sets.want((ONE,))
    await sets.asked_once()
    issuers.answers[ONE.url] = DOWN
    await until(lambda: sets.found[ONE.key] == FetchedKeys(text="a", why="connection refused"))
    issuers.now += HELD + timedelta(seconds=1)
    await until(lambda: sets.found[ONE.key] == FetchedKeys(why="connection refused"))
    await sets.stop()


async def test_a_fault_of_ours_is_one_sources_alone(issuers) -> None:
    issuers.answers = {ONE.url: KeyError("a fault"), TWO.url: "b"}
    sets = issuers.sets()
    sets.want((ONE, TWO))
    await sets.asked_once()
    assert (sets.found[TWO.key].text, bool(sets.found[ONE.key].why)) == ("b", True)
    await sets.stop()


async def test_who_is_not_wanted_any_more_is_forgotten_and_not_asked(issuers) -> None:
    issuers.answers = {ONE.url: "a", TWO.url: "b"}
    sets = issuers.sets()
    sets.want((ONE, TWO))
    await sets.asked_once()
    sets.want((replace(TWO, timeout=timedelta(seconds=9)),))
    assert sets.found == {TWO.key: FetchedKeys(text="b")}
    del issuers.answers[ONE.url]
    await asyncio.sleep(0.02)
    assert set(sets.found) == {TWO.key}
    await sets.stop()


async def test_those_beyond_a_bound_are_not_asked_and_told(issuers, monkeypatch) -> None:
    monkeypatch.setattr(key_sets, "MOST", 1)
    issuers.answers = {ONE.url: "a", TWO.url: "b"}
    sets = issuers.sets()
    sets.want((ONE, TWO))
    await sets.asked_once()
    assert sets.found[ONE.key].text == "a"
    assert "more than" in sets.found[TWO.key].why
    sets.want((TWO,))
    await sets.asked_once()
    assert sets.found == {TWO.key: FetchedKeys(text="b")}
    await sets.stop()


async def test_the_next_process_begins_with_what_was_had(issuers, tmp_path) -> None:
    path = tmp_path / "keys.json"
    issuers.answers = {ONE.url: "a"}
    sets = issuers.sets(StateFile(path, private_file.write))
    sets.want((ONE,))
    await sets.asked_once()
    await sets.stop()

    issuers.answers[ONE.url] = DOWN
    after = issuers.sets(StateFile(path, private_file.write))
    after.want((ONE,))
    assert after.found == {ONE.key: FetchedKeys(text="a")}
    assert not await after.asked_once()
    await after.stop()


@pytest.mark.parametrize(
    "content", ["[]", '{"http://one/": {}}', '{"http://one/": {"text": 1, "at": "2026"}}', "x"]
)
async def test_a_file_that_says_nothing_costs_nothing(issuers, tmp_path, content) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    sets = issuers.sets(StateFile(path, private_file.write))
    assert not sets.found
    assert [one.code for one in sets.problems] == ["FILE-004"]
