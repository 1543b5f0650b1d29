"""The control plane of `mizzen up` and `mizzen pilot -f`: it serves what files say, until it is told to stop."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path

from mizzen.node import private_file
from mizzen.node.console import SAID
from mizzen.node.instance import Instance
from mizzen.node.restore import Restorer
from mizzen.pipeline import Settings
from mizzen.plane.dns_upkeep import FileNotes
from mizzen.plane.loop import ControlPlane
from mizzen.plane.network import Listening
from mizzen.sources.ages import Ages
from mizzen.sources.files import Files
from mizzen.sources.state_file import StateFile


def read_memory(descriptor: int) -> bytes:
    """The content of a memory file that the parent filled (standard input, which is there only once)."""
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def say(text: str) -> None:
    """To the user of `mizzen up`, who reads the lines of ours that begin with a mark."""
    print("".join(f"{SAID}{line}\n" for line in text.splitlines()), end="", flush=True)


async def _until(stop: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Do this, unless `stop` comes first."""
    tasks = [asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        task.result()


def serve(
    instance: Instance,
    paths: Sequence[str],
    stdin: bytes | None,
    settings: Settings,
    *,
    ca_folder: Path | None = None,
    listening: Listening | None = None,
    tell: Callable[[str], None] | None = None,
    restorer: Restorer | None = None,
) -> None:
    """Run a control plane until SIGTERM or SIGINT."""

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        ages = Ages(StateFile(instance.ages, private_file.write))
        files = Files(paths, stdin, ages=ages, now=lambda: datetime.now(UTC))
        plane = ControlPlane(
            instance,
            files,
            settings,
            kept=StateFile(instance.last_good, private_file.write),
            aside=StateFile(instance.set_aside, private_file.write),
            fetched=StateFile(instance.fetched_keys, private_file.write),
            fetched_modules=StateFile(instance.fetched_modules, private_file.write),
            kept_tickets=StateFile(instance.session_tickets, private_file.write),
            dns_notes=FileNotes(StateFile(instance.dns_notes, private_file.write)),
            ca_folder=ca_folder,
            listening=listening,
            say=tell or say,
            restorer=restorer,
        )
        if os.path.lexists(instance.ads_socket):  # another one was here, and Envoys serve what it said
            known = {
                key: age.file for key, age in ages.known.items() if key not in plane.worker.last_good.good
            }
            await _until(stop, files.return_of(known, tell or say))
        await plane.run(stop)

    asyncio.run(main())
