"""Each file of unit tests mirrors a module, and each module has one: but for those in two lists that only shrink.

`modules_without_test.txt` names modules that nothing mirrors, `tests_of_several.txt` files whose subject is several modules
together. A new module comes with its test, or has its name put there where a reviewer sees it.
"""

from pathlib import Path

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "tests" / "unit"
WITHOUT = UNIT / "modules_without_test.txt"
SEVERAL = UNIT / "tests_of_several.txt"


def _modules() -> set[str]:
    """All modules with code of their own, as paths below mizzen/ without the suffix."""
    files = (path.relative_to(ROOT / "mizzen").with_suffix("") for path in (ROOT / "mizzen").rglob("*.py"))
    return {path.as_posix() for path in files if path.parts[0] != "_api" and not path.name.startswith("__")}


def _mirrored() -> dict[str, str]:
    """The module that each file of tests is for by its name -> that file, as a path below tests/unit."""
    files = (path.relative_to(UNIT) for path in UNIT.rglob("test_*.py"))
    return {(path.parent / path.stem.removeprefix("test_")).as_posix(): path.as_posix() for path in files}


def without_test() -> set[str]:
    return _modules() - _mirrored().keys()


def of_several() -> set[str]:
    modules = _modules()
    return {file for module, file in _mirrored().items() if module not in modules}


def _listed(file: Path) -> set[str]:
    return {line for line in file.read_text().splitlines() if line and not line.startswith("#")}


def test_every_module_has_its_test_or_is_in_the_list() -> None:
    assert without_test() - _listed(WITHOUT) == set()


def test_a_module_that_has_its_test_by_now_leaves_the_list() -> None:
    assert _listed(WITHOUT) - without_test() == set()


def test_every_file_of_tests_mirrors_a_module_or_is_in_the_list() -> None:
    assert of_several() ^ _listed(SEVERAL) == set()
