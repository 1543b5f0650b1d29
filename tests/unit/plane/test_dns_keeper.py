"""Records are kept in a real BIND: written, replaced, removed; others' stay; what fails is told, and tried again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from mizzen.dns.record import Record
from mizzen.errors import ResourceRef
from mizzen.model.dns import Keeper, TsigKey
from mizzen.plane import dns_keeper
from mizzen.plane.dns_keeper import DnsKeeper, NotesUnwritten
from mizzen.plane.dns_records import KeptZone, ZoneKey, key_of
from mizzen.plane.name_server import NameServer, Outcome
from tests.harness.bind import KEY, Bind, bind, needs_bind

pytestmark = [needs_bind, pytest.mark.asyncio(loop_scope="module")]

ZONE = "example.com."
RECORDS = """
a A 192.0.2.1
b A 192.0.2.1
theirs A 192.0.2.1
theirs HTTPS 1 . alpn=h2
"""
POLICY = ResourceRef(kind="HTTP3Policy", namespace="shop", name="web")


class Memory:
    """Notes, and what became of them."""

    def __init__(self) -> None:
        self.value: Any = None
        self.trouble = ""

    async def load(self) -> Any:
        return self.value

    async def save(self, value: Any) -> None:
        if self.trouble:
            raise NotesUnwritten(self.trouble)
        self.value = value

    @property
    def names(self) -> list[str]:
        return [name for zone in self.value or () for name in zone["names"]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    with bind(tmp_path_factory.mktemp("bind"), RECORDS) as one:
        yield one


@pytest.fixture
def notes() -> Memory:
    return Memory()


Make = Callable[..., DnsKeeper]


@pytest_asyncio.fixture(loop_scope="module")
async def make(notes: Memory, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    monkeypatch.setattr(dns_keeper, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(dns_keeper, "AGAIN_SECONDS", 0.2)
    made: list[DnsKeeper] = []

    def one(key_in: TsigKey | None = None) -> DnsKeeper:
        made.append(DnsKeeper(notes, lambda _: key_in, lambda: None))
        return made[-1]

    yield one
    for keeper in made:
        await keeper.want({})
        await asyncio.sleep(0.1)
        await keeper.stop()


def keeper_of(server: Bind, key: TsigKey | None = KEY, secret: str = "shop/key") -> Keeper:
    return Keeper(
        policy=POLICY,
        owner="shop/web",
        server="127.0.0.1",
        port=server.port,
        zone=ZONE,
        key=key,
        secret=secret,
    )


def record(host: str, **others: Any) -> Record:
    return Record(name=f"{host}.{ZONE}", **{"ttl": 60, "alpn": ("h3", "h2"), **others})


def zones(keeper: Keeper, *records: Record, unknown: frozenset[str] = frozenset()) -> dict[ZoneKey, KeptZone]:
    by_name: dict[str, tuple[Record, ...]] = {}
    for one in records:
        by_name[one.name] = (*by_name.get(one.name, ()), one)
    key = key_of(keeper)
    assert key is not None
    return {key: KeptZone(keeper=keeper, records=by_name, unknown=unknown)}


async def holds(server: Bind, host: str) -> tuple[str, ...]:
    name = f"{host}.{ZONE}"
    return (await NameServer(address="127.0.0.1", port=server.port).said([name]))[name]


async def until(check: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(30):
        while not await check():
            await asyncio.sleep(0.02)


async def told(keeper: DnsKeeper, code: str) -> bool:
    return any(problem.code == code for problem in keeper.problems)


async def test_what_is_wanted_is_written_changed_and_removed(server: Bind, make: Make, notes: Memory) -> None:
    keeper, of = make(), keeper_of(server)
    await keeper.want(zones(of, record("a"), record("b")))
    await until(lambda: holds(server, "b"))
    assert notes.names == [f"a.{ZONE}", f"b.{ZONE}"]
    await keeper.want(zones(of, record("a", port=443, ipv4hint=("192.0.2.9",))))

    async def is_changed() -> bool:
        return "192.0.2.9" in "".join(await holds(server, "a")) and not await holds(server, "b")

    await until(is_changed)
    await keeper.want({})
    await until(lambda: _none(server, "a"))
    await until(lambda: _is(lambda: keeper.is_idle))
    assert notes.names == [] and keeper.problems == ()


async def _none(server: Bind, host: str) -> bool:
    return not await holds(server, host)


async def written_before(server: Bind, make: Make, *hosts: str) -> Keeper:
    """By a process that has ended; the policy by which it wrote."""
    first, of = make(), keeper_of(server)
    await first.want(zones(of, *map(record, hosts)))
    await until(lambda: holds(server, hosts[-1]))
    await first.stop()
    return of


async def _is(check: Callable[[], object]) -> bool:
    return bool(check())


async def test_the_next_process_removes_what_nobody_wants_any_more(
    server: Bind, make: Make, notes: Memory
) -> None:
    of = await written_before(server, make, "a", "b")
    second = make()
    await second.want(zones(of, record("a")))
    await until(lambda: _none(server, "b"))
    assert await holds(server, "a")
    await second.stop()
    third = make(KEY)  # the policy is gone, its Secret is there
    await third.want({})
    await until(lambda: _none(server, "a"))


async def test_without_its_key_it_says_what_stays(server: Bind, make: Make, notes: Memory) -> None:
    of = await written_before(server, make, "a")
    second = make()
    await second.want({})
    await until(lambda: told(second, "DNS-007"))
    (problem,) = second.problems
    assert f"a.{ZONE}" in problem.message and "shop/key" in problem.message
    assert await holds(server, "a")
    await second.want(zones(of))  # the policy is back
    await until(lambda: _none(server, "a"))
    assert not await told(second, "DNS-007")


async def test_without_notes_what_is_ours_is_known_by_its_registration(
    server: Bind, make: Make, notes: Memory
) -> None:
    of = await written_before(server, make, "a")
    notes.value = None
    second = make()
    await second.want(zones(of, record("a", ipv4hint=("192.0.2.8",))))

    async def is_changed() -> bool:
        return "192.0.2.8" in "".join(await holds(server, "a"))

    await until(is_changed)
    assert second.problems == ()


async def test_without_notes_what_is_not_justified_any_more_goes_too(
    server: Bind, make: Make, notes: Memory
) -> None:
    of = await written_before(server, make, "a")
    notes.value = None
    second = make()
    ((key, kept),) = zones(of).items()
    await second.want({key: replace(kept, absent=frozenset({f"a.{ZONE}", f"theirs.{ZONE}"}))})
    await until(lambda: _none(server, "a"))
    assert await holds(server, "theirs")
    await until(lambda: _is(lambda: notes.names == []))
    assert second.problems == ()


async def test_records_of_others_are_told_of_and_left(server: Bind, make: Make) -> None:
    keeper = make()
    await keeper.want(zones(keeper_of(server), record("theirs"), record("nobody"), record("a")))
    await until(lambda: told(keeper, "DNS-004"))
    await until(lambda: holds(server, "a"))
    await until(lambda: told(keeper, "DNS-005"))
    assert await holds(server, "theirs") == ('1 . alpn="h2"',)
    assert {str(problem.resource) for problem in keeper.problems} == {"HTTP3Policy/shop/web"}


async def test_what_could_not_be_written_is_tried_again(server: Bind, make: Make) -> None:
    keeper, of = make(), keeper_of(server)
    other = NameServer(address="127.0.0.1", port=server.port, key=KEY)
    assert await other.write(ZONE, f"b.{ZONE}", [record("b", alpn=("h2",))], "else") is Outcome.WRITTEN
    await keeper.want(zones(of, record("b")))
    await until(lambda: told(keeper, "DNS-004"))
    assert "of else, as their registration says" in keeper.problems[0].message
    assert await other.remove(ZONE, f"b.{ZONE}", "else") is Outcome.REMOVED

    async def is_ours() -> bool:
        return "h3" in "".join(await holds(server, "b"))

    await until(is_ours)
    await until(lambda: _is(lambda: keeper.problems == ()))


async def test_a_wrong_key_is_told_and_a_right_one_heals_it(server: Bind, make: Make) -> None:
    keeper = make()
    wrong = keeper_of(server, replace(KEY, secret="b3RoZXI="))
    await keeper.want(zones(wrong, record("a")))
    await until(lambda: told(keeper, "DNS-003"))
    (problem,) = keeper.problems
    assert "with another secret" in problem.message and problem.field == "spec.dns.server"
    await keeper.want(zones(keeper_of(server), record("a")))
    await until(lambda: holds(server, "a"))
    await until(lambda: _is(lambda: keeper.problems == ()))


async def test_a_server_that_is_away_holds_up_no_other(server: Bind, make: Make, tmp_path: Path) -> None:
    keeper = make()
    with bind(tmp_path, RECORDS) as away:
        away.stop()
        both = zones(keeper_of(away), record("a")) | zones(keeper_of(server), record("b"))
        await keeper.want(both)
        await until(lambda: holds(server, "b"))
        await until(lambda: told(keeper, "DNS-003"))
        assert "connection refused" in keeper.problems[0].message
        away.start()
        await until(lambda: holds(away, "a"))
        await keeper.want({})
        await until(lambda: _none(away, "a"))


async def test_what_somebody_changes_is_written_again(
    server: Bind, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dns_keeper, "LOOK_SECONDS", 0.2)
    keeper = make()
    await keeper.want(zones(keeper_of(server), record("a")))
    await until(lambda: holds(server, "a"))
    other = NameServer(address="127.0.0.1", port=server.port, key=KEY)
    await other.remove(ZONE, f"a.{ZONE}", "shop/web")
    await until(lambda: holds(server, "a"))


async def test_what_nobody_knows_of_stays_as_it_is(server: Bind, make: Make) -> None:
    keeper, of = make(), keeper_of(server)
    await keeper.want(zones(of, record("a")))
    await until(lambda: holds(server, "a"))
    unknown = frozenset({f"a.{ZONE}", f"b.{ZONE}"})
    await keeper.want(zones(of, record("a"), record("b"), unknown=unknown))
    await asyncio.sleep(0.2)
    assert await holds(server, "a") and not await holds(server, "b")


async def test_nothing_is_written_that_is_not_noted_down(server: Bind, make: Make, notes: Memory) -> None:
    keeper = make()
    notes.trouble = "the disk is full"
    await keeper.want(zones(keeper_of(server), record("a")))
    await until(lambda: told(keeper, "DNS-003"))
    assert "the disk is full" in keeper.problems[0].message
    assert await _none(server, "a")
    notes.trouble = ""
    await until(lambda: holds(server, "a"))
    assert notes.names == [f"a.{ZONE}"]


async def test_who_comes_back_notes_down_what_another_has_forgotten(
    server: Bind, make: Make, notes: Memory
) -> None:
    first, second, of = make(), make(), keeper_of(server)
    await first.want(zones(of, record("a"), record("b")))
    await until(lambda: holds(server, "b"))
    await first.stop()
    await second.want(zones(of, record("a")))
    await until(lambda: _is(lambda: notes.names == [f"a.{ZONE}"]))
    await second.stop()
    await first.want(zones(of, record("a"), record("b")))
    await until(lambda: holds(server, "b"))
    assert notes.names == [f"a.{ZONE}", f"b.{ZONE}"]
