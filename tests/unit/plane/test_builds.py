"""Builds: one after the other, in one thread, however many ask."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from mizzen.plane.builds import Builds

T = TypeVar("T")


@contextlib.asynccontextmanager
async def running(
    begin: Callable[[int], Callable[[], T]],
    on_made: Callable[[T], None],
    on_fault: Callable[[Exception], None] = lambda _: None,
) -> AsyncIterator[Builds]:
    builds = Builds(begin, on_made, on_fault, retry_seconds=0.001)
    task = asyncio.create_task(builds.run())
    try:
        yield builds
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        builds.stop()


async def test_one_build_answers_all_who_asked_before_it_began_and_none_who_asked_since() -> None:
    world, seen, gate = [0], list[int](), threading.Event()

    def begin(_: int) -> Callable[[], int]:
        now = world[0]  # what it found when it began

        def build() -> int:
            gate.wait(10)
            return now

        return build

    async with running(begin, seen.append) as builds:
        first = builds.ask()
        await asyncio.sleep(0.05)  # it has begun
        for _ in range(5):
            world[0] += 1
            last = builds.ask()
        gate.set()
        await builds.answered(last)

        assert first < last
        assert seen == [0, 5]


async def test_builds_have_rising_numbers_and_one_thread() -> None:
    threads, numbers = set[int](), list[int]()

    def begin(number: int) -> Callable[[], int]:
        def build() -> int:
            threads.add(threading.get_ident())
            return number

        return build

    async with running(begin, numbers.append) as builds:
        for _ in range(20):
            await builds.rebuilt()
        assert await builds.in_worker(threading.get_ident) in threads

    assert len(threads) == 1
    assert threads != {threading.get_ident()}
    assert numbers == list(range(1, 21))


async def test_a_build_that_fails_is_told_and_tried_again() -> None:
    faults: list[str] = []

    def begin(number: int) -> Callable[[], int]:
        def build() -> int:
            if number < 3:
                raise RecursionError(f"try {number}")
            return number

        return build

    async with running(begin, lambda _: None, lambda error: faults.append(str(error))) as builds:
        stopped = asyncio.create_task(asyncio.Event().wait())
        assert await builds.first(stopped)  # nobody asked again
        stopped.cancel()

        assert faults == ["try 1", "try 2"]


async def test_who_stops_while_nothing_can_be_built_is_heard() -> None:
    def begin(_: int) -> Callable[[], int]:
        def build() -> int:
            raise MemoryError

        return build

    async with running(begin, lambda _: None) as builds:
        stop = asyncio.Event()
        stopped = asyncio.create_task(stop.wait())
        first = asyncio.create_task(builds.first(stopped))
        await builds.rebuilt()
        assert not first.done()
        stop.set()

        assert not await first
