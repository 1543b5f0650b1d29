"""What is spoken to a backend, from YAML through the whole of resolving."""

import pytest

from mizzen.errors import Severity
from mizzen.model.backend import Backend, Protocol
from mizzen.model.tls import ClientTls
from mizzen.pipeline import Settings, build
from mizzen.resources.raw_objects import parse_documents

HOST = "cart.shop.svc.cluster.local"


def pod(name: str = "a", *, label: str = "istio", own: str = "true") -> str:
    return f"""
---
apiVersion: v1
kind: Pod
metadata:
  name: cart-{name}
  namespace: shop
  labels: {{app: cart, security.istio.io/tlsMode: "{label}"}}
  annotations: {{mizzen.dev/sidecar: "{own}"}}
spec: {{serviceAccountName: cart, containers: []}}
status: {{podIP: 10.0.0.1}}
"""


def service(*pods: str, port: str = "name: http") -> str:
    endpoints = ", ".join(
        f"{{addresses: [10.0.0.{number}], targetRef: {{kind: Pod, name: cart-{name}}}}}"
        for number, name in enumerate(pods, 1)
    )
    name_of_port = port.partition(", ")[0]
    return f"""
---
apiVersion: v1
kind: Service
metadata: {{name: cart, namespace: shop}}
spec: {{selector: {{app: cart}}, ports: [{{port: 80, {port}}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: cart-1, namespace: shop, labels: {{kubernetes.io/service-name: cart}}}}
addressType: IPv4
ports: [{{port: 8080, {name_of_port}}}]
endpoints: [{endpoints}]
"""


def workload(more: str = "serviceAccount: cart", annotations: str = "") -> str:
    return f"""
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {{name: vm, namespace: shop, annotations: {{{annotations}}}}}
spec: {{address: 10.0.0.9, labels: {{app: cart}}, {more}}}
"""


def rule(policy: str) -> str:
    return f"""
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: cart, namespace: shop}}
spec: {{host: cart, trafficPolicy: {policy}}}
"""


def http(settings: str) -> str:
    return rule(f"{{connectionPool: {{http: {{{settings}}}}}}}")


def mesh(settings: str) -> str:
    return f"""
---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {{name: mesh}}
spec: {{meshConfig: {{{settings}}}}}
"""


def peers(mode: str) -> str:
    return f"""
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {{name: p, namespace: shop}}
spec: {{mtls: {{mode: {mode}}}}}
"""


def bytes_to_it() -> str:
    return """
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: raw, namespace: shop}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 9000, name: tcp, protocol: TCP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: raw, namespace: shop}
spec: {hosts: ["*"], gateways: [raw], tcp: [{route: [{destination: {host: cart, port: {number: 80}}}]}]}
"""


def backend(*parts: str, subset: str = "") -> Backend:
    objects, problems = parse_documents("".join(parts).encode(), "a.yaml")
    made = build(objects, problems, Settings())
    assert [str(one) for one in made.problems if one.severity is Severity.ERROR] == []
    [gateway] = made.gateways
    return gateway.model.backends[f"outbound|80|{subset}|{HOST}"]


NEGOTIATED = ("istio-h2", "istio-http/1.1", "istio", "h2", "http/1.1")
HTTP1 = ("istio-http/1.1", "istio", "http/1.1")
ONE = service("a") + pod()


def alpn(tls: ClientTls | None) -> tuple[str, ...]:
    assert tls is not None
    return tls.alpn


@pytest.mark.parametrize(
    "parts",
    {
        "a Pod": ONE,
        "two Pods": service("a", "b") + pod() + pod("b"),
        "a WorkloadEntry": service() + workload(),
        "both": ONE + workload(),
        "strict": ONE + peers("STRICT"),
        "mutual TLS by a rule": ONE + rule("{tls: {mode: ISTIO_MUTUAL}}"),
        "limits of requests": ONE + http("http2MaxRequests: 10, maxRetries: 1, idleTimeout: 10s"),
        "an unset policy": ONE + http("h2UpgradePolicy: DEFAULT"),
        "http-named": service("a", port="name: http-web") + pod(),
        "appProtocol": service("a", port="name: web, appProtocol: http") + pod(),
    }.values(),
)
def test_sidecars_of_ours_are_asked_in_what_they_choose_and_by_tls_alone(parts: str) -> None:
    made = backend(parts)
    assert made.protocol is Protocol.NEGOTIATED
    assert alpn(made.tls) == NEGOTIATED
    assert made.mesh_tls is None
    assert made.endpoints_name == f"{made.name}~negotiated"


@pytest.mark.parametrize(
    "parts",
    {
        "no endpoint": service(),
        "one without a sidecar": service("a", "b") + pod() + pod("b", label=""),
        "one of Istio": service("a", "b") + pod() + pod("b", own=""),
        "a workload without identity": ONE + workload("weight: 1"),
        "a workload of Istio": ONE + workload(annotations="istio.io/autoRegistrationGroup: g"),
        "a workload of somebody else": ONE + workload(annotations="mizzen.dev/sidecar: 'false'"),
        "another workload of Istio": ONE + workload(annotations="istio.io/workloadController: c"),
        "mutual TLS is not taken": ONE + peers("DISABLE"),
        "mutual TLS is turned off": ONE + rule("{tls: {mode: DISABLE}}"),
        "TLS of the application": ONE + rule("{tls: {mode: SIMPLE}}"),
        "mutual TLS to one without a sidecar": service("a")
        + pod(own="")
        + rule("{tls: {mode: ISTIO_MUTUAL}}"),
        "no automatic mutual TLS": ONE + mesh("enableAutoMtls: false"),
        "the rule says no": ONE + http("h2UpgradePolicy: DO_NOT_UPGRADE"),
        "the rule says no, the mesh yes": ONE
        + http("h2UpgradePolicy: DO_NOT_UPGRADE")
        + mesh("h2UpgradePolicy: UPGRADE"),
        "the mesh says no": ONE + mesh("h2UpgradePolicy: DO_NOT_UPGRADE"),
        "requests that wait are limited": ONE + http("http1MaxPendingRequests: 1"),
        "requests of a connection are limited": ONE + http("maxRequestsPerConnection: 1"),
        "connections are limited": ONE + rule("{connectionPool: {tcp: {maxConnections: 1}}}"),
        "of the whole mesh": ONE + mesh("defaultTrafficPolicy: {connectionPool: {tcp: {maxConnections: 1}}}"),
        "a line of PROXY": ONE + rule("{proxyProtocol: {version: V2}}"),
        "names keep their case": ONE + mesh("defaultConfig: {proxyHeaders: {preserveHttp1HeaderCase: true}}"),
        "a port without a name": service("a", port="name: web") + pod(),
        "bytes": service("a", port="name: tcp") + pod(),
        "bytes pass too": ONE + bytes_to_it(),
    }.values(),
)
def test_http1_is_spoken_wherever_somebody_may_not_understand_more_or_asks_for_it(parts: str) -> None:
    made = backend(parts)
    assert made.protocol is Protocol.UNKNOWN
    assert made.endpoints_name == made.name
    for tls in (made.tls, made.mesh_tls):
        assert tls is None or "h2" not in tls.alpn


@pytest.mark.parametrize(
    ("parts", "expected"),
    {
        "http2": (service("a", port="name: http2-web") + pod(), Protocol.HTTP2),
        "grpc": (service("a", port="name: grpc") + pod(), Protocol.HTTP2),
        "grpc-web": (service("a", port="name: grpc-web") + pod(), Protocol.HTTP2),
        "h2c": (service("a", port="name: web, appProtocol: kubernetes.io/h2c") + pod(), Protocol.HTTP2),
        "ws": (service("a", port="name: web, appProtocol: kubernetes.io/ws"), Protocol.UNKNOWN),
        "the rule": (service("a", port="name: tcp") + http("h2UpgradePolicy: UPGRADE"), Protocol.HTTP2),
        "the mesh": (service("a") + mesh("h2UpgradePolicy: UPGRADE"), Protocol.HTTP2),
        "the mesh, not for bytes": (
            service("a", port="name: tcp") + mesh("h2UpgradePolicy: UPGRADE"),
            Protocol.UNKNOWN,
        ),
        "as the client": (ONE + http("useClientProtocol: true"), Protocol.AS_CLIENT),
        "as the client, not as the mesh": (
            ONE + http("useClientProtocol: true") + mesh("h2UpgradePolicy: UPGRADE"),
            Protocol.AS_CLIENT,
        ),
    }.values(),
)
def test_what_is_said_holds(parts: str, expected: Protocol) -> None:
    made = backend(parts)
    assert made.protocol is expected
    assert made.endpoints_name == made.name


def test_a_subset_goes_by_its_own_endpoints_and_settings() -> None:
    parts = service("a", "b") + pod() + pod("b", label="").replace("app: cart,", "app: cart, old: yes-it-is,")
    some = rule(
        "{}, subsets: [{name: old, labels: {old: yes-it-is}}, {name: new, labels: {security.istio.io/tlsMode: istio}}]"
    )
    some = some.replace("trafficPolicy: {}, ", "")
    assert backend(parts, some).protocol is Protocol.UNKNOWN
    assert backend(parts, some, subset="old").protocol is Protocol.UNKNOWN
    assert backend(parts, some, subset="new").protocol is Protocol.NEGOTIATED


def test_where_only_some_have_a_sidecar_each_endpoint_gets_its_own() -> None:
    made = backend(service("a", "b"), pod(), pod("b", label=""))
    assert made.tls is None
    assert alpn(made.mesh_tls) == HTTP1
