"""HTTPS records against a real BIND: it loads what is printed, and holds what mizzen keeps there."""

import asyncio
import json
import os
import signal
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from mizzen.cli import cli
from mizzen.cli.dns import served_of
from mizzen.dns.justified import justified
from mizzen.dns.nsupdate import nsupdate
from mizzen.dns.zone_file import zone_file
from mizzen.plane.name_server import NameServer
from tests.golden import cases
from tests.harness import gateway
from tests.harness.bind import KEY, NSUPDATE, Bind, bind, load_fault, needs_bind
from tests.harness.clients import curl
from tests.harness.gateway import Authority

pytestmark = [pytest.mark.e2e, needs_bind]

ZONE = "example.com."
soon = partial(gateway.eventually, seconds=30.0)
CASES = [case for case in cases() if case.folder.parent.name == "dns"]


def test_bind_loads_every_zone_that_is_printed(tmp_path: Path) -> None:
    zones = {"example.com", "example.org", "example"}
    for case in CASES:
        found = justified(served_of(case.build()))
        for zone in sorted(zones):
            text = zone_file(found.within(f"{zone}."), is_proven=False)
            assert load_fault(tmp_path, zone, text) == "", case.name


def test_what_a_server_says_otherwise_is_printed(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.folder.name == "a-record-for-each-host-that-has-http3")
    files = tmp_path / "input.yaml"
    files.write_bytes(case.texts()["input.yaml"])
    asked = ["dns", "-f", str(files), "--external-port", "service", "--address", "192.0.2.1"]
    right = 'shop HTTPS 1 . alpn="h3,h2,http/1.1" ipv4hint=192.0.2.1\n'
    with bind(tmp_path / "bind", f"www HTTPS 1 . alpn=h2\n{right}") as server:
        runner = CliRunner()
        told = runner.invoke(cli, [*asked, "--against", server.address], catch_exceptions=False)
        assert told.exit_code == 2
        assert told.stdout.splitlines() == [
            '- www.example.com. IN HTTPS 1 . alpn="h2"',
            '+ www.example.com. IN HTTPS 1 . alpn="h3,h2,http/1.1" ipv4hint="192.0.2.1"',
        ]
        told = runner.invoke(cli, [*asked, "--against", server.address, "-o", "json"])
        assert [one["name"] for one in json.loads(told.stdout)["differences"]] == ["www.example.com."]
    told = runner.invoke(cli, [*asked, "--against", server.address])
    assert told.exit_code == 1 and "cannot be reached: connection refused" in told.output


def test_nsupdate_writes_what_is_printed_and_leaves_others_alone(tmp_path: Path) -> None:
    case = next(case for case in CASES if case.folder.name == "a-record-for-each-host-that-has-http3")
    found = justified(served_of(case.build()))
    theirs = "shop A 192.0.2.1\nshop HTTPS 1 . alpn=h2\n"
    with bind(tmp_path, f"www A 192.0.2.1\n{theirs}") as server:
        asked = NameServer(address="127.0.0.1", port=server.port)
        for _ in range(2):  # the second time it is replaced
            commands = nsupdate(
                found, owner="me", is_proven=True, server=f"127.0.0.1 {server.port}", zone=ZONE
            )
            key = f"{KEY.algorithm}:{KEY.name}:{KEY.secret}"
            done = subprocess.run([NSUPDATE, "-y", key], input=commands, capture_output=True, text=True)
            assert "syntax" not in done.stderr, done.stderr
            said = asyncio.run(asked.said([f"www.{ZONE}", f"shop.{ZONE}"]))
            assert said[f"shop.{ZONE}"] == ('1 . alpn="h2"',)
            assert len(said[f"www.{ZONE}"]) == 1 and "203.0.113.9" in said[f"www.{ZONE}"][0]
        assert asyncio.run(asked.owner(f"www.{ZONE}")) == "me"


# --- what a daemon keeps ----------------------------------------------------------------------------

WWW, SHOP = "www.example.com", "shop.example.com"
_KEPT = f"""
apiVersion: v1
kind: Secret
metadata: {{name: update-key, namespace: istio-system}}
stringData: {{name: {KEY.name}, algorithm: {KEY.algorithm}, secret: {KEY.secret}}}
---
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {{name: dns, namespace: istio-system}}
spec:
  dns: {{server: "SERVER", zone: example.com, tsigSecret: update-key, ttl: 1s, addresses: [127.0.0.1]}}
"""
RECORD_8443 = '1 . alpn="h3,h2,http/1.1" port="8443" ipv4hint="127.0.0.1"'
RECORD = '1 . alpn="h3,h2,http/1.1" ipv4hint="127.0.0.1"'


def site(folder: Path, authority: Authority, host: str, name: str) -> None:
    """A host with its certificate, answered by the gateway itself."""
    parts = (
        gateway.gateway(host, name=name, credential=f"{name}-tls"),
        gateway.secret(f"{name}-tls", authority.server(host)),
        gateway.route(host, name=name, gateway_name=name),
    )
    gateway.replace_file(folder / f"{name}.yaml", "---\n".join(parts))


def said(server: Bind, host: str) -> tuple[str, ...]:
    name = f"{host}."
    return asyncio.run(NameServer(address="127.0.0.1", port=server.port).said([name]))[name]


def test_a_daemon_keeps_its_records_through_restarts_and_leaves_others(
    folder: Path, authority: Authority, tmp_path: Path
) -> None:
    theirs = "theirs A 127.0.0.1\ntheirs HTTPS 1 . alpn=h2\n"
    with bind(tmp_path / "bind", f"www A 127.0.0.1\nshop A 127.0.0.1\n{theirs}") as server:
        (folder / "dns.yaml").write_text(_KEPT.replace("SERVER", server.address))
        for host, name in ((WWW, "www"), (SHOP, "shop"), ("theirs.example.com", "theirs")):
            site(folder, authority, host, name)
        with gateway.up(folder, "--external-port", "443:8443") as up:
            soon(lambda: (said(server, WWW), said(server, SHOP)) == ((RECORD,), (RECORD,)))
            now = up.mizzen("dns")
            assert f"{WWW}. 1 IN HTTPS {RECORD}".replace('"127.0.0.1"', "127.0.0.1") in now.stdout
            told = soon(lambda: [one for one in up.status()["problems"] if one["code"] == "DNS-004"])
            assert told[0]["resource"] == "HTTP3Policy/istio-system/dns"
            assert "theirs.example.com. has an HTTPS record of somebody else" in told[0]["message"]
            other = up.mizzen("dns", "--against", server.address)
            assert (other.returncode, [line[:24] for line in other.stdout.splitlines()]) == (
                2,
                ["- theirs.example.com. IN", "+ theirs.example.com. IN"],
            )
            (folder / "theirs.yaml").unlink()

            # While the control plane is away a host goes, and what is kept may not be asked for.
            before = up.status()["pid"]
            os.kill(before, signal.SIGSTOP)
            (folder / "shop.yaml").unlink()
            os.kill(before, signal.SIGKILL)
            soon(lambda: not said(server, SHOP))
            assert up.status()["pid"] != before
            assert said(server, WWW) == (RECORD,)
            assert said(server, "theirs.example.com") == ('1 . alpn="h2"',)

            (folder / "dns.yaml").write_text(_KEPT.replace("SERVER", server.address).partition("---")[0])
            soon(lambda: not said(server, WWW))
            soon(lambda: not any(one["code"][:3] == "DNS" for one in up.status()["problems"]))


_SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  ports:
  - {name: https, port: 443, targetPort: 8443}
"""
_UDP = "  - {name: http3, port: 443, targetPort: 8443, protocol: UDP}\n"
TTL = 1.0  # seconds, as _KEPT says


def test_dns_says_nothing_any_more_for_a_whole_ttl_before_answers_say_clear(
    folder: Path, authority: Authority, tmp_path: Path
) -> None:
    with bind(tmp_path / "bind", "www A 127.0.0.1\n") as server:
        (folder / "dns.yaml").write_text(_KEPT.replace("SERVER", server.address))
        (folder / "service.yaml").write_text(_SERVICE + _UDP)
        site(folder, authority, WWW, "www")
        (tmp_path / "ca.crt").write_text(authority.pem)
        below = f"_8443._https.{WWW}"
        with gateway.up(folder) as up:
            soon(lambda: said(server, below) == (RECORD_8443,))
            asked = [
                f"https://{WWW}:8443/",
                "--dns-servers",
                server.address,
                "--cacert",
                str(tmp_path / "ca.crt"),
            ]
            doctor = json.loads(up.mizzen("doctor", *asked, "-o", "json").stdout)
            assert (doctor["broken"], doctor["links"][0]["link"]) == (None, "dns")
            assert "HTTPS record: 1 . alpn=h3" in doctor["links"][0]["said"]

            def alt_svc() -> tuple[str, ...]:
                return curl("h2", f"https://{WWW}:8443/", ca_pem=authority.pem).all("alt-svc")

            assert alt_svc()[0].startswith("h3=")
            gateway.replace_file(folder / "service.yaml", _SERVICE)  # the port is closed for UDP, as planned
            while said(server, below):
                assert alt_svc() != ("clear",)
            gone = time.monotonic()
            (mirror,) = next(iter(up.status()["gateways"].values()))["mirrors"]
            assert mirror["state"] == "leaving"
            soon(lambda: alt_svc() == ("clear",))
            assert time.monotonic() - gone >= TTL
