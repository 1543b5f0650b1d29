"""Large responses go one after another; who is slow holds up nobody for long."""

import asyncio

import pytest

from mizzen.serve import budget
from mizzen.serve.budget import Budget

LARGE = 100_000


async def spend(shared: Budget, size: int, log: list[str], name: str, end: asyncio.Event) -> None:
    async with shared.spent(size):
        log.append(name)
        await end.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_is_too_much_waits_for_its_turn() -> None:
    shared, log, end = Budget(2 * LARGE), list[str](), asyncio.Event()
    names = ("a", "b", "c", "d")
    tasks = [asyncio.create_task(spend(shared, LARGE, log, name, end)) for name in names]
    await settle()
    assert log == ["a", "b"]

    end.set()
    await asyncio.gather(*tasks)

    assert log == ["a", "b", "c", "d"]


async def test_what_is_larger_than_all_goes_alone() -> None:
    shared, log, end = Budget(LARGE), list[str](), asyncio.Event()
    tasks = [asyncio.create_task(spend(shared, 5 * LARGE, log, name, end)) for name in ("a", "b")]
    await settle()
    assert log == ["a"]

    end.set()
    await asyncio.gather(*tasks)

    assert log == ["a", "b"]


async def test_who_is_slow_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "_SLOW_SECONDS", 0.05)
    shared, log, never, end = Budget(LARGE), list[str](), asyncio.Event(), asyncio.Event()
    end.set()
    slow = asyncio.create_task(spend(shared, LARGE, log, "slow", never))
    await asyncio.gather(*(spend(shared, LARGE, log, name, end) for name in ("a", "b")))
    assert log == ["slow", "a", "b"]

    never.set()
    await slow
    held = asyncio.Event()
    again = [asyncio.create_task(spend(shared, LARGE, log, name, held)) for name in ("c", "d")]
    await settle()

    assert log[3:] == ["c"]  # what was given back early was not given back twice
    held.set()
    await asyncio.gather(*again)


async def test_who_gives_up_waiting_takes_nobodys_turn() -> None:
    shared, log, end = Budget(LARGE), list[str](), asyncio.Event()
    tasks = [asyncio.create_task(spend(shared, LARGE, log, name, end)) for name in ("a", "b", "c")]
    await settle()
    tasks[1].cancel()
    await settle()

    end.set()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert log == ["a", "c"]
