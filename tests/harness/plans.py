"""A small site for tests of plans, and what becomes of it."""

from mizzen.pipeline import GatewayBuild, Settings
from mizzen.plan.effects import Plan
from mizzen.plan.planning import Served, plan
from mizzen.plan.surface import Surface
from tests.golden import built, filled, material, parsed

SITE = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: [a.example.com]
    tls: {mode: SIMPLE, credentialName: web}
---
apiVersion: v1
kind: Secret
metadata: {name: web, namespace: istio-system}
type: kubernetes.io/tls
data: {tls.crt: "${b64:a.example.com.crt}", tls.key: "${b64:a.example.com.key}"}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: istio-system}
spec:
  hosts: [a.example.com]
  gateways: [web]
  http: [{route: [{destination: {host: web.internal}}]}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web, namespace: istio-system}
spec:
  hosts: [web.internal]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 192.0.2.1}]
"""
TCP, QUIC = "0.0.0.0_8443", "udp_0.0.0.0_8443"


def text(site: str) -> dict[str, bytes]:
    return {"site.yaml": filled(site.encode(), material)}


def gateway_of(site: str, settings: Settings | None = None) -> GatewayBuild:
    [found] = built(text(site), settings or Settings()).gateways
    return found


def surface(site: str, like: Surface | None = None, settings: Settings | None = None) -> Surface:
    found = gateway_of(site, settings)
    return Surface(found, found.config(found.announced_when_proven()), like)


def planned(old: str, new: str, settings: Settings | None = None) -> Plan:
    was, will = (
        parsed({name: filled(site.encode(), material)}) if site else ((), ())
        for name, site in (("old.yaml", old), ("new.yaml", new))
    )
    return plan(Served(objects=was[0], problems=was[1]), *will, settings or Settings())
