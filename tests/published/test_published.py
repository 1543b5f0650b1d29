"""The shapes in which others publish YAML, written anew: `analyze` has nothing wrong to say of them.

What it says of the real ones is in README.md beside this, made by `python -m scripts.published`.
"""

from pathlib import Path

import pytest

from mizzen.errors import Severity
from scripts.published import Published, judged

SHAPES = Path(__file__).parent / "shapes"


@pytest.mark.parametrize("path", sorted(SHAPES.iterdir()), ids=lambda path: path.stem)
def test_nothing_is_wrong_with_what_others_publish(path: Path) -> None:
    number, problems = judged(SHAPES, Published(path.stem, "shapes", (path.name,)))

    assert number > 3
    assert [str(one) for one in problems if one.severity is not Severity.INFO] == []


def test_a_mistake_in_them_is_told(tmp_path: Path) -> None:
    text = (SHAPES / "application-of-several-versions.yaml").read_text()
    (tmp_path / "it.yaml").write_text(text.replace("host: front", "host: fornt"))

    _, problems = judged(tmp_path, Published("it", "shapes", ("it.yaml",)))

    assert "REF-002" in {one.code for one in problems}
