"""`mizzen dns`: from files and from what runs, in each form."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from mizzen.cli import cli, reach
from mizzen.status import BindingStatus, EnvoyStatus, MirrorStatus, Status

FILES = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [www.example.com, www.example.org],
     tls: {mode: SIMPLE, credentialName: web}}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "site.yaml"
    path.write_text(FILES)
    return str(path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["dns", *arguments], catch_exceptions=False)


def lines(result: Result) -> list[str]:
    return [line for line in result.stdout.splitlines() if not line.startswith((";", "#"))]


def test_files_give_a_zone_and_their_problems_go_elsewhere(file: str) -> None:
    done = run("-f", file, "--external-port", "443:8443", "--address", "192.0.2.1", "--zone", "example.com")
    assert done.exit_code == 0
    assert lines(done) == ['www.example.com. 60 IN HTTPS 1 . alpn="h3,h2,http/1.1" ipv4hint=192.0.2.1']
    assert "SEC-001" in done.stderr and "SEC-001" not in done.stdout


def test_what_is_asked_for_goes_before_what_is_written(file: str) -> None:
    asked = ["--external-port", "443:8443", "--ttl", "20", "--target", "edge.example.net", "-o", "json"]
    found = json.loads(run("-f", file, *asked).stdout)
    assert found["proven"] is False
    assert {(one["ttl"], one["target"]) for one in found["records"]} == {(20, "edge.example.net.")}
    assert found["records"][0]["because"][0]["origin"] == f"{file}:8:5"


def test_objects_for_external_dns_are_yaml(file: str) -> None:
    done = run("-f", file, "--external-port", "443:8443", "-o", "external-dns", "-n", "shop")
    found = yaml.safe_load(done.stdout)
    assert found["metadata"]["namespace"] == "shop"
    assert [one["dnsName"] for one in found["spec"]["endpoints"]] == ["www.example.com", "www.example.org"]


def test_commands_name_the_server_and_the_zone(file: str) -> None:
    asked = ["-o", "nsupdate", "--server", "192.0.2.53", "--zone", "example.com", "--owner", "me"]
    found = lines(run("-f", file, "--external-port", "443:8443", *asked))
    assert found[:2] == ["server 192.0.2.53 53", "zone example.com."]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (["--address", "www"], "is not an IP address"),
        (["--zone", "a..b"], "is not a host name"),
        (["--owner", "a,b"], "letters, digits"),
        (["--against", "a:0"], "ADDRESS:PORT"),
        (["--ttl", "0"], "0 is not in the range"),
        (
            ["--gateway", "other"],
            "no gateway with HTTPS servers is called 'other'; there is: istio-ingressgateway",
        ),
    ],
)
def test_what_cannot_be_asked_for_is_told(file: str, asked: list[str], why: str) -> None:
    done = run("-f", file, *asked)
    assert done.exit_code in (1, 2) and why in done.output


def test_without_files_what_runs_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = MirrorStatus(
        server="https.443.https.web.shop",
        hosts=("www.example.com",),
        port=443,
        dns=BindingStatus(is_listed=True, alpn=("h3", "h2"), ttl=20),
    )
    hidden = MirrorStatus(
        server="b", hosts=("b.example.com",), port=443, reason="it fails", dns=BindingStatus()
    )
    status = Status(gateways={"gw": EnvoyStatus(key="gw.ns", version="1", mirrors=(mirror, hidden))})
    monkeypatch.setattr(reach.Local, "status", lambda _: status)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", "/nowhere")
    done = run("--run-dir", "/nowhere")
    assert lines(done) == ['www.example.com. 20 IN HTTPS 1 . alpn="h3,h2"']
    assert "announced now" in done.stdout and "b.example.com: it fails" in done.stdout


def test_nobody_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    done = run("--run-dir", str(tmp_path))
    assert done.exit_code == 1 and "no mizzen answers" in done.output
