"""Each folder of tests/cases: its YAML gives exactly its envoy.json and its problems.txt.

`make golden` writes both anew; read the diff as a reviewer will. What a case may hold: tests/golden.py.
"""

import re
from pathlib import Path

import pytest

from mizzen.errors import CODES as OF_COUNTING
from mizzen.pipeline import CATALOGUE as OF_BUILDING
from mizzen.resolve.catalogue import CATALOGUE as OF_RESOLVING
from mizzen.resources.catalogue import CATALOGUE as OF_READING
from tests.golden import Case, cases, envoy_json, problems_text

CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_gives_what_it_says(case: Case, request: pytest.FixtureRequest) -> None:
    build = case.build()
    made = {"envoy.json": envoy_json(case, build), "problems.txt": problems_text(build)}
    if request.config.getoption("--golden"):
        for name, text in made.items():
            _write(case.folder / name, text)
    assert made == {name: _read(case.folder / name) for name in made}


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def _write(file: Path, text: str) -> None:
    if text:
        file.write_text(text)
    else:
        file.unlink(missing_ok=True)


# Codes that no case can show, and why.
WITHOUT_A_CASE = {
    "GW-006": "a Gateway with an HTTPS or TLS server without `tls` is refused as a whole when it is read",
    "RT-003": "a delegate that delegates is refused as a whole when it is read",
    "INT-006": "a fault that has to be made: tests/unit/test_pipeline.py",
    "JWT-005": "nothing is fetched for a case: tests/unit/resolve/access/test_tokens.py",
    "EXT-017": "nor for this one: tests/unit/resolve/access/test_plugins.py",
}


def test_every_problem_has_a_case_that_shows_it() -> None:
    said = "".join(_read(case.folder / "problems.txt") for case in CASES)
    known = {**OF_READING, **OF_BUILDING, **OF_RESOLVING, **OF_COUNTING}
    seen = set(re.findall(r": (?:error|warning|info) ([A-Z0-9]+-[0-9]+)[ :]", said))
    unseen = known.keys() - seen
    assert unseen == WITHOUT_A_CASE.keys()
