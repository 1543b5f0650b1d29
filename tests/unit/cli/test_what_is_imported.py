"""Start-up stays short: commands import what they need, counted by module and not by the clock."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mizzen
from mizzen import lazy
from mizzen.cli import options
from mizzen.resolve.context import ByService
from mizzen.resolve.unix import OPTION

SERVERS = {"grpc", "uvicorn", "starlette", "websockets", "httpx2", "lightkube", "pycurl"}
HEAVY = {"asyncio", "cryptography", "google", "msgspec", "re2", "yaml"}


def imported(statement: str) -> set[str]:
    """The modules that a fresh Python has after a statement."""
    program = (
        "import atexit, sys\n"
        "atexit.register(lambda: print('\\n'.join(list(sys.modules)), file=sys.stderr))\n"
        f"{statement}"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    return set(ran.stderr.split())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "empty.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n")
    return tmp_path


@pytest.mark.parametrize("verb", ["render", "analyze"])
def test_what_reads_files_needs_no_server_and_no_network(verb: str, folder: Path) -> None:
    found = imported(
        f"from mizzen.cli import cli\ncli([{verb!r}, '-f', {str(folder)!r}], standalone_mode=False)"
    )

    assert "mizzen.pipeline" in found  # it did run
    assert not {name for name in found if name.partition(".")[0] in SERVERS}
    assert not {name for name in found if name.startswith(("mizzen.serve", "mizzen.plane.loop"))}


def test_the_supervisor_needs_nothing_that_understands_objects() -> None:
    """It starts the control plane: each millisecond before that is one of every start."""
    found = imported("from mizzen.cli import up\nfrom mizzen.node.up import serve")

    assert "mizzen.node.supervisor" in found
    assert not {
        name
        for name in found
        if name.startswith(
            (
                "mizzen.pipeline",
                "mizzen.resolve",
                "mizzen.envoy.",
                "mizzen._api.",
                "google.",
                "grpc",
                "cryptography",
            )
        )
    }
    assert "mizzen.resources.world" not in found


def test_help_needs_no_command() -> None:
    found = imported("from mizzen.cli import cli\ncli(['--help'], standalone_mode=False)")

    assert {name for name in found if name.startswith("mizzen")} == {"mizzen", "mizzen.cli"}
    assert not {name.partition(".")[0] for name in found} & (SERVERS | HEAVY)


def test_what_asks_a_running_instance_needs_nothing_that_makes_its_configuration() -> None:
    found = imported("from mizzen.cli import proxy_config, proxy_status")

    assert "mizzen.node.instance" in found
    assert not {name.partition(".")[0] for name in found} & SERVERS
    assert not {
        name for name in found if name.startswith(("mizzen.pipeline", "mizzen.resolve", "mizzen.plane"))
    }
    assert "mizzen.resources.world" not in found


def test_the_doctor_brings_its_clients_when_it_looks() -> None:
    found = imported("from mizzen.cli import cli\ncli(['doctor', '--help'], standalone_mode=False)")

    assert "mizzen.cli.doctor" in found
    assert not {name.partition(".")[0] for name in found} & {"aioquic", "dns", "pycurl", "cryptography"}
    assert "mizzen.resources.world" not in found


def test_what_only_some_control_planes_use_is_imported_by_those() -> None:
    found = imported("from mizzen.plane import loop\nfrom mizzen.cli import dns")

    assert "mizzen.plane.name_server" in found
    assert "dns" not in {name.partition(".")[0] for name in found}


def test_no_class_makes_its_methods_before_they_are_called() -> None:
    """`mizzen.lazy` says why; what imports it has the dataclass of the standard library for nothing."""
    package = Path(mizzen.__file__).parent
    texts = {path: path.read_text() for path in package.rglob("*.py") if path != Path(lazy.__file__)}

    assert not [
        path for path, text in texts.items() if re.search(r"from dataclasses import .*\bdataclass\b", text)
    ]
    assert not [path for path, text in texts.items() if "dataclasses.dataclass(" in text]


def test_words_that_are_spelt_without_the_import_are_those_of_the_objects() -> None:
    assert options.UNIX_SOCKETS_IN == OPTION
    assert ByService.SERVICE.value == options._BY_SERVICE
