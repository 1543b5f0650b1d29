"""Every scenario of the catalogues has a case that shows it: tests/scenarios.yaml, which cannot rot.

A real Envoy takes every case: tests/e2e/test_cases_on_envoy.py.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.golden import ROOT

# How many scenarios each catalogue has.
ROUTES = [str(number) for number in range(1, 123)]
GATEWAY = [*(f"7.1.{number}" for number in range(1, 18)), *(f"7.{number}" for number in range(2, 10))]
MESH = [str(number) for number in range(1, 8)]
ELSEWHERE = "not"


@dataclass(frozen=True, slots=True)
class Scenario:
    """`shows`: texts of the output of `case`, without blanks between JSON's signs."""

    name: str
    text: str
    case: str
    shows: tuple[str, ...]


def scenarios() -> Iterator[Scenario]:
    table = yaml.safe_load(Path(__file__).with_name("scenarios.yaml").read_text())
    for catalogue, entries in table.items():
        for number, (text, case, *shows) in entries.items():
            yield Scenario(f"{catalogue} {number}", text, case, tuple(shows))


SCENARIOS = tuple(scenarios())


def test_the_table_has_every_scenario() -> None:
    wanted = {"routes": ROUTES, "gateway": GATEWAY, "mesh": MESH}
    assert [one.name for one in SCENARIOS] == [
        f"{name} {number}" for name in wanted for number in wanted[name]
    ]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_its_case_shows_it(scenario: Scenario) -> None:
    if scenario.case == ELSEWHERE:
        assert scenario.shows, "why is it none of ours?"
        return
    folder = ROOT / scenario.case
    output = "".join(text(folder / name) for name in ("envoy.json", "problems.txt", "requests.yaml"))
    assert output, f"{scenario.case} shows nothing"
    assert [shown for shown in scenario.shows if shown not in output] == []


def test_every_case_of_scenarios_is_in_the_table() -> None:
    """A folder that nothing points to shows nothing of the catalogues."""
    folders = {f"scenarios/{path.name}" for path in (ROOT / "scenarios").iterdir() if path.is_dir()}
    assert folders <= {one.case for one in SCENARIOS}


def text(path: Path) -> str:
    if not path.exists():
        return ""
    if path.suffix == ".json":
        return json.dumps(json.loads(path.read_text()), separators=(",", ":"), ensure_ascii=False)
    return path.read_text()


# --- what is valid ------------------------------------------------------------------------------------

VALIDITY = ROOT / "scenarios/objects-that-are-valid-warned-of-and-refused"
_PROBLEM = re.compile(r"\S+: \w+/[\w-]+/([vwx]-[\w-]+) ?\S*: (error|warning) (?:VAL|FLD)-", re.MULTILINE)


def test_objects_are_valid_warned_of_and_refused_as_their_names_say() -> None:
    judged: dict[str, set[str]] = {}
    for name, severity in _PROBLEM.findall((VALIDITY / "problems.txt").read_text()):
        judged.setdefault(name, set()).add(severity)
    objects = [one["metadata"]["name"] for one in yaml.safe_load_all((VALIDITY / "input.yaml").read_text())]
    seen = {
        name: "x" if "error" in judged.get(name, ()) else "w" if name in judged else "v"
        for name in objects
        if re.match("[vwx]-", name)
    }
    assert len(seen) > 80
    assert {name: level for name, level in seen.items() if level != name[0]} == {}
