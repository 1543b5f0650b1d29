"""What an operator's look at a real gateway finds, while its mirror is broken in one way after the other: in this order."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mizzen.cli.gateway_sight import Gateways
from mizzen.cli.reach import Local
from mizzen.doctor.links import Name
from mizzen.doctor.operator import Judgement, judged
from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import HOST, Authority, Up

pytestmark = pytest.mark.e2e

SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: istio-ingressgateway
  namespace: istio-system
spec:
  selector:
    istio: ingressgateway
  ports:
  - {name: https, port: 443, targetPort: 8443}
"""
UDP = "  - {name: http3, port: 443, protocol: UDP, targetPort: 8443}\n"


class Operator:
    """Looks at one instance."""

    def __init__(self, up: Up) -> None:
        run_dir = up.instance.run_dir
        self.gateways = Gateways(target=Local(run_dir), where=f"mizzen up in {run_dir}", is_named=True)

    def look(self) -> Judgement:
        sight = self.gateways.look(HOST, 8443)
        assert sight is not None
        return judged(sight, HOST, 8443)

    def until(self, link: Name, told: str) -> str:
        """Wait until something is told at a link; its remedy."""

        def found() -> tuple[str] | None:
            causes = [one for one in self.look().findings if one.link is link and one.ok is False]
            return next(((one.remedy,) for one in causes if told in one.said), None)

        (remedy,) = gateway.eventually(found)
        return str(remedy)

    def until_fine(self) -> Judgement:
        def fine() -> Judgement | None:
            found = self.look()
            is_announced = any(one.check == "announcement" and one.ok for one in found.checks)
            wrong = [*found.findings, *(one for one in found.checks if one.check != "receive-buffer")]
            return found if is_announced and not any(one.ok is False for one in wrong) else None

        found: Judgement = gateway.eventually(fine)
        return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> "Iterator[Site]":
    """One gateway for all: each test mends what the one before broke, or goes on from there."""
    folder = tmp_path_factory.mktemp("site") / "yaml"
    folder.mkdir()
    one = Site(folder, authority)
    one.write("secret.yaml", gateway.secret("shop-tls", authority.server()))
    one.write("gateway.yaml", gateway.gateway())
    one.write("route.yaml", gateway.route())
    one.write("service.yaml", SERVICE)
    with gateway.up(folder) as one.up:
        yield one


class Site:
    """Files that are served, and who looks at them."""

    up: Up

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.folder, self.authority = folder, authority

    def write(self, name: str, text: str) -> None:
        gateway.replace_file(self.folder / name, text)

    @property
    def operator(self) -> Operator:
        return Operator(self.up)

    @property
    def udp_remedy(self) -> str:
        """What helps where the Service has no UDP port."""
        return (
            "add this line to spec.ports of Service/istio-system/istio-ingressgateway "
            f"({self.folder / 'service.yaml'}:9:3): - {{name: http3, port: 443, protocol: UDP, targetPort: 8443}}"
        )


def test_a_service_without_udp_is_named_with_its_line(site: Site) -> None:
    assert site.operator.until(Name.UDP, "opens 443/TCP and not 443/UDP") == site.udp_remedy
    site.operator.until(Name.ALT_SVC, "the gateway's Service does not open the port for UDP")


def test_whoever_calls_the_doctor_reads_the_same(site: Site) -> None:
    """The Service is still without UDP."""
    ca = site.folder.parent / "ca.pem"
    ca.write_text(site.authority.pem)
    resolve = f"{HOST}:8443:127.0.0.1"
    ended = site.up.mizzen(
        *("doctor", f"https://{HOST}:8443/", "--resolve", resolve, "--cacert", str(ca), "-o", "json")
    )
    value = json.loads(ended.stdout)
    links = {one["link"]: one for one in value["links"]}
    assert (ended.returncode, value["broken"]) == (2, "alt-svc")
    assert links["alt-svc"]["said"].startswith("there is no HTTP/3 mirror: the gateway's Service does not")
    assert "opens 443/TCP and not 443/UDP" in links["udp"]["said"]
    assert site.udp_remedy in links["udp"]["remedy"]
    assert [one["ok"] for one in value["gateway"] if one["check"] == "envoy"] == [True]


def test_a_port_that_somebody_else_has_is_named(site: Site) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("0.0.0.0", 8443))
        site.write("service.yaml", SERVICE + UDP)
        site.operator.until(Name.UDP, "UDP 0.0.0.0:8443 cannot be opened: it is in use by pid")


def test_what_is_mended_is_fine(site: Site) -> None:
    """The Service has both ports by now, and both are free."""
    fine = site.operator.until_fine()
    assert {one.check for one in fine.checks} >= {
        "envoy",
        "rejected",
        "server",
        "service",
        "announcement",
        "listener",
        "datagrams",
        "workers",
        "stateless-resets",
    }
    assert not [one for one in fine.checks if one.ok is False and one.check != "receive-buffer"]


def test_connections_reach_all_workers(site: Site) -> None:
    for _ in range(24):
        assert curl("h3", f"https://{HOST}:8443/", ca_pem=site.authority.pem).status == 200
    workers = [one for one in site.operator.look().checks if one.check == "workers"]
    assert all(one.ok is not False for one in workers)
    if os.cpu_count() == 2:
        assert [one.ok for one in workers] == [True]


def test_a_mirror_that_would_be_weaker_is_named(site: Site) -> None:
    site.write("gateway.yaml", gateway.gateway() + "      ecdhCurves: [P-521]\n")
    site.operator.until(Name.ALT_SVC, f"Gateway/istio-system/shop ({site.folder / 'gateway.yaml'}:")
