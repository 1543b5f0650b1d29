"""Nasty values: what validation lets pass, a real Envoy takes; nothing raises, and no Envoy dies of it.

FUZZ_SECONDS and FUZZ_SEED make it a long search (`make fuzz`); as a test it is short and always the same.
"""

import os
import random
import time
import traceback
from pathlib import Path

import pytest
from test_cases_on_envoy import Envoy, running

from mizzen.envoy.config import EnvoyConfig
from mizzen.envoy.violations import violations
from mizzen.pipeline import to_snapshot
from mizzen.run.envoy_files import unusable_files, without_files
from tests.fuzz import nasty
from tests.golden import Case, built, cases

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio, pytest.mark.timeout(0)]

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
EXAMPLES = 250  # of the test


def configurations(case: Case, text: bytes) -> list[EnvoyConfig]:
    build = built({"input.yaml": text}, case.settings)
    usable = [without_files(one, unusable_files(one, None)) for one in build.gateways]
    return [one.config(one.announced_when_proven()) for one in usable]


async def fault(envoy: Envoy, config: EnvoyConfig) -> str:
    """What is wrong with `config` that nobody has told; "" for nothing."""
    broken = [
        wrong for named in config.resources.values() for one in named.values() for wrong in violations(one)
    ]
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


async def search(examples: int, seconds: float, seed: int) -> list[str]:
    """Try some examples (or as many as `seconds` allow); what is found is printed at once."""
    found: list[str] = []
    known = [case for case in cases() if not case.name.startswith("broken/")]
    number, end = 0, time.monotonic() + seconds
    while number < examples or time.monotonic() < end:
        async with running() as envoy:
            while envoy.process.poll() is None and (number < examples or time.monotonic() < end):
                number += 1
                source = random.Random(f"{seed} {number}")
                case = source.choice(known)
                text, changes = nasty(case, source)
                try:
                    faults = [await fault(envoy, config) for config in configurations(case, text)]
                except Exception:  # noqa: BLE001  # whatever it is, it is what is looked for
                    faults = [f"raised: {traceback.format_exc(limit=-3)}"]
                for wrong in filter(None, faults):
                    found.append(f"{seed} {number} {case.name}: {changes}\n    {wrong}")
                    print(found[-1], flush=True)
    print(f"{number} examples, {len(found)} findings")
    return found


async def test_what_validation_lets_pass_envoy_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where an access log of any name is written

    assert not await search(0 if SECONDS else EXAMPLES, SECONDS, SEED)
