"""Secrets planted wherever objects can hold one: no command shows them, and no log."""

import base64
import http.client
import json
import os
import re
import select
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from mizzen.cli import cli
from tests.harness import gateway
from tests.harness.gateway import Authority, Up

pytestmark = pytest.mark.e2e

MARK = "Hunter2Hunter2"
KEYS = json.dumps(
    {
        "keys": [
            {
                "kty": "oct",
                "kid": "one",
                "alg": "HS256",
                "k": base64.urlsafe_b64encode(MARK.encode()).decode(),
            }
        ]
    }
)

SITE = f"""\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw, namespace: istio-system}}
spec:
  selector: {{istio: ingressgateway}}
  servers:
  - {{port: {{number: 80, name: http, protocol: HTTP}}, hosts: ['*']}}
  - {{port: {{number: 443, name: https, protocol: HTTPS}}, hosts: [shop.test], tls: {{mode: SIMPLE, credentialName: shop-tls}}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: vs, namespace: shop}}
spec:
  hosts: [shop.test]
  gateways: [istio-system/gw]
  http:
  - match: [{{headers: {{x-api-key: {{exact: {MARK}}}}}, queryParams: {{token: {{exact: {MARK}}}}}}}]
    redirect: {{uri: '/login?access_token={MARK}'}}
  - headers:
      request: {{set: {{Authorization: 'Basic {MARK}', x-api-key: {MARK}, x-origin-verify: {MARK}}}, add: {{cookie: 'session={MARK}'}}}}
      response: {{set: {{set-cookie: 'id={MARK}'}}}}
    directResponse: {{status: 200}}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {{name: tokens, namespace: istio-system}}
spec: {{jwtRules: [{{issuer: id.test, jwks: '{KEYS}'}}]}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: key, namespace: istio-system}}
spec: {{action: DENY, rules: [{{when: [{{key: 'request.headers[x-api-key]', values: [{MARK}]}}]}}]}}
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {{name: login, namespace: istio-system}}
spec:
  configPatches:
  - applyTo: HTTP_FILTER
    match: {{listener: {{portNumber: 8443}}}}
    patch:
      operation: ADD
      value:
        name: login
        typed_config:
          '@type': type.googleapis.com/envoy.extensions.filters.http.basic_auth.v3.BasicAuth
          users: {{inline_string: 'joe:{MARK}'}}
---
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {{name: plugin, namespace: istio-system}}
spec: {{url: 'https://joe:{MARK}@registry.test/x', match: [{{mode: SERVER}}], pluginConfig: {{password: {MARK}}}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: broken, namespace: istio-system}}
stringData: {{password: [{MARK}], pin: 20262026}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: broken, namespace: shop}}
spec: {{hosts: [b.test], http: [{{headers: {{request: {{set: {{authorization: ['{MARK}']}}}}}}, redirect: {{uri: /}}}}]}}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Up, Path, Authority]]:
    folder, authority = tmp_path_factory.mktemp("yaml"), Authority()
    (folder / "site.yaml").write_text(
        SITE + "---\n" + gateway.secret("shop-tls", authority.server("shop.test"))
    )
    with gateway.up(folder) as up:
        yield up, folder, authority


def said(*arguments: str) -> str:
    result = CliRunner().invoke(cli, arguments)
    return str(result.output)


def assert_silent(text: str, where: str) -> None:
    plain = base64.b64encode(MARK.encode()).decode().rstrip("=")
    for secret in (MARK, plain, plain[:-1], "20262026", "BEGIN PRIVATE KEY", "BEGIN EC PRIVATE KEY"):
        found = re.search(f".{{0,80}}{re.escape(secret)}", text)
        assert found is None, f"{where}: {found[0] if found else ''}"


@pytest.mark.parametrize(
    "command",
    [
        "render -f FOLDER",
        "render -f FOLDER -o yaml",
        "analyze -f FOLDER",
        "analyze -f FOLDER -o json",
        "proxy-status --run-dir RUN",
        "http3 status --run-dir RUN",
        *(
            f"proxy-config {kind} --run-dir RUN{output}"
            for kind in ("all", "routes")
            for output in ("", " -o json", " -o yaml")
        ),
    ],
)
def test_a_command_shows_none(running: tuple[Up, Path, Authority], command: str) -> None:
    up, folder, _ = running
    words = {"FOLDER": str(folder), "RUN": str(up.instance.run_dir)}
    text = said(*(words.get(word, word) for word in command.split()))

    assert len(text) > 100, text
    assert_silent(text, command)


def test_status_report_logs_and_output_show_none(running: tuple[Up, Path, Authority], tmp_path: Path) -> None:
    up, _, _ = running
    report = tmp_path / "report.tar.gz"
    said("bug-report", "--run-dir", str(up.instance.run_dir), "-o", str(report))
    with tarfile.open(report) as archive:
        names = archive.getnames()
        assert any(name.endswith("config_dump.json") for name in names)
        for name in names:
            file = archive.extractfile(name)
            assert file is not None
            assert_silent(file.read().decode(), name)
    assert_silent(json.dumps(up.status()), "status")
    assert_silent(up.read(), "what is printed")
    for log in (up.instance.run_dir / "logs").glob("*"):
        assert_silent(log.read_text(errors="replace"), log.name)


def test_the_dashboard_shows_none_and_all_else(running: tuple[Up, Path, Authority]) -> None:
    up, _, _ = running
    command = [sys.executable, "-m", "mizzen", "dashboard", "envoy", "--no-browser", "--address", "127.0.0.1"]
    process = subprocess.Popen(
        [*command, "--run-dir", str(up.instance.run_dir)], stdout=subprocess.PIPE, env={**os.environ}
    )
    try:
        assert process.stdout
        assert select.select([process.stdout], [], [], 20)[0]
        port = int(process.stdout.readline().decode().rpartition(":")[2])
        for page, word in (
            ("/config_dump", "shop.test"),
            ("/config_dump?resource=dynamic_route_configs", ""),
            ("/stats", "cluster."),
        ):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", page)
            text = connection.getresponse().read().decode()
            connection.close()
            assert word in text
            assert_silent(text, page)
    finally:
        process.terminate()
        process.communicate(timeout=10)
