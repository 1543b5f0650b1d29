"""Writes requirements-dev.lock: the exact versions that `pip install '.[dev]'` takes today.

    pip install -e '.[dev]' -c requirements-dev.lock

gives the very environment that a change was tested in. It binds developers only: what users install follows
the ranges of pyproject.toml.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements-dev.lock"


def resolved() -> dict[str, str]:
    """Project -> version, as pip resolves them now. Raises CalledProcessError when pip cannot."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
    report = subprocess.run(
        [*command, "--report", "-", ".[dev]"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    found = (item["metadata"] for item in json.loads(report)["install"])
    return {one["name"].lower(): one["version"] for one in found if one["name"].lower() != "mizzen"}


def main() -> None:
    lines = [f"{name}=={version}" for name, version in sorted(resolved().items())]
    LOCK.write_text("\n".join(["# Written by scripts/lock.py (make lock).", *lines, ""]))


if __name__ == "__main__":
    main()
