"""`mizzen doctor` against a real Envoy: twelve set-ups that are each broken in one way are named right, healthy ones healthy.

The Envoy is bare: nothing keeps it from the mistakes that the doctor has to name. The last tests look at `mizzen up`.
"""

import json
import select
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mizzen.demo import certificates
from mizzen.demo.certificates import KeyPair
from mizzen.doctor.asking import Options
from mizzen.doctor.links import Link, Name, Report
from mizzen.doctor.target import parse
from mizzen.doctor.verdicts import judge
from mizzen.doctor.walk import walk
from tests.harness.bare_envoy import Site, bare_envoy
from tests.harness.gateway import HOST, Authority, Up, eventually, gateway, replace_file, route, secret, up
from tests.harness.small_dns import DnsServer

pytestmark = pytest.mark.e2e

NOW = datetime.now(UTC)
BOTH = ("127.0.0.1", "::1")
ROOT = Authority()
SERVER = ROOT.server(HOST)
CLIENT = certificates.client("somebody", ROOT.pair, NOW)
LARGE = KeyPair(certificate=SERVER.certificate + ROOT.pair.certificate * 10, key=SERVER.key)
WHERE_NOTHING_IS = 9999
FORGETS = 0.4  # seconds


@dataclass(frozen=True, kw_only=True)
class SetUp:
    """A site, how it is reached, and the link that has to be named ("": it is healthy)."""

    broken: str
    site: dict[str, Any] = field(default_factory=dict)
    addresses: tuple[str, ...] = ("127.0.0.1",)
    rule: tuple[str, ...] = ()  # iptables' words for what is dropped of the site's UDP
    # A balancer in front. "tcp": it takes only TCP; "elsewhere": its UDP port leads to something else; "small": it takes no datagrams
    # above 1,200 bytes; "forgetful": it drops those of flows that were quiet.
    relay: str = ""
    quiet: float = 0.0
    zone: str = ""  # HTTPS records of the host; PORT stands for the site's
    certificate: bool = False  # the client brings one
    url_port: int = 0


SET_UPS = {
    "healthy": SetUp(broken=""),
    "healthy on both families": SetUp(broken="", site={"addresses": BOTH}, addresses=BOTH),
    "healthy with client certificates": SetUp(
        broken="", site={"client_ca": ROOT.pem, "quic_client_ca": ROOT.pem}, certificate=True
    ),
    "healthy with a record": SetUp(broken="", zone="_PORT._https.shop.test. 60 IN HTTPS 1 . alpn=h3,h2"),
    "UDP dropped by a rule": SetUp(broken="udp", rule=()),
    "UDP port mapped elsewhere": SetUp(broken="udp", relay="elsewhere"),
    "certificate of another host on QUIC only": SetUp(
        broken="quic-certificate", site={"quic_pair": ROOT.server("other.test")}
    ),
    "listener refused": SetUp(broken="udp", site={"quic_port": None}),
    "new connections refused": SetUp(broken="quic", site={"rejects": True}),
    "alt-svc with the wrong port": SetUp(broken="alt-svc", site={"alt_svc": f'h3=":{WHERE_NOTHING_IS}"'}),
    "stale HTTPS record": SetUp(
        broken="dns",
        site={"quic_port": None, "alt_svc": ""},
        zone="_PORT._https.shop.test. 60 IN HTTPS 1 . alpn=h3,h2",
    ),
    "HTTPS record with an old port": SetUp(
        broken="dns", zone=f"_PORT._https.shop.test. 60 IN HTTPS 1 . alpn=h3,h2 port={WHERE_NOTHING_IS}"
    ),
    "no client CA on QUIC": SetUp(broken="client-certificate", site={"client_ca": ROOT.pem}),
    "no client CA on QUIC, seen with a certificate": SetUp(
        broken="client-certificate", site={"client_ca": ROOT.pem}, certificate=True
    ),
    "large datagrams blocked": SetUp(broken="mtu", rule=("-m", "length", "--length", "1230:65535")),
    "all datagrams blocked that QUIC needs": SetUp(
        broken="mtu", rule=("-m", "length", "--length", "1000:65535")
    ),
    "chain too large": SetUp(broken="certificate", site={"pair": LARGE}),
    "clear still remembered": SetUp(broken="alt-svc", site={"alt_svc": "clear"}),
    "clear over HTTP/3 alone": SetUp(broken="alt-svc", site={"quic_alt_svc": "clear"}),
    "IPv6 broken and IPv4 fine": SetUp(broken="tcp", addresses=BOTH),
    "IPv6 broken over UDP alone": SetUp(
        broken="udp", site={"addresses": BOTH, "quic_addresses": ("127.0.0.1",)}, addresses=BOTH
    ),
    "LoadBalancer that takes only TCP": SetUp(broken="udp", relay="tcp"),
    "balancer that drops large datagrams": SetUp(broken="mtu", relay="small"),
    "balancer that forgets quiet flows": SetUp(broken="quic", relay="forgetful", quiet=2 * FORGETS),
    "0-RTT for every method": SetUp(broken="early-data", site={"early_data": True}),
    "another answer over QUIC": SetUp(broken="answers", site={"quic_body": "other\n"}),
}
EARLY = """\
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata:
  name: early
  namespace: istio-system
spec:
  targetRefs:
  - {group: networking.istio.io, kind: Gateway, name: shop}
  earlyData: true
"""
NEEDS_RULES = {"UDP dropped by a rule", "large datagrams blocked", "all datagrams blocked that QUIC needs"}


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    """The port of each set-up's site, all served by one Envoy with one worker."""
    found = {name: 7001 + index for index, name in enumerate(SET_UPS)}
    sites = []
    for name, one in SET_UPS.items():
        more = dict(one.site)
        if one.relay:
            more["alt_svc"] = f'h3=":{found[name] + 1000}"'
        sites.append(Site(**{"port": found[name], "pair": SERVER, **more}))
    with bare_envoy(sites):
        yield found


def look(port: int, one: SetUp, nameservers: tuple[str, ...]) -> Report:
    resolve = f"{HOST}:{port}:{','.join(one.addresses)}"
    options = Options(
        ca_pem=ROOT.pem,
        certificate_pem=CLIENT.certificate.decode() if one.certificate else "",
        key_pem=CLIENT.key.decode() if one.certificate else "",
        connect_timeout=1.0,
        quiet=one.quiet,
        nameservers=nameservers,
    )
    return judge(walk(parse(f"https://{HOST}:{port}/", resolve=(resolve,)), options, NOW))


@pytest.mark.parametrize("name", SET_UPS)
def test_the_broken_link_is_named(ports: dict[str, int], name: str) -> None:
    one, port = SET_UPS[name], ports[name]
    if name in NEEDS_RULES:
        drop(port, one.rule)
    with DnsServer(one.zone.replace("PORT", str(port))) as dns, Relay(one.relay, port) as relay:
        report = look(relay.port, one, (f"127.0.0.1:{dns.port}",))
    told = "\n".join(f"{link.link.value}: {link.ok} {link.said}" for link in report.links)
    assert (report.to_json()["broken"] or "") == one.broken, told
    if report.broken:
        assert report.broken.said and report.broken.remedy
        assert all(
            link.ok for link in report.links[: list(Name).index(report.broken.link)] if link.ok is not None
        )


def drop(port: int, more: tuple[str, ...]) -> None:
    """Lose datagrams on their way to a port."""
    if not shutil.which("iptables"):
        pytest.skip("dropping datagrams needs iptables")
    rule = ["iptables", "-A", "INPUT", "-p", "udp", "--dport", str(port), *more, "-j", "DROP"]
    ran = subprocess.run(rule, capture_output=True, text=True, check=False)
    if ran.returncode:
        pytest.skip(f"this kernel takes no such rule: {ran.stderr.strip()}")


class Relay:
    """A balancer in front of a port, 1,000 above it. Without a `kind` there is none."""

    def __init__(self, kind: str, port: int) -> None:
        self.port = port + 1000 if kind else port
        self._kind, self._to = kind, port
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> "Relay":
        if self._kind:
            self._sockets.append(socket.create_server(("127.0.0.1", self.port)))
            threading.Thread(target=self._take, args=(self._sockets[0],), daemon=True).start()
        if self._kind in ("elsewhere", "small", "forgetful"):
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            udp.bind(("127.0.0.1", self.port))
            self._sockets.append(udp)
            work = self._echo if self._kind == "elsewhere" else self._forward
            threading.Thread(target=work, args=(udp,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        for one in self._sockets:
            one.close()

    def _take(self, server: socket.socket) -> None:
        while True:
            try:
                near, _ = server.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_copy, args=(source, sink), daemon=True).start()

    def _forward(self, udp: socket.socket) -> None:
        """Datagrams of each client on a socket of its own."""
        flows: dict[tuple[str, int], socket.socket] = {}
        seen: dict[tuple[str, int], float] = {}
        while udp.fileno() >= 0:
            try:
                ready = select.select([udp, *flows.values()], [], [], 0.1)[0]
                for one in ready:
                    data, sender = one.recvfrom(65_535)
                    if self._kind == "small" and len(data) > 1200:
                        continue
                    if one is not udp:
                        client = next(client for client, flow in flows.items() if flow is one)
                        udp.sendto(data, client)
                        continue
                    if sender not in flows:
                        flows[sender] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                        flows[sender].connect(("127.0.0.1", self._to))
                    now = time.monotonic()
                    if self._kind == "small" or now - seen.get(sender, now) < FORGETS:
                        seen[sender] = now
                        flows[sender].send(data)
            except (OSError, ValueError):
                break
        for flow in flows.values():
            flow.close()

    @staticmethod
    def _echo(udp: socket.socket) -> None:
        while True:
            try:
                data, sender = udp.recvfrom(2048)
                udp.sendto(data, sender)
            except OSError:
                return


def _copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            sink.sendall(data)
    except OSError:
        pass
    finally:
        for one in (source, sink):
            one.close()


@pytest.fixture(scope="module")
def gateway_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Up, int, Path]]:
    """`mizzen up` with one server, announced."""
    folder = tmp_path_factory.mktemp("site") / "yaml"
    folder.mkdir()
    text = "---\n".join([secret("shop-tls", SERVER), gateway(), route()])
    (folder / "site.yaml").write_text(text)
    ca = folder.parent / "ca.crt"
    ca.write_text(ROOT.pem)
    with up(folder) as one:
        mirror = eventually(lambda: next(iter(_mirrors(one)), None))
        port = int(mirror["listener"].rpartition("_")[2])
        eventually(lambda: next(iter(_mirrors(one)))["announced"])
        yield one, port, ca


def _mirrors(one: Up) -> list[dict[str, Any]]:
    return [mirror for value in one.status()["gateways"].values() for mirror in value["mirrors"]]


def test_a_gateway_of_mizzen_is_healthy(gateway_up: tuple[Up, int, Path]) -> None:
    """By the command line, as users and scripts call it."""
    _, port, ca = gateway_up
    url = f"https://{HOST}:{port}/"
    options = ("--resolve", f"{HOST}:{port}:127.0.0.1", "--cacert", str(ca), "-o", "json")
    ran = _doctor(url, *options)
    assert ran.returncode == 0, ran.stdout
    report = json.loads(ran.stdout)
    assert (report["url"], report["healthy"], report["broken"]) == (url, True, None)
    assert [one["link"] for one in report["links"]] == [name.value for name in Name]
    assert all(one["ok"] for one in report["links"]), ran.stdout


def test_what_is_known_at_a_healthy_gateway_breaks_nothing(gateway_up: tuple[Up, int, Path]) -> None:
    one, port, ca = gateway_up
    resolve = f"{HOST}:{port}:127.0.0.1"
    ran = one.mizzen(
        "doctor", f"https://{HOST}:{port}/", "--resolve", resolve, "--cacert", str(ca), "-o", "json"
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert {one["check"] for one in json.loads(ran.stdout)["gateway"]} >= {"envoy", "server", "announcement"}


def test_a_foreign_authority_and_a_closed_port_end_with_2(gateway_up: tuple[Up, int, Path]) -> None:
    _, port, _ = gateway_up
    url = f"https://{HOST}:{port}/"
    both = _doctor(url, "https://127.0.0.1:9/", "--connect-to", f"{HOST}:{port}:127.0.0.1:", "-o", "json")
    assert both.returncode == 2 and not both.stderr
    assert [one["broken"] for one in json.loads(both.stdout)] == ["certificate", "tcp"]


def test_early_data_that_were_opted_into_are_fine(gateway_up: tuple[Up, int, Path]) -> None:
    """The last of this gateway: its QUIC chain is another afterwards."""
    _, port, ca = gateway_up
    replace_file(ca.parent / "yaml" / "policy.yaml", EARLY)

    def told() -> Link | None:
        report = look(port, SetUp(broken=""), ())
        link = next(one for one in report.links if one.link is Name.EARLY_DATA)
        return link if "425" in link.said else None

    assert eventually(told).ok


def _doctor(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mizzen", "doctor", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
