"""Files that Envoy could not open: access logs."""

import os
from pathlib import Path

import pytest

from mizzen.pipeline import GatewayBuild, Settings
from mizzen.plane.envoy_files import unusable_files, without_files
from tests.golden import built


def logging_to(path: object) -> GatewayBuild:
    text = f"""
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {{name: mesh, namespace: istio-system}}
spec:
  meshConfig: {{accessLogFile: "{path}"}}
  components: {{ingressGateways: [{{name: istio-ingressgateway, enabled: true}}]}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: edge, namespace: istio-system}}
spec: {{servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: ["*"]}}]}}
"""
    (gateway,) = built({"in.yaml": text.encode()}, Settings()).gateways
    return gateway


def test_a_log_in_a_folder_that_is_not_there_is_left_out_and_told_with_its_place(tmp_path: Path) -> None:
    build = logging_to(tmp_path / "none" / "log")

    (found,) = unusable_files(build, None)

    assert found.problem.message.endswith(f"cannot be written: there is no folder {tmp_path / 'none'}")
    assert str(found.problem.origin) == "in.yaml:6:16"
    silent = without_files(build, (found,))
    assert silent.model.listeners
    assert not any(one.access_logs for one in silent.model.listeners)


def test_what_can_be_written_is_written(tmp_path: Path) -> None:
    for path in ("/dev/stdout", "/dev/null", tmp_path / "log"):
        assert unusable_files(logging_to(path), None) == ()


def test_what_envoy_has_open_it_keeps(tmp_path: Path) -> None:
    build = logging_to(tmp_path / "none" / "log")

    assert unusable_files(build, build.model) == ()


@pytest.mark.parametrize(
    ("path", "why"), [("FOLDER", "it is a folder"), ("FOLDER/" + "x" * 300, "File name too long")]
)
def test_why_it_cannot_be_written(tmp_path: Path, path: str, why: str) -> None:
    (found,) = unusable_files(logging_to(path.replace("FOLDER", str(tmp_path))), None)

    assert found.problem.message.endswith(why)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    assert "nothing may be made" in unusable_files(logging_to(tmp_path / "log"), None)[0].problem.message
