"""Writes the lock files: the exact versions that pip takes today.

requirements-dev.lock: of `pip install '.[dev]'`. With it

    pip install -e '.[dev]' -c requirements-dev.lock

gives the very environment that a change was tested in. requirements.lock: of mizzen alone, for the image
(Containerfile). What users install with pip follows the ranges of pyproject.toml.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {"requirements-dev.lock": ".[dev]", "requirements.lock": "."}


def resolved(what: str) -> dict[str, str]:
    """Project -> version, as pip resolves them now. Raises CalledProcessError when pip cannot."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
    report = subprocess.run(
        [*command, "--report", "-", what], cwd=ROOT, check=True, capture_output=True
    ).stdout
    found = (item["metadata"] for item in json.loads(report)["install"])
    return {one["name"].lower(): one["version"] for one in found if one["name"].lower() != "mizzen"}


def main() -> None:
    for name, what in LOCKS.items():
        lines = [f"{project}=={version}" for project, version in sorted(resolved(what).items())]
        (ROOT / name).write_text("\n".join(["# Written by scripts/lock.py (make lock).", *lines, ""]))


if __name__ == "__main__":
    main()
