"""The options of `istioctl analyze`, over files."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mizzen.cli.analyze import CODES, command

TEXT = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: shop}
spec:
  hosts: [shop.test]
  gateways: [nobody]
  http:
  - match: [{uri: {prefix: /a/}}]
    rewrite: {uri: /b}
    route: [{destination: {host: a.test}}]
"""
WARNED = TEXT.replace("gateways: [nobody]", "gateways: [mesh]")


@pytest.fixture
def analyze(tmp_path: Path):
    def run(text: str, *options: str) -> Result:
        (tmp_path / "in.yaml").write_text(text)
        return CliRunner().invoke(command, [str(tmp_path / "in.yaml"), *options])

    return run


def codes(result: Result) -> list[str]:
    return [problem["istio"] for problem in json.loads(result.stdout)]


def test_files_may_be_named_without_an_option_and_each_problem_has_both_codes(analyze) -> None:
    result = analyze(TEXT)

    assert "error REF-001 (IST0101)" in result.stdout
    assert result.exit_code == 1


def test_what_is_suppressed_is_neither_shown_nor_fails(analyze) -> None:
    result = analyze(TEXT, "-S", "IST0101=VirtualService *.shop", "-S", "VAL-104=*", "-o", "json")

    assert codes(result) == []
    assert result.exit_code == 0


def test_a_suppression_of_no_code_is_warned_of_and_one_that_is_none_is_refused(analyze) -> None:
    assert "no problem has the code IST0999" in analyze(TEXT, "-S", "IST0999=*").stderr
    assert "is not CODE=KIND NAME.NAMESPACE" in analyze(TEXT, "-S", "IST0101").stderr


def test_thresholds_say_what_is_shown_and_what_fails(analyze) -> None:
    assert codes(analyze(WARNED, "-o", "json")) == ["IST0133"]
    assert analyze(WARNED).exit_code == 0
    assert analyze(WARNED, "--failure-threshold", "Warning").exit_code == 1
    hidden = analyze(WARNED, "--output-threshold=error", "--failure-threshold=info", "-o", "json")
    assert codes(hidden) == []
    assert hidden.exit_code == 1


def test_colors_are_as_istioctl_takes_them(analyze) -> None:
    assert "\x1b[31merror" in analyze(TEXT, "--color").stdout
    assert "\x1b[31merror" in analyze(TEXT, "--color=true").stdout
    assert "\x1b" not in analyze(TEXT, "--color=false").stdout
    assert "\x1b" not in analyze(TEXT).stdout


def test_documents_that_are_none_can_be_ignored(analyze) -> None:
    assert analyze("a: {").exit_code == 1
    assert analyze("a: {", "--ignore-unknown").exit_code == 0


def test_without_a_cluster_there_must_be_files() -> None:
    result = CliRunner().invoke(command, ["--use-kube=false"])

    assert result.exit_code == 2
    assert "name files" in result.stderr


def test_every_code_is_listed() -> None:
    result = CliRunner().invoke(command, ["-L"])

    assert {line.split()[0] for line in result.stdout.splitlines()} == set(CODES)


def test_the_settings_of_the_mesh_may_come_from_a_file(analyze, tmp_path: Path) -> None:
    (tmp_path / "mesh").write_text("mixerCheckServer: a\n")

    result = analyze(WARNED, "--meshConfigFile", str(tmp_path / "mesh"))

    assert "mesh:1:1: IstioOperator" in result.stdout
