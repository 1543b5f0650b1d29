"""The YAML of the table of protocols: one gateway, and a host for each kind of backend."""

from tests.harness import gateway
from tests.harness.exchanges.backend import Backend
from tests.harness.gateway import Authority

DOMAIN = "kinds.test"
# How the gateway speaks with the backend, by the first label of the host; "http1" and so on.
KINDS = ("http1", "http2", "tls1", "tls2")

_ENTRY = """\
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {kind}, namespace: istio-system}}
spec:
  hosts: [{kind}.backend]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{{number: 80, name: {protocol}, protocol: {protocol}, targetPort: {port}}}]
  endpoints: [{{address: 127.0.0.1}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: {kind}, namespace: istio-system}}
spec: {{host: {kind}.backend, trafficPolicy: {{{policy}}}}}
"""

# What plain VirtualServices do, by the first part of the path. No second try hides what happened, unless it is asked for.
_ROUTES = """\
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {kind}, namespace: istio-system}}
spec:
  hosts: [{kind}.{domain}]
  gateways: [kinds]
  http:
  - {{match: [{{uri: {{prefix: /timeout/}}}}], timeout: 0.3s, retries: {{attempts: 0}}, {to}}}
  - {{match: [{{uri: {{prefix: /retry/}}}}], retries: {{attempts: 2, retryOn: '5xx,reset'}}, {to}}}
  - {{match: [{{uri: {{prefix: /abort/}}}}], fault: {{abort: {{httpStatus: 418, percentage: {{value: 100}}}}}}, {to}}}
  - {{match: [{{uri: {{prefix: /delay/}}}}], fault: {{delay: {{fixedDelay: 0.3s, percentage: {{value: 100}}}}}}, retries: {{attempts: 0}}, {to}}}
  - {{match: [{{uri: {{prefix: /copied/}}}}], mirror: {{host: copies.backend}}, retries: {{attempts: 0}}, {to}}}
  - {{match: [{{uri: {{prefix: /moved/}}}}], redirect: {{uri: /elsewhere, redirectCode: 308}}}}
  - {{match: [{{uri: {{prefix: /direct/}}}}], directResponse: {{status: 418, body: {{string: short}}}}}}
  - {{match: [{{uri: {{prefix: /away/}}}}], rewrite: {{uri: /home/, authority: other.test}}, retries: {{attempts: 0}}, {to}}}
  - {{match: [{{uri: {{prefix: /shared/}}}}], corsPolicy: {{allowOrigins: [{{exact: 'https://a.test'}}], allowMethods: [PUT]}}, retries: {{attempts: 0}}, {to}}}
  - match: [{{uri: {{prefix: /marked/}}}}]
    headers: {{request: {{set: {{x-set: '1'}}, add: {{x-twice: '3'}}, remove: [x-gone]}}, response: {{set: {{x-set: '2'}}, add: {{x-twice: '3'}}, remove: [x-empty]}}}}
    retries: {{attempts: 0}}
    {to}
  - {{match: [{{uri: {{prefix: /nowhere/}}}}], route: [{{destination: {{host: nobody.backend}}}}], retries: {{attempts: 0}}}}
  - {{retries: {{attempts: 0}}, {to}}}
"""


def _entry(kind: str, protocol: str, port: int, policy: str = "") -> str:
    return _ENTRY.format(kind=kind, protocol=protocol, port=port, policy=policy)


# What nobody gets.
_DENIED = """\
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: denied, namespace: istio-system}
spec: {action: DENY, rules: [{to: [{operation: {paths: [/denied/*]}}]}]}
"""


def site(authority: Authority, backend: Backend, grpc_port: int) -> str:
    """All of it."""
    tls = "tls: {mode: SIMPLE, sni: inner.test, insecureSkipVerify: true}"
    parts = [
        gateway.secret("kinds", authority.server(f"*.{DOMAIN}")),
        "---\n" + gateway.gateway(f"*.{DOMAIN}", name="kinds", credential="kinds"),
        _entry("http1", "HTTP", backend.port),
        _entry("http2", "HTTP2", backend.port),
        _entry("tls1", "HTTP", backend.tls_port, tls),
        _entry("tls2", "HTTP2", backend.tls_port, tls),
        _entry("grpc", "GRPC", grpc_port),
        _entry("grpcweb", "GRPC-Web", grpc_port),
        _entry("copies", "HTTP", backend.port),
        _entry("nobody", "HTTP", 1),
        _DENIED,
    ]
    for kind in (*KINDS, "grpc", "grpcweb"):
        to = f"route: [{{destination: {{host: {kind}.backend}}}}]"
        parts.append(_ROUTES.format(kind=kind, domain=DOMAIN, to=to))
    return "".join(parts)
