"""Nasty values: what validation lets pass, a real Envoy takes; nothing raises, and no Envoy dies of it.

FUZZ_SECONDS and FUZZ_SEED make it a long search (`make fuzz`); as a test it is short and always the same.
"""

import os
import random
import time
import traceback
from collections.abc import Iterable, Iterator
from itertools import chain, count
from pathlib import Path

import pytest

from mizzen.envoy.config import EnvoyConfig
from mizzen.envoy.violations import violations
from mizzen.pipeline import to_snapshot
from mizzen.plane.envoy_files import unusable_files, without_files
from tests.e2e.test_cases_on_envoy import Envoy, running
from tests.fuzz import nasty, sweep
from tests.golden import Case, built, cases

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio, pytest.mark.timeout(0)]

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
EXAMPLES = 250  # at least
GOOD = [case for case in cases() if not case.name.startswith("broken/")]


def configurations(case: Case, text: bytes) -> list[EnvoyConfig]:
    build = built({"input.yaml": text}, case.settings)
    usable = [without_files(one, unusable_files(one, None)) for one in build.gateways]
    return [one.config(one.announced_when_proven()) for one in usable]


async def fault(envoy: Envoy, config: EnvoyConfig) -> str:
    """What is wrong with `config` that nobody has told; "" for nothing."""
    broken = [wrong for one in config.messages() for wrong in violations(one)]
    refused = await envoy.offer(to_snapshot(config, None))
    if envoy.process.poll() is not None:
        return f"Envoy died: {envoy.log.read_text()[-2000:]}"
    if refused.startswith("it did not arrive") and "Cluster" in refused.partition("\n")[0]:
        refused = ""  # a name that DNS does not know keeps its cluster cold
    if "cannot bind" in refused:
        refused = ""  # whether an address is this machine's is not a question of what is written
    if broken and not refused:
        return f"taken, although it breaks rules: {broken}"
    return f"refused (rules broken: {broken}): {refused}" if refused else ""


async def search(examples: Iterable[tuple[Case, bytes, str]]) -> list[str]:
    """Try all of them, on a new Envoy where one died; what is found is printed at once."""
    found: list[str] = []
    number, left = 0, iter(examples)
    for first in left:
        async with running() as envoy:
            for case, text, changes in chain([first], left):
                number += 1
                try:
                    faults = [await fault(envoy, config) for config in configurations(case, text)]
                except Exception:  # noqa: BLE001  # whatever it is, it is what is looked for
                    faults = [f"raised: {traceback.format_exc(limit=-3)}"]
                for wrong in filter(None, faults):
                    found.append(f"{case.name}: {changes}\n    {wrong}")
                    print(found[-1], flush=True)
                if envoy.process.poll() is not None:
                    break
    print(f"{number} examples, {len(found)} findings")
    return found


def at_random() -> Iterator[tuple[Case, bytes, str]]:
    """Some examples, or as many as FUZZ_SECONDS allow. Each depends on FUZZ_SEED and its number alone."""
    end = time.monotonic() + SECONDS
    for number in count(1):
        if number > EXAMPLES and time.monotonic() > end:
            return
        source = random.Random(f"{SEED} {number}")
        case = source.choice(GOOD)
        text, changes = nasty(case, source)
        yield case, text, f"({SEED} {number}) {changes}"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an access log of any name is written."""
    monkeypatch.chdir(tmp_path)


async def test_what_validation_lets_pass_envoy_takes() -> None:
    assert not await search(at_random())


@pytest.mark.skipif(not SECONDS, reason="takes minutes: make fuzz")
async def test_every_field_may_have_every_value() -> None:
    assert not await search(sweep(GOOD))
