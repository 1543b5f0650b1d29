"""HTTPS records against a real BIND: it loads what is printed, and says what mizzen keeps there."""

import asyncio
import json
import subprocess
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
from tests.harness.bind import KEY, NSUPDATE, bind, load_fault, needs_bind

pytestmark = [pytest.mark.e2e, needs_bind]

ZONE = "example.com."
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
