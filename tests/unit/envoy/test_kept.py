"""What is as it was is not translated again, and nobody can tell."""

from typing import Any

import pytest

from mizzen.envoy import listeners
from mizzen.pipeline import GatewayBuild, Settings, build
from mizzen.resources.raw_objects import parse_documents

GATEWAY = """\
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: g{0}, namespace: istio-system}}
spec:
  selector: {{istio: ingressgateway}}
  servers:
  - port: {{number: 443, name: tls, protocol: TLS}}
    hosts: [{1}]
    tls: {{mode: PASSTHROUGH}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: v{0}, namespace: istio-system}}
spec:
  hosts: [{1}]
  gateways: [g{0}]
  tls: [{{match: [{{sniHosts: [{1}]}}], route: [{{destination: {{host: {2}.svc.test}}}}]}}]
"""
OPERATOR = """\
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec: {meshConfig: {accessLogFile: /dev/stdout}}
"""
ENTRY = """\
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: all, namespace: istio-system}
spec:
  hosts: [a.svc.test, b.svc.test]
  ports: [{number: 443, name: tls, protocol: TLS}]
  resolution: STATIC
  endpoints: [{address: 192.0.2.1}]
"""
BOTH = GATEWAY.format(1, "one.test", "a") + GATEWAY.format(2, "two.test", "a") + ENTRY


def gateway(text: str) -> GatewayBuild:
    objects, problems = parse_documents(text, "input.yaml")
    [made] = build(objects, problems, Settings()).gateways
    return made


@pytest.fixture
def translated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that the chains serve which are translated."""
    names: list[str] = []
    original = getattr(listeners, "filter_chain")  # noqa: B009

    def filter_chain(chain: Any, one: Any, **options: Any) -> Any:
        names.extend(chain.server_names)
        return original(chain, one, **options)

    monkeypatch.setattr(listeners, "filter_chain", filter_chain)
    return names


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("# moved\n" + BOTH, []),
        (BOTH.replace("192.0.2.1", "192.0.2.2"), []),
        (GATEWAY.format(1, "one.test", "b") + GATEWAY.format(2, "two.test", "a") + ENTRY, ["one.test"]),
        (BOTH + GATEWAY.format(3, "three.test", "a"), ["three.test"]),
        (GATEWAY.format(2, "two.test", "a") + ENTRY, []),
        (BOTH + OPERATOR, ["one.test", "two.test"]),  # what all chains of a listener share
    ],
)
def test_only_what_differs_is_translated(text: str, again: list[str], translated: list[str]) -> None:
    before, now = gateway(BOTH), gateway(text)
    known = before.config({})
    assert sorted(translated) == ["one.test", "two.test"]
    translated.clear()

    made = now.config({}, known)

    assert sorted(translated) == again
    assert made == now.config({})
