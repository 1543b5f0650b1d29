"""The commands say what mizzen itself cannot do, and at which line; nobody sees a traceback."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from mizzen import guard
from mizzen.cli import analyze, render
from mizzen.errors import ResourceRef
from mizzen.guard import Stage
from mizzen.resolve.proxies import gateways

TEXT = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: istio-system}
spec:
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: routes, namespace: istio-system}
spec:
  hosts: ["*"]
  gateways: [web]
  http:
  - directResponse: {status: 200}
"""


@pytest.fixture(params=[Stage.READ, Stage.RESOLVE, Stage.TRANSLATE, Stage.GATEWAY], ids=lambda one: one.name)
def failing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage that fails for the VirtualService, or for the gateway."""
    stage: Stage = request.param

    def run(now: Stage, ref: ResourceRef, make: Callable[[], Any]) -> Any:
        if now is stage and ref.kind in ("VirtualService", "IstioOperator"):
            raise RecursionError("made to fail")
        return make()

    monkeypatch.setattr(guard, "run", run)
    return stage


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "all.yaml"
    path.write_text(TEXT)
    return path


def test_analyze_names_the_line(file: Path, failing: Stage) -> None:
    found = CliRunner().invoke(analyze.command, ["-f", str(file)])

    assert found.exit_code == 1
    where = f"{file}:" if failing is not Stage.GATEWAY else "IstioOperator/istio-system/built-in"
    assert [line for line in found.output.splitlines() if line.startswith(where) and failing.code in line]
    assert "Traceback" not in found.output


@pytest.mark.parametrize("command", [analyze.command, render.command], ids=["analyze", "render"])
def test_where_nothing_can_be_worked_out_it_is_said_in_a_sentence(
    file: Path, monkeypatch: pytest.MonkeyPatch, command: click.Command
) -> None:
    def mesh(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(gateways, "overlay", mesh)
    operator = (
        "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: mesh}\nspec: {}\n"
    )
    file.with_name("operator.yaml").write_text(operator)

    found = CliRunner().invoke(command, ["-f", str(file.parent)])

    assert found.exit_code == 1
    assert "error INT-005: the configuration cannot be worked out: MemoryError" in found.output
    assert "Traceback" not in found.output


def test_render_renders_the_rest(file: Path, failing: Stage) -> None:
    found = CliRunner().invoke(render.command, ["-f", str(file)])

    assert f"error {failing.code}" in found.stderr
    assert ("0.0.0.0_8080" in found.stdout) == (failing is not Stage.GATEWAY)
    assert isinstance(found.exception, SystemExit | None)
