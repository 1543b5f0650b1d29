"""What a message names can be looked up: every code in the source is in docs/problems.md, and no other is."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_IN_SOURCE = re.compile(r"\"([A-Z][A-Z0-9]+-[0-9]{3})\"")
_IN_PAGE = re.compile(r"^\| ([A-Z][A-Z0-9]+-[0-9]{3}) \|", re.MULTILINE)


def test_every_code_is_documented() -> None:
    source = (path for path in (ROOT / "mizzen").rglob("*.py") if "_api" not in path.parts)
    used = {code for path in source for code in _IN_SOURCE.findall(path.read_text())}
    documented = set(_IN_PAGE.findall((ROOT / "docs" / "problems.md").read_text()))

    assert {"K8S-001", "VAL-001", "XDS-001"} <= used
    assert used - documented == set()
    assert documented - used == set()
