"""Nasty values: what validation lets pass, a real Envoy takes; nothing raises or hangs, no Envoy dies of it, and whoever has
nothing to do with it is served as before.

FUZZ_SECONDS and FUZZ_SEED make it a long search (`make fuzz`); as a test it is short and always the same.
"""

import asyncio
import os
import random
import time
import traceback
from collections.abc import Iterable, Iterator
from itertools import chain, count
from pathlib import Path

import pytest

from mizzen.envoy.config import LISTENERS, EnvoyConfig
from mizzen.envoy.violations import violations
from mizzen.plane.envoy_files import unusable_files, without_files
from tests.e2e.test_cases_on_envoy import Envoy, running
from tests.fuzz import NEIGHBOUR, NEIGHBOUR_PORT, OF_THEIR_OWN, OPEN, nasty, sweep
from tests.golden import Case, built, cases
from tests.harness.snapshots import held

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio, pytest.mark.timeout(0)]

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
EXAMPLES = 250  # at least
LONGEST = 20.0  # seconds of the build of one example
GOOD = [case for case in cases() if not case.name.startswith("broken/")]


def configurations(case: Case, text: bytes) -> list[EnvoyConfig]:
    start = time.monotonic()
    build = built({"input.yaml": text + NEIGHBOUR}, case.settings)
    assert time.monotonic() - start < LONGEST, "hangs"
    usable = [without_files(one, unusable_files(one, None)) for one in build.gateways]
    return [one.config(one.announced_when_proven()) for one in usable]


async def fault(envoy: Envoy, config: EnvoyConfig) -> str:
    """What is wrong with `config` that nobody has told; "" for nothing."""
    broken = [wrong for one in config.messages() for wrong in violations(one)]
    refused = await envoy.offer(held(config))
    if envoy.told.process.poll() is not None:
        return f"Envoy died: {envoy.told.log.read_text()[-2000:]}"
    if refused.startswith("it did not arrive") and "Cluster" in refused.partition("\n")[0]:
        refused = ""  # a name that DNS does not know keeps its cluster cold
    if "cannot bind" in refused:
        refused = ""  # whether an address is this machine's is not a question of what is written
    if "script load error" in refused:
        refused = (
            ""  # whether a script is one Envoy alone knows: who wrote it is set aside (test_quarantine.py)
        )
    if broken and not refused:
        return f"taken, although it breaks rules: {broken}"
    return f"refused (rules broken: {broken}): {refused}" if refused else ""


async def neighbours_answer() -> int:
    """The status that the neighbour's clients get; 0 when nobody answers, also a moment later."""
    for _ in range(2):
        if answer := await _asked():
            return answer
        await asyncio.sleep(0.5)
    return await _asked()


async def _asked() -> int:
    request = b"GET / HTTP/1.1\r\nhost: neighbour.example\r\nconnection: close\r\n\r\n"
    try:
        async with asyncio.timeout(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", NEIGHBOUR_PORT)
            writer.write(request)
            line = await reader.readline()
            writer.close()
    except (OSError, TimeoutError):
        return 0
    return int(line.split()[1]) if line else 0


def has_neighbour(config: EnvoyConfig) -> bool:
    return f"0.0.0.0_{NEIGHBOUR_PORT}" in config.bodies.get(LISTENERS, {})


class Search:
    """Tries examples on an Envoy, and on a new one where one died; what is found is printed at once."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.number = 0
        self._usual: dict[str, set[int]] = {}  # by case: what its neighbour is answered at its gateways

    async def run(self, examples: Iterable[tuple[Case, bytes, tuple[str, ...]]]) -> list[str]:
        left = iter(examples)
        for first in left:
            async with running() as envoy:
                for case, text, changes in chain([first], left):
                    await self._try(envoy, case, text, changes)
                    if envoy.told.process.poll() is not None:
                        break
        print(f"{self.number} examples, {len(self.found)} findings")
        return self.found

    async def _try(self, envoy: Envoy, case: Case, text: bytes, changes: tuple[str, ...]) -> None:
        self.number += 1
        try:
            faults, answers = await self._offered(envoy, case, text)
            is_own = {one.split(".")[0].split()[0] for one in changes} <= OF_THEIR_OWN
            # Who is judged by a policy of the case may be judged otherwise when what that asks is changed.
            if is_own and answers != {OPEN} and await self._usual_of(envoy, case) == {OPEN}:
                faults.append(f"the neighbour got {answers}")
        except Exception:  # noqa: BLE001  # whatever it is, it is what is looked for
            faults = [f"raised: {traceback.format_exc(limit=-3)}"]
        for wrong in faults:
            self.found.append(f"{case.name}: {'; '.join(changes)}\n    {wrong}")
            print(self.found[-1], flush=True)

    async def _usual_of(self, envoy: Envoy, case: Case) -> set[int]:
        """What the neighbour of a case is answered while nothing is changed."""
        if case.name not in self._usual:
            self._usual[case.name] = (await self._offered(envoy, case, b"".join(_texts(case))))[1]
        return self._usual[case.name]

    async def _offered(self, envoy: Envoy, case: Case, text: bytes) -> tuple[list[str], set[int]]:
        """What is wrong with each of its configurations, and what the neighbour is answered."""
        faults, answers = [], set()
        for config in configurations(case, text):
            faults.append(await fault(envoy, config))
            if has_neighbour(config) and not faults[-1]:
                answers.add(await neighbours_answer())
        return [one for one in faults if one], answers


def _texts(case: Case) -> Iterator[bytes]:
    for text in case.texts().values():
        yield text + b"\n---\n"


def at_random() -> Iterator[tuple[Case, bytes, tuple[str, ...]]]:
    """Some examples, or as many as FUZZ_SECONDS allow. Each depends on FUZZ_SEED and its number alone."""
    end = time.monotonic() + SECONDS
    for number in count(1):
        if number > EXAMPLES and time.monotonic() > end:
            return
        source = random.Random(f"{SEED} {number}")
        case = source.choice(GOOD)
        text, changes = nasty(case, source)
        yield case, text, changes


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an access log of any name is written."""
    monkeypatch.chdir(tmp_path)


async def test_what_validation_lets_pass_envoy_takes() -> None:
    assert not await Search().run(at_random())


@pytest.mark.skipif(not SECONDS, reason="takes minutes: make fuzz")
async def test_every_field_may_have_every_value() -> None:
    assert not await Search().run((case, text, (change,)) for case, text, change in sweep(GOOD))
