"""Edits that go wrong: said with their place, and nothing that worked stops working."""

import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from tests.e2e.test_under_load import assert_nothing_failed, envoy_pid, load, write
from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import HOST, Authority, Up, eventually, replace_file

pytestmark = pytest.mark.e2e

URL = f"https://{HOST}:8443/"

GOOD = gateway.route(header="good")

BROKEN = {
    "unreadable YAML": "spec: [\n",
    "a duplicate key": GOOD.replace("spec:\n", "spec:\n  hosts: [x.test]\n"),
    "an unknown field": GOOD.replace("  gateways:", "  gatewayz:"),
    "a wrong type": GOOD.replace('hosts:\n  - "shop.test"', "hosts: shop.test"),
    "an unknown kind": GOOD.replace("kind: VirtualService", "kind: VirtualServise"),
    "an empty file": "",
    "binary": "\x00\x01\x02",
}


def test_a_bad_edit_is_said_and_the_last_good_version_stays(folder: Path, authority: Authority) -> None:
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    (folder / "gateway.yaml").write_text(gateway.gateway())
    path = folder / "route.yaml"
    path.write_text(GOOD)
    with gateway.up(folder) as up:
        for what, text in BROKEN.items():
            replace_file(path, text)
            problem = eventually(lambda: [p for p in up.status()["problems"] if str(path) in p["origin"]])[0]
            assert problem["message"], what
            if what != "an empty file":  # that is how one takes everything away
                assert curl("h3", URL, ca_pem=authority.pem).header("x-version") == "good", what
            replace_file(path, GOOD)
            eventually(lambda: not up.status()["problems"])
            eventually(lambda: curl("h2", URL, ca_pem=authority.pem).header("x-version") == "good")


def test_one_bad_object_costs_no_other(folder: Path, authority: Authority) -> None:
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    (folder / "gateway.yaml").write_text(gateway.gateway())
    (folder / "route.yaml").write_text(GOOD)
    (folder / "bad.yaml").write_text(
        gateway.gateway("other.test", name="other", credential="no-such-secret")
        + "---\n"
        + gateway.route("other.test", name="other", gateway_name="other")
        + "---\n"
        + gateway.route("lost.test", name="lost", gateway_name="no-such-gateway")
        + "---\nnot: [yaml\n"
    )
    with gateway.up(folder) as up:
        assert curl("h2", URL, ca_pem=authority.pem).status == 200
        assert curl("h3", URL, ca_pem=authority.pem).status == 200
        said = str(up.status()["problems"])
        assert "no-such-secret" in said
        assert "no-such-gateway" in said
        assert curl("h2", "https://other.test:8443/", ca_pem=authority.pem).error


LOGGING = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec:
  meshConfig: {accessLogFile: FILE, accessLogFormat: "FORMAT"}
"""


def test_a_log_that_cannot_be_written_costs_the_log_alone(folder: Path, authority: Authority) -> None:
    logs = folder.parent / "logs"
    operator = LOGGING.replace("FILE", str(logs / "access.log")).replace("FORMAT", "%PATH% %NOBODY%")
    (folder / "mesh.yaml").write_text(operator)
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    (folder / "gateway.yaml").write_text(gateway.gateway())
    (folder / "route.yaml").write_text(GOOD)
    with gateway.up(folder) as up:
        assert curl("h2", URL, ca_pem=authority.pem).status == 200
        told = {problem["code"]: problem for problem in up.status()["problems"]}
        assert told["LOG-001"]["message"].endswith(f"there is no folder {logs}")
        assert told["LOG-001"]["origin"].startswith(f"{folder / 'mesh.yaml'}:6:")
        assert told["GW-009"]["message"] == "there is no operator %NOBODY%"

        logs.mkdir()  # and it is noticed without a change of the files
        eventually(lambda: "LOG-001" not in str(up.status()["problems"]))

        def is_logged() -> bool:
            assert curl("h2", URL, ca_pem=authority.pem).status == 200
            log = logs / "access.log"
            return log.exists() and "GET / HTTP/2" in log.read_text()

        eventually(is_logged, 25.0)  # Envoy writes what it logs every 10 s


def test_a_port_in_use_is_explained(folder: Path, authority: Authority) -> None:
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    (folder / "gateway.yaml").write_text(gateway.gateway())
    (folder / "route.yaml").write_text(GOOD)
    with gateway.up(folder) as first, tempfile.TemporaryDirectory(prefix="mz-") as run_dir:
        second = gateway.Up(folder, Path(run_dir))
        try:
            assert second.process.wait(20) == 1
            said = second.read()
            assert "in use by pid" in said
            assert "Traceback" not in said
        finally:
            second.stop()
        third = gateway.Up(folder, first.instance.run_dir)
        try:
            assert third.process.wait(20) == 1
            assert "in use by" in third.read() or "is used by" in third.output
        finally:
            third.stop()
        assert curl("h2", URL, ca_pem=authority.pem).status == 200


def test_nothing_to_serve_ends_with_1_and_says_why(folder: Path) -> None:
    text = gateway.gateway().replace("istio: ingressgateway", "istio: ingress")
    (folder / "gateway.yaml").write_text(text)
    with tempfile.TemporaryDirectory(prefix="mz") as run_dir:
        command = [sys.executable, "-m", "mizzen", "up", "-f", str(folder), "--run-dir", f"{run_dir}/run"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert "nothing is served" in ended.stderr
    assert "no gateway has the labels istio=ingress" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_files_may_come_go_and_be_swapped_by_links(folder: Path, authority: Authority) -> None:
    """A ConfigMap mount: the files are links into ..data, which is itself swapped."""
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    (folder / "gateway.yaml").write_text(gateway.gateway())
    for version in ("1", "2"):
        (folder / f"..{version}").mkdir()
        (folder / f"..{version}" / "route.yaml").write_text(gateway.route(header=version))
    (folder / "..data").symlink_to("..1")
    (folder / "route.yaml").symlink_to("..data/route.yaml")
    with gateway.up(folder):
        assert curl("h2", URL, ca_pem=authority.pem).header("x-version") == "1"
        (folder / "..new").symlink_to("..2")
        (folder / "..new").rename(folder / "..data")
        eventually(lambda: curl("h2", URL, ca_pem=authority.pem).header("x-version") == "2")
        (folder / "deeper").mkdir()
        (folder / "deeper" / "more.yaml").write_text(
            textwrap.dedent(gateway.gateway("more.test", name="more"))
            + "---\n"
            + gateway.route("more.test", name="more", gateway_name="more")
        )
        eventually(
            lambda: curl("h2", "https://more.test:8443/", ca_pem=authority.pem, verify=False).status == 200
        )


def policy(rule: str) -> str:
    return (
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
        "metadata: {name: who, namespace: istio-system}\n"
        f"spec: {{rules: [{rule}]}}\n"
    )


def tenant(kind: str, spec: str) -> str:
    group = "security" if kind == "RequestAuthentication" else "networking"
    return (
        f"apiVersion: {group}.istio.io/v1\nkind: {kind}\n"
        f"metadata: {{name: tenant, namespace: istio-system}}\nspec: {spec}\n"
    )


def tenant_entry(weight: int) -> str:
    endpoints = ", ".join(f"{{address: 127.0.0.{n}, weight: {weight}}}" for n in (1, 2))
    return tenant(
        "ServiceEntry",
        "{hosts: [tenant.internal], resolution: STATIC, "
        f"ports: [{{number: 80, name: http, protocol: HTTP}}], endpoints: [{endpoints}]}}",
    )


# What made a stage raise, each by itself: while reading, resolving, translating.
RAISED = {
    "rule.yaml": tenant(
        "DestinationRule",
        "{host: tenant.internal, trafficPolicy: {connectionPool: {tcp: {tcpKeepalive: {time: 9223372036s}}}}}",
    ),
    "routes.yaml": tenant(
        "VirtualService",
        "{hosts: [tenant.test], gateways: [shop], http: [{fault: {abort: {httpStatus: 500, percentage: "
        f"{{value: {'9' * 399}}}}}}}, route: [{{destination: {{host: tenant.internal}}}}]}}]}}",
    ),
    "tokens.yaml": tenant(
        "RequestAuthentication", f"{{jwtRules: [{{issuer: x, jwks: '{'[' * 5000}{']' * 5000}'}}]}}"
    ),
    "policy.yaml": policy('{from: [{source: {ipBlocks: ["1.2.3.0/255.255.255.0"]}}]}'),
    "policy.yaml again": policy(f'{{to: [{{operation: {{ports: ["{"1" * 5000}"]}}}}]}}'),
    "bomb.yaml": tenant("Sidecar", "{}")
    + f"a: &a {{{', '.join(f'k{n}: 1' for n in range(300))}}}\nb: [{', '.join(['*a'] * 300)}]\n",
}


def test_an_object_at_which_mizzen_would_fail_costs_no_request_of_any_other(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    write(folder, authority, httpbin)
    (folder / "policy.yaml").write_text(policy("{}"))
    (folder / "entry.yaml").write_text(
        tenant_entry(4294967295)
    )  # weights that overflow together compare alike
    with gateway.up(folder) as up:
        pid = envoy_pid(up)
        with load(authority) as loads:
            for name, text in RAISED.items():
                path = folder / name.removesuffix(" again")
                replace_file(path, text)
                eventually(lambda path=path: told(up, path))
            (folder / "policy.yaml").write_text(policy("{}"))
            eventually(lambda: not told(up, folder / "policy.yaml"))
        assert_nothing_failed(loads)
        assert envoy_pid(up) == pid
    with gateway.up(folder) as up:  # and so does a start with all of them there
        for protocol in ("h1", "h2", "h3"):
            assert curl(protocol, f"https://{HOST}:8443/get", ca_pem=authority.pem).status == 200
        assert all(told(up, folder / name) for name in RAISED if "policy" not in name)
        assert "Traceback" not in up.read()


def told(up: Up, path: Path) -> bool:
    """Is something wrong with that file, and at which line?"""
    return any(
        problem["severity"] == "error" and problem["origin"].startswith(f"{path}:")
        for problem in up.status()["problems"]
    )
