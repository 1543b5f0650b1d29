"""What an operator's look at a real gateway finds, while its mirror is broken in one way after the other."""

import json
import os
import socket
from collections.abc import Callable
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


def test_the_causes_of_broken_links_are_named_with_their_object_and_line(
    folder: Path, authority: Authority
) -> None:
    write: Callable[[str, str], None] = lambda name, text: gateway.replace_file(folder / name, text)  # noqa: E731
    write("secret.yaml", gateway.secret("shop-tls", authority.server()))
    write("gateway.yaml", gateway.gateway())
    write("route.yaml", gateway.route())
    write("service.yaml", SERVICE)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other, gateway.up(folder) as up:
        operator = Operator(up)
        place = f"{folder / 'service.yaml'}:9:3"

        # A Service without UDP.
        udp = operator.until(Name.UDP, "opens 443/TCP and not 443/UDP")
        assert udp == (
            f"add this line to spec.ports of Service/istio-system/istio-ingressgateway ({place}): "
            "- {name: http3, port: 443, protocol: UDP, targetPort: 8443}"
        )
        operator.until(Name.ALT_SVC, "the gateway's Service does not open the port for UDP")

        # The same, as whoever calls the doctor reads it.
        ca = folder.parent / "ca.pem"
        ca.write_text(authority.pem)
        resolve = f"{HOST}:8443:127.0.0.1"
        ended = up.mizzen(
            *("doctor", f"https://{HOST}:8443/", "--resolve", resolve, "--cacert", str(ca), "-o", "json")
        )
        value = json.loads(ended.stdout)
        links = {one["link"]: one for one in value["links"]}
        assert (ended.returncode, value["broken"]) == (2, "alt-svc")
        assert links["alt-svc"]["said"].startswith(
            "there is no HTTP/3 mirror: the gateway's Service does not"
        )
        assert "opens 443/TCP and not 443/UDP" in links["udp"]["said"]
        assert udp in links["udp"]["remedy"]
        assert [one["ok"] for one in value["gateway"] if one["check"] == "envoy"] == [True]

        # A port that somebody else has.
        other.bind(("0.0.0.0", 8443))
        write("service.yaml", SERVICE + UDP)
        operator.until(Name.UDP, "UDP 0.0.0.0:8443 cannot be opened: it is in use by pid")
        other.close()

        # Nothing.
        fine = operator.until_fine()
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

        # Connections that reach all workers.
        for _ in range(24):
            assert curl("h3", f"https://{HOST}:8443/", ca_pem=authority.pem).status == 200
        workers = [one for one in operator.look().checks if one.check == "workers"]
        assert all(one.ok is not False for one in workers)
        if os.cpu_count() == 2:
            assert [one.ok for one in workers] == [True]

        # A mirror that would be weaker.
        write("gateway.yaml", gateway.gateway() + "      ecdhCurves: [P-521]\n")
        where = f"Gateway/istio-system/shop ({folder / 'gateway.yaml'}:"
        operator.until(Name.ALT_SVC, where)
