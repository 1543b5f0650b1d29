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

from mizzen.pipeline import to_snapshot
from mizzen.xds.snapshot import Snapshot
from tests.fuzz import nasty
from tests.golden import Case, built, cases

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio, pytest.mark.timeout(0)]

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
EXAMPLES = 250  # of the test


def configurations(case: Case, text: bytes) -> list[Snapshot]:
    build = built({"input.yaml": text}, case.settings)
    return [to_snapshot(one.config(one.announced_when_proven()), None) for one in build.gateways]


async def refusal(envoy: Envoy, snapshot: Snapshot) -> str:
    """Why not, or that it died."""
    why = await envoy.offer(snapshot)
    return "" if why.startswith("it did not arrive") and is_cold(why) else why


def is_cold(why: str) -> bool:
    """A name that DNS does not know keeps its cluster cold: that is no refusal."""
    return "Cluster" in why.partition("\n")[0]


async def search(examples: int, seconds: float, seed: int) -> list[str]:
    found: list[str] = []
    number, end = 0, time.monotonic() + seconds
    known = [case for case in cases() if not case.name.startswith("broken/")]
    envoy_context = running()
    envoy = await envoy_context.__aenter__()
    try:
        while number < examples or time.monotonic() < end:
            number += 1
            source = random.Random(f"{seed} {number}")
            case = source.choice(known)
            text, said = nasty(case, source)
            try:
                snapshots = configurations(case, text)
            except Exception:  # noqa: BLE001  # whatever it is, it is what is looked for
                found.append(f"{number} {case.name}: {said}\n   raised: {traceback.format_exc(limit=-3)}")
                print(found[-1], flush=True)
                continue
            for snapshot in snapshots:
                if why := await refusal(envoy, snapshot):
                    found.append(f"{number} {case.name}: {said}\n   refused: {why[:1500]}")
                    print(found[-1], flush=True)
                if envoy.process.poll() is not None:
                    found.append(f"{number} {case.name}: {said}\n   DIED")
                    print(found[-1], flush=True)
                    await envoy_context.__aexit__(None, None, None)
                    envoy_context = running()
                    envoy = await envoy_context.__aenter__()
    finally:
        await envoy_context.__aexit__(None, None, None)
    print(f"{number} examples, {len(found)} findings")
    return found


async def test_what_validation_lets_pass_envoy_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where an access log of any name is written

    assert not await search(EXAMPLES if not SECONDS else 0, SECONDS, SEED)
