"""What following files costs: one changed among many, at rest, and a storm. In one process, without an Envoy.

Figures are of this process alone: reading, parsing and judging files up to a new listing; nothing is built of it.
"""

import argparse
import asyncio
import contextlib
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from mizzen.resources.raw_objects import RawObject
from mizzen.sources.files import Files
from mizzen.sources.listing import Listing

SIZES = (100, 1_000, 10_000, 100_000)
EDITS = 40
STORM = 5_000  # files
REST_SECONDS = 20.0

_TEXT = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: host-{number}
  namespace: shop
spec:
  hosts:
  - host-{number}.test
  gateways:
  - shop/gateway
  http:
  - match:
    - uri:
        prefix: /api
    route:
    - destination:
        host: api-{version}.shop.svc.cluster.local
        port:
          number: 80
  - route:
    - destination:
        host: web.shop.svc.cluster.local
        port:
          number: 80
"""


def _text(number: int, version: str) -> str:
    return _TEXT.format(number=number, version=version)


def _version(raw: RawObject) -> str:
    """What an object says: the version of its text."""
    host = raw.data["spec"]["http"][0]["route"][0]["destination"]["host"]
    return str(host.split(".")[0].removeprefix("api-"))


@dataclass(slots=True)
class _Follower:
    """Takes a listing whenever a source says that it has changed."""

    files: Files
    latest: Listing
    taken: int = 0
    versions: dict[str, str] = field(default_factory=dict)  # of the objects that have changed, by name
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        async for _ in self.files.changes():
            self.latest = await asyncio.to_thread(self.files.listing)
            self.taken += 1
            self.versions |= {raw.name: _version(raw) for raw in self.latest.added}
            self.wake.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(120):
            while not holds():
                self.wake.clear()
                await self.wake.wait()


@contextlib.asynccontextmanager
async def _following(files: Files) -> AsyncIterator[_Follower]:
    follower = _Follower(files, files.listing())
    task = asyncio.create_task(follower.run())
    await asyncio.sleep(1.0 + len(follower.latest.objects) / 10_000)  # until it watches
    gc.collect()
    gc.freeze()  # as the control plane does
    try:
        yield follower
    finally:
        gc.unfreeze()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _measure(folder: Path, number: int) -> None:
    for one in range(number):
        (folder / f"{one}.yaml").write_text(_text(one, "0"))
    files = Files((str(folder),))
    begin, busy = time.monotonic(), time.process_time()
    files.listing()
    print(
        f"{number:>7} files: first listing {time.monotonic() - begin:.2f} s, "
        f"{(time.process_time() - busy) * 1e6 / number:.0f} us of CPU each"
    )
    async with _following(files) as follower:
        await _edits(folder, number, follower)
        await _rest(number)
        await _storm(folder, min(number, STORM), follower)


async def _edits(folder: Path, number: int, follower: _Follower) -> None:
    waits, costs = [], []
    for edit in range(EDITS):
        await asyncio.sleep(0.1)
        at = edit * 7919 % number
        version = f"e{edit}"
        begin, busy = time.monotonic(), time.process_time()
        (folder / f"{at}.yaml").write_text(_text(at, version))
        name = f"host-{at}"
        await follower.until(lambda name=name, version=version: follower.versions.get(name) == version)  # type: ignore[misc]
        waits.append(time.monotonic() - begin)
        await asyncio.sleep(0.02)  # what is still done after it counts as well
        costs.append(time.process_time() - busy)
    print(
        f"{'':>7} one changed: {statistics.median(waits) * 1000:.2f} ms until it is listed "
        f"(p95 {sorted(waits)[int(len(waits) * 0.95)] * 1000:.1f}), "
        f"{statistics.median(costs) * 1000:.2f} ms of CPU"
    )


async def _rest(number: int) -> None:
    seconds = REST_SECONDS if number > 1_000 else REST_SECONDS / 4
    await asyncio.sleep(1)
    busy = time.process_time()
    await asyncio.sleep(seconds)
    print(f"{'':>7} at rest: {(time.process_time() - busy) / seconds:.2%} of a core")


_WRITE = """\
import pathlib, sys
folder, number, text = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.stdin.read()
for one in range(number):
    (folder / f"{one}.yaml").write_text(text.replace("NUMBER", str(one)))
"""


async def _storm(folder: Path, number: int, follower: _Follower) -> None:
    taken, busy, begin = follower.taken, time.process_time(), time.monotonic()
    writer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _WRITE, str(folder), str(number)), stdin=asyncio.subprocess.PIPE
    )
    text = _TEXT.replace("{number}", "NUMBER").replace("{version}", "storm")
    await writer.communicate(text.encode())
    written = time.monotonic()

    names = [f"host-{one}" for one in range(number)]
    await follower.until(lambda: all(follower.versions.get(name) == "storm" for name in names))
    print(
        f"{'':>7} {number} rewritten in {written - begin:.2f} s: all listed {time.monotonic() - written:.2f} s after "
        f"the last, {follower.taken - taken} listings, {time.process_time() - busy:.2f} s of CPU"
    )


def main(arguments: list[str]) -> None:
    """Print the figures for every number of files."""
    parser = argparse.ArgumentParser(prog="bench files", description=__doc__)
    parser.add_argument("--files", type=int, nargs="+", default=SIZES)
    for number in parser.parse_args(arguments).files:
        with tempfile.TemporaryDirectory(prefix="mizzen-bench-") as folder:
            asyncio.run(_measure(Path(folder), number))
