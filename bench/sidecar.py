"""CPU per request of a gateway and of the sidecar behind it, by what the two speak with one another."""

import argparse
import contextlib
import tempfile
from pathlib import Path

from bench import bare_envoy, measure, paired
from tests.harness import gateway
from tests.harness.clients import asked
from tests.harness.gateway import HOST, Authority, Up
from tests.harness.mesh import workload

APPLICATION, SIDECAR = 18080, 18081
_RULES = f"""
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: one, namespace: shop}}
spec: {{host: one, trafficPolicy: {{connectionPool: {{http: {{h2UpgradePolicy: DO_NOT_UPGRADE}}}}}}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop, namespace: istio-system}}
spec:
  hosts: [{HOST}]
  gateways: [shop]
  http:
  - match: [{{uri: {{prefix: /one}}}}]
    route: [{{destination: {{host: one.shop.svc.cluster.local}}}}]
  - route: [{{destination: {{host: two.shop.svc.cluster.local}}}}]
"""


def _envoys(up: Up) -> tuple[int, int]:
    """The process ids of gateway and sidecar, told apart by where their files are."""
    found = {"vm.shop": 0, "istio-ingressgateway.istio-system": 0}
    for pid in measure.children(up.process.pid):
        words = measure.command(pid)
        for key in found:
            if words[0].endswith("envoy") and any(f"/{key}/" in word for word in words):
                found[key] = pid
    if not all(found.values()):
        raise SystemExit(f"bench: the Envoys are not found\n{up.read()}")
    return found["istio-ingressgateway.istio-system"], found["vm.shop"]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bench sidecar", description=__doc__)
    paired.add_sizes(parser)
    chosen = parser.parse_args(arguments)
    authority = Authority()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
        (folder / "gateway.yaml").write_text(gateway.gateway())
        (folder / "shop.yaml").write_text(workload(SIDECAR, APPLICATION, _RULES, services=("one", "two")))
        stack.enter_context(bare_envoy.envoy(bare_envoy.backend(APPLICATION)))
        pids = _envoys(stack.enter_context(gateway.up(folder, "--sidecar", "shop/vm")))
        measure.headline(
            f"CPU per request in us ({chosen.requests:,} requests, {paired.IN_FLIGHT} in flight, medians of {chosen.rounds} rounds)"
        )
        measure.row("client", "between them", "gateway", "sidecar", widths=(10, 14))
        for protocol in paired.PROTOCOLS:
            costs: dict[str, list[tuple[float, ...]]] = {"/one": [], "/two": []}
            for _ in range(chosen.rounds):
                for path, found in costs.items():
                    url = f"https://{HOST}:8443{path}"
                    asking = asked(protocol, url, ca_pem=authority.pem, timeout=30)
                    found.append(paired.costs(pids, asking, chosen.requests))
            for path, between in (("/one", "HTTP/1.1"), ("/two", "HTTP/2")):
                both = (measure.median(each) for each in zip(*costs[path], strict=True))
                measure.row(protocol, between, *both, widths=(10, 14))
