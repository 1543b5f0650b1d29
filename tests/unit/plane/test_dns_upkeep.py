"""DNS follows the state: what is handed on when, and to whom."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mizzen.node import private_file
from mizzen.plane import dns_upkeep
from mizzen.plane.dns_keeper import NotesUnread, NotesUnwritten
from mizzen.plane.dns_records import KeptZone, ZoneKey
from mizzen.plane.dns_upkeep import DnsUpkeep, FileNotes, key_in
from mizzen.resources.intake import decode_all
from mizzen.resources.raw_objects import parse_documents
from mizzen.sources.state_file import StateFile
from tests.unit.plane.harness import GATEWAY, Plane, https, server
from tests.unit.plane.test_dns_records import KEY, policy


class Keeper:
    """Takes down what it is told to keep."""

    def __init__(self) -> None:
        self.told: list[dict[ZoneKey, list[str]]] = []
        self.is_idle, self.stopped, self.problems = True, 0, ()

    async def want(self, zones: dict[ZoneKey, KeptZone]) -> None:
        self.told.append({key: sorted(zone.records) for key, zone in zones.items()})
        self.is_idle = not zones

    async def stop(self) -> None:
        self.stopped += 1


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_upkeep, "GAP_SECONDS", 0.0)
    monkeypatch.setattr(dns_upkeep, "LOOK_SECONDS", 0.01)


@asynccontextmanager
async def running(plane: Plane, **others: Any) -> AsyncIterator[tuple[DnsUpkeep, Keeper]]:
    keeper = Keeper()
    upkeep = DnsUpkeep(state=lambda: plane.state, keeper=keeper, **others)  # type: ignore[arg-type]
    task = asyncio.create_task(upkeep.run())
    yield upkeep, keeper
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(check: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not check():
            await asyncio.sleep(0.005)


NAME = "_8443._https.shop.test."
LISTED = {(GATEWAY, server("shop")): True}


async def test_a_record_follows_the_life_of_its_announcement() -> None:
    plane = Plane()
    async with running(plane) as (upkeep, keeper):
        await asyncio.sleep(0.05)
        assert keeper.told == []  # nothing has been built
        plane.build(https("shop") + policy())
        upkeep.changed()
        await until(lambda: keeper.told == [{KEY: []}])
        plane.connect()
        plane.settle()
        plane.prove()
        plane.wait(1)
        upkeep.changed()
        await until(lambda: keeper.told[-1] == {KEY: [NAME]})
        plane.build(https("shop"))
        upkeep.changed()
        await until(lambda: keeper.told[-1] == {})
    assert keeper.stopped == 1


async def test_where_nobody_asks_for_records_nothing_is_worked_out() -> None:
    plane = Plane()
    plane.build(https("shop"))
    async with running(plane) as (upkeep, keeper):
        for _ in range(3):
            upkeep.changed()
            await asyncio.sleep(0.02)
        assert keeper.told == []


async def test_who_may_not_write_keeps_nothing_and_begins_when_he_may() -> None:
    plane, leads = Plane(), []
    plane.build(https("shop") + policy())
    async with running(plane, may_write=lambda: bool(leads), listed=lambda: LISTED) as (_, keeper):
        await asyncio.sleep(0.05)
        assert keeper.told == []
        leads.append(True)
        await until(lambda: keeper.told and keeper.told[-1] == {KEY: [NAME]})
        leads.clear()
        await until(lambda: keeper.stopped == 1)


async def test_what_fails_is_told_once_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    plane = Plane()
    plane.build(https("shop") + policy())
    async with running(plane, listed=lambda: LISTED) as (_, keeper):
        want, tries = keeper.want, []

        async def failing(zones: dict[ZoneKey, KeptZone]) -> None:
            tries.append(1)
            if len(tries) < 3:
                raise NotesUnread("the API server is away")
            await want(zones)

        keeper.want = failing  # type: ignore[method-assign]
        await until(lambda: keeper.told and keeper.told[-1] == {KEY: [NAME]})
    assert caplog.text.count("the API server is away") == 1


async def test_objects_are_told_of_where_there_is_no_cluster() -> None:
    plane, changes = Plane(), []
    plane.build(https("shop") + policy("{externalDns: true}"))
    async with running(plane, on_change=lambda: changes.append(1)) as (upkeep, _):
        await until(lambda: changes)
        (problem,) = upkeep.problems
        assert (problem.code, problem.field) == ("DNS-006", "spec.dns.externalDns")
        assert "there is no cluster here" in problem.message


async def test_objects_are_applied_again_until_it_works_and_taken_back() -> None:
    plane, applied, trouble = Plane(), [], ["no such kind"]

    async def apply(objects: Any) -> str:
        applied.append(sorted(map(str, objects)))
        return trouble[0] if trouble else ""

    plane.build(https("shop") + policy("{externalDns: true}"))
    async with running(plane, apply=apply, listed=lambda: LISTED) as (upkeep, _):
        await until(lambda: len(applied) > 2)
        assert upkeep.problems[0].code == "DNS-006"
        trouble.clear()
        await until(lambda: not upkeep.problems)
        assert applied[-1] == ["HTTP3Policy/istio-system/dns"]
        count = len(applied)
        await asyncio.sleep(0.05)
        assert len(applied) <= count + 1  # it works: nothing is done again
        plane.build(https("shop"))
        await until(lambda: applied[-1] == [])


async def test_notes_in_a_file_are_there_for_the_next_process(tmp_path: Path) -> None:
    file = tmp_path / "dns.json"
    assert await FileNotes(StateFile(file, private_file.write)).load() is None
    await FileNotes(StateFile(file, private_file.write)).save([{"zone": "test."}])
    assert await FileNotes(StateFile(file, private_file.write)).load() == [{"zone": "test."}]
    assert await FileNotes(None).load() is None

    def full(_: Path, __: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(NotesUnwritten, match="cannot be noted down"):
        await FileNotes(StateFile(file, full)).save([])


def test_a_key_is_found_in_the_world_by_the_name_of_its_secret() -> None:
    text = """
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: shop}
stringData: {name: k, secret: c2VjcmV0}
"""
    world, _ = decode_all(parse_documents(text, "in.yaml")[0])
    found = key_in(world, "shop/key")
    assert found is not None and found.name == "k"
    assert key_in(world, "shop/other") is None and key_in(None, "shop/key") is None
