"""A small site, and what its configuration of Envoy is with some patches of an EnvoyFilter."""

import textwrap
from typing import Any

from mizzen._api import pb
from mizzen.envoy.config import CLUSTERS, LISTENERS, ROUTES, EnvoyConfig
from mizzen.errors import Problem
from mizzen.patch.stage import for_nothing
from mizzen.pipeline import Build, Memory, Settings, build
from mizzen.resources.raw_objects import parse_documents
from tests.golden import material

SITE = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ['*.test']}
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.test], tls: {mode: SIMPLE, credentialName: cred}}
  - {port: {number: 9000, name: tcp, protocol: TCP}, hosts: ['*']}
---
apiVersion: v1
kind: Secret
metadata: {name: cred, namespace: istio-system}
type: kubernetes.io/tls
stringData:
  tls.crt: |
CERT
  tls.key: |
KEY
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: shop}
spec:
  hosts: [a.test]
  gateways: [istio-system/gw]
  http:
  - {name: moved, match: [{uri: {prefix: /moved}}], redirect: {uri: /x}}
  - {name: rest, route: [{destination: {host: one.test}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: b, namespace: shop}
spec:
  hosts: [b.test]
  gateways: [istio-system/gw]
  http: [{directResponse: {status: 200}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: tcp, namespace: shop}
spec:
  hosts: ['*']
  gateways: [istio-system/gw]
  tcp: [{match: [{port: 9000}], route: [{destination: {host: one.test}}]}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: one, namespace: shop}
spec:
  hosts: [one.test]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 127.0.0.1, ports: {http: 9001}}]
---
"""
_FILTER = """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {{name: {name}, namespace: istio-system}}
spec:
  priority: 1
  configPatches:
{patches}
---
"""
HCM = "envoy.filters.network.http_connection_manager"
HCM_TYPE = (
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
)
LUA = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"


def envoy_filter(patches: str, name: str = "patches") -> str:
    """An EnvoyFilter of these patches (YAML, a list)."""
    return _FILTER.format(name=name, patches=textwrap.indent(textwrap.dedent(patches).strip("\n"), "  "))


def site(*more: str) -> str:
    """The site as YAML, with more documents."""
    cert, key = (textwrap.indent(material("a.test", part).decode(), "    ") for part in ("crt", "key"))
    return SITE.replace("CERT\n", cert).replace("KEY\n", key) + "".join(more)


def built(text: str, memory: Memory | None = None, **environment: str) -> Build:
    objects, broken = parse_documents(text, "test.yaml")
    return build(tuple(objects), tuple(broken), Settings(environment=environment), memory)


def config(text: str, before: EnvoyConfig | None = None, **environment: str) -> EnvoyConfig:
    """The configuration of the one gateway."""
    gateway = built(text, **environment).gateways[0]
    return gateway.config(gateway.announced_when_proven(), before)


def patched(patches: str, *more: str, **environment: str) -> EnvoyConfig:
    """The site with an EnvoyFilter of these patches."""
    return config(site(envoy_filter(patches), *more), **environment)


def told(text: str) -> list[Problem]:
    """All problems of a site, those of patching included."""
    made = built(text)
    gateway = made.gateways[0]
    config = gateway.config(gateway.announced_when_proven())
    return [*made.problems, *config.problems, *for_nothing([config])]


def listener(made: EnvoyConfig, name: str) -> Any:
    return made.message(LISTENERS, name)


def table(made: EnvoyConfig, name: str = "http.8080") -> Any:
    return made.message(ROUTES, name)


def cluster(made: EnvoyConfig, name: str) -> Any:
    return made.message(CLUSTERS, name)


def manager(made: EnvoyConfig, name: str = "0.0.0.0_8080") -> pb.HttpConnectionManager:
    """The first connection manager of a listener."""
    filters = listener(made, name).filter_chains[0].filters
    packed = next(one for one in filters if one.name == HCM)
    return pb.HttpConnectionManager.FromString(packed.typed_config.value)


def filters(made: EnvoyConfig, name: str = "0.0.0.0_8080") -> list[str]:
    """The names of its HTTP filters, without those that Istio has not."""
    return [one.name for one in manager(made, name).http_filters if not one.name.startswith("mizzen.")]
