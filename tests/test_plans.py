"""Each folder of tests/plans: applying new/ where old/ is served does what plan.txt and plan.json say.

tests/plans/NAME/ holds
  old/, new/     files; one that is absent, or empty, is a folder without objects
  plan.txt       what `mizzen plan -f new --against old` prints for people (`make golden` writes it)
  plan.json      the same with -o json
  case.yaml      optional: environment, external_ports, promised: {GATEWAY: {ANNOUNCEMENT: TIME}}, scoped
Placeholders for certificates are those of tests/golden.py.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from mizzen.cli.planned import text_of
from mizzen.errors import Severity
from mizzen.pipeline import Settings
from mizzen.plan.effects import Effect, Plan
from mizzen.plan.planning import Served, plan
from mizzen.resolve.context import ByService
from tests.golden import built, filled, material, parsed

ROOT = Path(__file__).parent / "plans"
CASES = sorted(path.parent for path in ROOT.glob("*/new"))


def texts(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*.yaml") if path.is_file())
    return {
        f"{folder.name}/{path.relative_to(folder)}": filled(path.read_bytes(), material) for path in paths
    }


def said(folder: Path) -> Mapping[str, Any]:
    file = folder / "case.yaml"
    return yaml.safe_load(file.read_text()) if file.exists() else {}


def settings_of(case: Mapping[str, Any]) -> Settings:
    ports = case.get("external_ports", ())
    return Settings(
        environment=case.get("environment", {}),
        external_ports=ByService(ports) if isinstance(ports, str) else tuple(map(tuple, ports)),
    )


def planned(folder: Path, old: str = "old", new: str = "new") -> Plan:
    case = said(folder)
    settings = settings_of(case)
    was, will = (parsed(texts(folder / name)) for name in (old, new))
    wrong = built(texts(folder / new), settings).problems
    assert not [one for one in wrong if one.severity is Severity.ERROR], "what has errors is not planned"
    remembered = {
        (called, name): datetime.fromisoformat(at)
        for called, some in case.get("promised", {}).items()
        for name, at in some.items()
    }
    served = Served(objects=was[0], problems=was[1], remembered=remembered, scoped=case.get("scoped", {}))
    return plan(served, *will, settings)


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_a_change_does_what_it_says(folder: Path, request: pytest.FixtureRequest) -> None:
    made = planned(folder)
    shown = {
        "plan.txt": text_of(made),
        "plan.json": json.dumps(made.to_json(), indent=1) + "\n",
    }
    if request.config.getoption("--golden"):
        for name, text in shown.items():
            (folder / name).write_text(text)
    assert shown == {name: (folder / name).read_text() for name in shown}


def test_each_effect_has_a_case() -> None:
    seen = {
        one["effect"] for folder in CASES for one in json.loads((folder / "plan.json").read_text())["changes"]
    }
    assert seen == {effect.value for effect in Effect}
