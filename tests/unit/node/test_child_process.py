import asyncio
import os
from pathlib import Path

import pytest

from mizzen.node.child_process import Child, Command
from mizzen.node.logs import BoundedLog


def shell(script: str, **rest: object) -> Command:
    return Command(name="shell", argv=("/bin/sh", "-c", script), **rest)  # type: ignore[arg-type]


async def test_all_that_a_child_wrote_is_in_its_logs_when_it_has_ended(tmp_path: Path) -> None:
    out, err = BoundedLog(tmp_path / "out"), BoundedLog(tmp_path / "err")
    child = Child(shell("echo said; echo complained >&2; exit 3"), out=out, err=err)

    assert await child.wait() == 3
    assert (out.tail(), err.tail()) == ("said", "complained")
    assert not child.is_running
    out.close()
    err.close()


async def test_a_child_has_our_environment_its_own_and_the_files_it_is_handed(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "log")
    reading, writing = os.pipe()
    os.write(writing, b"through the pipe\n")
    os.close(writing)
    command = shell(
        f'echo "$HERS:${{PATH:+ours}}"; cat /dev/fd/{reading}', environment={"HERS": "x"}, pass_fds=(reading,)
    )

    assert await Child(command, out=log, err=log).wait() == 0
    os.close(reading)
    log.close()
    assert log.tail() == "x:ours\nthrough the pipe"


async def test_who_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    up = asyncio.Event()
    log = BoundedLog(tmp_path / "log", on_line=lambda _: up.set())
    child = Child(shell("trap '' TERM; echo up; while :; do sleep 1; done"), out=log, err=log)
    await up.wait()

    assert await child.stop(grace=0.01) == -9
    log.close()


async def test_what_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "log")
    with pytest.raises(FileNotFoundError):
        Child(Command(name="x", argv=(str(tmp_path / "missing"),)), out=log, err=log)
    log.close()
