"""`mizzen demo --once`: the main job in one command, as a new user runs it."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.harness import gateway
from tests.harness.gateway import Up

pytestmark = pytest.mark.e2e


def test_the_demo_shows_both_conversations_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="mz-") as run_dir:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "mizzen",
                "demo",
                "--once",
                "--dir",
                str(tmp_path / "demo"),
                "--run-dir",
                run_dir,
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "HTTP/2 200" in done.stdout
    assert "HTTP/3 200" in done.stdout
    assert done.stdout.count('alt-svc: h3=":8443"; ma=86400') == 2
    assert "server: istio-envoy" in done.stdout
    assert "https.443.https.httpbin-gateway.istio-system" in done.stdout
    assert "  mizzen doctor https://httpbin.quic-corp.com:8443/headers --resolve " in done.stdout
    assert "Traceback" not in done.stderr
    assert_the_echo_is_the_walk_throughs(done.stdout)
    left = [
        path
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if run_dir.encode() in (path.read_bytes() if path.exists() else b"")
    ]
    assert not left


def assert_the_echo_is_the_walk_throughs(text: str) -> None:
    """What httpbin saw of both requests: who sent them, and how they are traced."""
    mesh = "spiffe://cluster.local/ns"
    peer = re.compile(
        rf'By={mesh}/httpbin/sa/httpbin;Hash=([0-9a-f]{{64}});Subject=\\"\\";'
        rf"URI={mesh}/istio-system/sa/istio-ingressgateway-service-account\""
    )
    hashes = peer.findall(text)
    assert len(hashes) == 2
    assert len(set(hashes)) == 1  # the gateway's own certificate, over HTTP/2 and HTTP/3
    traces = re.findall(
        r'"X-B3-Parentspanid": "(\w{16})".*?"X-B3-Traceid": "\w{16}(\w{16})"', text, re.DOTALL
    )
    assert [parent == trace for parent, trace in traces] == [True, True]
    assert text.count('"X-Envoy-Internal": "true"') == 2
    assert text.count('"X-Envoy-Attempt-Count": "1"') == 2


def test_the_walk_through_shows_its_four_rows(tmp_path: Path) -> None:
    from mizzen.demo import walkthrough

    folder = tmp_path / "yaml"
    walkthrough.write(folder, 9, 8, gateway.now())
    with gateway.up(folder) as up:
        rows = up.mizzen("proxy-config", "listeners").stdout.splitlines()
        assert [" ".join(row.split()) for row in rows] == [
            "ADDRESS PORT TRANSPORT MATCH DESTINATION",
            *(
                f"0.0.0.0 8443 {transport} SNI: httpbin.quic-corp.com "
                "Route: https.443.https.httpbin-gateway.istio-system"
                for transport in ("TCP", "QUIC")
            ),
            "0.0.0.0 15021 TCP ALL Inline Route: /healthz/ready*",
            "0.0.0.0 15090 TCP ALL Inline Route: /stats/prometheus*",
        ]
        both = json.loads(
            up.mizzen(
                "proxy-config", "listeners", "--address", "0.0.0.0", "--port", "8443", "-o", "json"
            ).stdout
        )
        assert [one["name"] for one in both] == ["0.0.0.0_8443", "udp_0.0.0.0_8443"]
        socket = both[1]["filterChains"][0]["transportSocket"]
        assert socket["name"] == "envoy.transport_sockets.quic"
        assert socket["typedConfig"]["@type"].endswith("QuicDownstreamTransport")
        common = socket["typedConfig"]["downstreamTlsContext"]["commonTlsContext"]
        assert common["alpnProtocols"] == ["h3"]
        assert common["tlsCertificateSdsSecretConfigs"][0]["name"] == "kubernetes://httpbin-cred"
        status = up.mizzen("proxy-status")
        assert "SYNCED" in status.stdout
        assert 'h3=":8443"; ma=86400' in status.stdout
        for kind in ("clusters", "routes", "endpoints", "secret", "ecds", "all"):
            assert up.mizzen("proxy-config", kind).returncode == 0


def test_health_and_metrics_answer_where_istio_has_them(tmp_path: Path) -> None:
    from mizzen.demo import walkthrough
    from tests.harness.clients import curl

    walkthrough.write(tmp_path, 9, 8, gateway.now())
    with gateway.up(tmp_path):
        assert curl("h1", "http://localhost:15021/healthz/ready").status == 200
        metrics = curl("h1", "http://localhost:15090/stats/prometheus").text
        mirror = 'envoy_http_conn_manager_prefix="outbound_udp_0.0.0.0_8443;"'
        assert f"envoy_http_downstream_rq_http3_total{{{mirror}}}" in metrics


def test_sigterm_stops_everything(tmp_path: Path) -> None:
    from mizzen.demo import walkthrough

    walkthrough.write(tmp_path / "yaml", 9, 8, gateway.now())
    with tempfile.TemporaryDirectory(prefix="mz-") as run_dir:
        up = Up(tmp_path / "yaml", Path(run_dir))
        up.wait_ready()
        assert up.stop() == 0
        assert not [
            path
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if run_dir.encode() in (path.read_bytes() if path.exists() else b"")
        ]
