import asyncio
from pathlib import Path

import pytest

from mizzen.node.child_process import Command
from mizzen.node.logs import BoundedLog
from mizzen.node.restart_policy import Restarts
from mizzen.node.restarting_process import Keeper, StartFailed


def keeper(log: BoundedLog, *argv: str, final: int = 2) -> Keeper:
    command = Command(name="backend", argv=argv)
    return Keeper(command, Restarts(name="backend", final=frozenset({final})), out=log, err=log)


async def test_a_child_that_cannot_start_takes_its_last_words_along(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "backend.log")
    with pytest.raises(StartFailed) as failed:
        await keeper(log, "/bin/sh", "-c", "echo no such option: -x; exit 2").run()
    log.close()

    assert str(failed.value) == (
        f"backend ended with status 2\nno such option: -x\n(all of it: {tmp_path}/backend.log)"
    )


async def test_a_program_that_is_not_there_is_told_as_the_system_tells_it(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "backend.log")
    with pytest.raises(StartFailed, match=r"No such file or directory: '/nowhere/backend'"):
        await keeper(log, "/nowhere/backend", final=127).run()
    log.close()


async def test_who_is_stopped_is_not_started_again(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "backend.log")
    kept = keeper(log, "/bin/sleep", "1000")
    running = asyncio.create_task(kept.run())
    await asyncio.sleep(0)  # let it start
    assert kept.child
    assert kept.child.is_running

    await kept.stop(grace=5)
    await running

    assert not kept.child.is_running
    log.close()


async def test_how_a_child_ended_is_known_before_the_next_one_is_started(tmp_path: Path) -> None:
    log, events = BoundedLog(tmp_path / "backend.log"), list[object]()
    kept = Keeper(
        Command(name="backend", argv=("/bin/sh", "-c", "kill -ABRT $$")),
        Restarts(name="backend", patience=None),
        out=log,
        err=log,
        on_start=lambda: events.append("start"),
        on_exit=events.append,
    )
    running = asyncio.create_task(kept.run())
    while len(events) < 4:
        await asyncio.sleep(0.01)
    await kept.stop(grace=5)
    await running
    log.close()

    assert events[:4] == ["start", -6, "start", -6]
