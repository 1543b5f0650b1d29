import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from mizzen.run.builder import Builder


@contextlib.asynccontextmanager
async def running(
    build: Callable[[], Awaitable[None]], on_fault: Callable[[Exception], None] = lambda _: None
) -> AsyncIterator[Builder]:
    builder = Builder(build, on_fault, retry_seconds=0.001)
    task = asyncio.create_task(builder.run())
    try:
        yield builder
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_one_build_answers_all_who_asked_before_it_began_and_none_who_asked_since() -> None:
    world, seen, gate = [0], list[int](), asyncio.Event()

    async def build() -> None:
        now = world[0]  # what it found when it began
        await gate.wait()
        seen.append(now)

    async with running(build) as builder:
        first = builder.ask()
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # it has begun
        for _ in range(5):
            world[0] += 1
            last = builder.ask()
        gate.set()
        await builder.answered(last)

        assert first < last
        assert seen == [0, 5]


async def test_builds_do_not_run_side_by_side() -> None:
    running_now, most = 0, 0

    async def build() -> None:
        nonlocal running_now, most
        running_now += 1
        most = max(most, running_now)
        await asyncio.sleep(0)
        running_now -= 1

    async with running(build) as builder:
        for _ in range(20):
            await builder.answered(builder.ask())

        assert most == 1


async def test_a_build_that_fails_is_told_and_tried_again() -> None:
    faults: list[str] = []
    tries = 0

    async def build() -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise RecursionError(f"try {tries}")

    async with running(build, lambda error: faults.append(str(error))) as builder:
        stopped = asyncio.create_task(asyncio.Event().wait())
        assert await builder.first(stopped)  # nobody asked again
        stopped.cancel()

        assert faults == ["try 1", "try 2"]


async def test_who_stops_while_nothing_can_be_built_is_heard() -> None:
    async def build() -> None:
        raise MemoryError

    async with running(build) as builder:
        stop = asyncio.Event()
        stopped = asyncio.create_task(stop.wait())
        first = asyncio.create_task(builder.first(stopped))
        await builder.answered(builder.ask())
        assert not first.done()
        stop.set()

        assert not await first
