import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mizzen.cli import cli
from tests.golden import filled, material
from tests.harness.plans import SITE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "old", SITE)
    return tmp_path


def write(path: Path, site: str) -> None:
    path.mkdir(exist_ok=True)
    (path / "site.yaml").write_bytes(filled(site.encode(), material))


def plan(folder: Path, site: str, *options: str) -> Result:
    write(folder / "new", site)
    return CliRunner().invoke(
        cli,
        ["plan", "-f", str(folder / "new"), "--against", str(folder / "old"), *options],
        catch_exceptions=False,
    )


@pytest.mark.parametrize(
    ("old", "new", "status", "worst"),
    [
        ("192.0.2.1", "192.0.2.1", 0, "none"),
        ("192.0.2.1", "192.0.2.2", 0, "endpoints"),
        ("name: https,", "name: https-new,", 2, "reconnects"),
    ],
)
def test_the_exit_status_says_whether_something_is_closed(
    folder: Path, old: str, new: str, status: int, worst: str
) -> None:
    done = plan(folder, SITE.replace(old, new), "-o", "json")

    assert done.exit_code == status
    assert json.loads(done.stdout)["worst"] == worst


def test_errors_are_told_as_analyze_does(folder: Path) -> None:
    broken = SITE.replace("mode: SIMPLE", "mode: SIMPEL")
    done = plan(folder, broken)
    as_json = plan(folder, broken, "-o", "json")

    assert (done.exit_code, as_json.exit_code) == (1, 1)
    assert (
        f"{folder}/new/site.yaml:9:11: Gateway/istio-system/web spec.servers[0].tls.mode: error"
        in done.stdout
    )
    assert json.loads(as_json.stdout)[0]["field"] == "spec.servers[0].tls.mode"
    assert "worst" not in done.stdout


@pytest.mark.parametrize(
    "arguments", [["plan"], ["plan", "-f", "x", "--bad"], ["plan", "-f", "/none", "--against", "/none"]]
)
def test_what_cannot_be_looked_at_is_1(arguments: list[str]) -> None:
    assert CliRunner().invoke(cli, arguments).exit_code == 1


def test_people_read_what_it_was_compared_with(folder: Path) -> None:
    done = plan(folder, SITE.replace("192.0.2.1", "192.0.2.2"))

    assert done.stdout.startswith(f"compared with {folder}/old (4 objects)\n")
    assert "ServiceEntry/istio-system/web spec.endpoints[0].address" in done.stdout


def test_a_folder_without_objects_serves_nothing(folder: Path) -> None:
    (folder / "empty").mkdir()
    done = CliRunner().invoke(
        cli, ["plan", "-f", str(folder / "old"), "--against", str(folder / "empty"), "-o", "json"]
    )

    assert (done.exit_code, json.loads(done.stdout)["worst"]) == (0, "opens")
