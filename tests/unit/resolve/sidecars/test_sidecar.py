"""Sidecars, from YAML through the whole of resolving."""

from mizzen.model.backend import Discovery, Protocol
from mizzen.model.http2 import CONNECTION_WINDOW, STREAMS
from mizzen.model.listener import Http2Limits, HttpService, TcpService
from mizzen.model.route import Forward
from mizzen.model.tls import ClientAuth
from mizzen.pipeline import Settings, build
from mizzen.resources.raw_objects import parse_documents

WORKLOAD = """
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: vm, namespace: shop}
spec: {address: 10.0.0.5, labels: {app: cart}, serviceAccount: cart, ports: {http: 8080}}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: http, port: 80, targetPort: 9999}]}
"""

SIDECAR = """
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: cart, namespace: shop}
spec:
  workloadSelector: {labels: {app: cart}}
"""

OTHER = """
---
apiVersion: v1
kind: Service
metadata: {name: stock, namespace: depot}
spec: {clusterIP: 10.9.9.9, clusterIPs: [10.9.9.9], ports: [{name: http, port: 80}, {name: tcp-raw, port: 7000}]}
"""


def built(text):
    objects, problems = [], []
    parsed = parse_documents(text.encode(), "a.yaml")
    objects, problems = parsed
    result = build(tuple(objects), tuple(problems), Settings(sidecars=frozenset({"shop/vm"})))
    found = next(one.model for one in result.gateways if one.proxy.kind == "sidecar")
    return found, [
        problem.code for problem in result.problems if problem.code.startswith(("SC", "AZ", "JWT"))
    ]


def peer(mode, ports=""):
    return (
        "\n---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: p, namespace: shop}\n"
        f"spec: {{selector: {{matchLabels: {{app: cart}}}}, mtls: {{mode: {mode}}}{ports}}}\n"
    )


def inbound(model, name="10.0.0.5_8080"):
    return next(one for one in model.listeners if one.name == name)


def test_a_workload_of_a_service_is_opened_on_its_own_address_for_the_mesh():
    model, codes = built(WORKLOAD)
    listener = inbound(model)
    assert codes == []
    assert (listener.address, listener.port, listener.inbound) == ("10.0.0.5", 8080, True)
    secure, plain = listener.chains
    assert secure.tls.client_auth is ClientAuth.REQUIRED
    assert secure.tls.certificates == ("default",)
    assert "istio-http/1.1" in secure.application_protocols
    assert (plain.tls, plain.transport_protocol) == (None, "raw_buffer")


def test_the_application_is_asked_on_the_loopback_address():
    model, _ = built(WORKLOAD)
    [application] = [one for one in model.backends.values() if one.name == "inbound|8080||"]
    assert application.discovery is Discovery.FIXED
    assert application.protocol is Protocol.UNKNOWN
    [endpoint] = application.groups[0].endpoints
    assert (endpoint.address, endpoint.port) == ("127.0.0.1", 8080)
    [table] = [one for one in model.route_tables if one.name == "inbound|8080||"]
    [route] = next(iter(table.hosts.values())).routes
    assert isinstance(route.action, Forward)
    assert route.operation == "cart.shop.svc.cluster.local:80/*"
    assert not next(iter(table.hosts.values())).count_attempts


def test_who_connected_is_added_to_what_earlier_proxies_said():
    model, _ = built(WORKLOAD)
    edge = inbound(model).edge
    assert (edge.remote_address, edge.client_cert_header) == (False, "append_forward")
    assert edge.cert_details == ("subject", "dns", "uri")


def test_strict_and_disable_leave_one_kind_of_connection():
    strict, _ = built(WORKLOAD + peer("STRICT"))
    [chain] = inbound(strict).chains
    assert (chain.transport_protocol, chain.application_protocols) == ("tls", ())
    off, _ = built(WORKLOAD + peer("DISABLE"))
    [chain] = inbound(off).chains
    assert chain.tls is None


def test_a_port_has_a_mode_of_its_own():
    model, _ = built(WORKLOAD + peer("STRICT", ", portLevelMtls: {'8080': {mode: DISABLE}}"))
    assert [chain.tls for chain in inbound(model).chains] == [None]


def test_a_port_that_nobody_named_may_carry_http_or_bytes():
    model, _ = built(
        WORKLOAD.replace("name: http", "name: web").replace("ports: {http: 8080}", "ports: {web: 8080}")
    )
    served = [type(chain.serve) for chain in inbound(model).chains]
    assert served == [HttpService, TcpService, HttpService, TcpService, TcpService]


def test_a_sidecar_says_which_port_leads_where():
    model, codes = built(
        WORKLOAD
        + SIDECAR
        + "  ingress: [{port: {number: 8443, protocol: HTTP2, name: h2}, bind: 0.0.0.0, defaultEndpoint: '127.0.0.1:8080'}]\n"
    )
    assert codes == []
    assert [one.name for one in model.listeners] == ["0.0.0.0_8443"]
    [application] = [one for one in model.backends.values() if one.name == "inbound|8443||"]
    assert application.protocol is Protocol.HTTP2
    assert application.groups[0].endpoints[0].port == 8080


def test_sidecar_and_application_cannot_share_a_port():
    model, codes = built(WORKLOAD.replace("10.0.0.5", "127.0.0.1"))
    assert sorted(codes) == ["SC-001", "SC-003"]
    assert model.listeners == ()


def test_an_application_that_listens_nowhere_is_told():
    _, codes = built(
        WORKLOAD
        + SIDECAR
        + "  ingress: [{port: {number: 8443, protocol: HTTP, name: h}, defaultEndpoint: 'localhost:8080'}]\n"
    )
    assert "SC-002" in codes


def test_what_a_sidecar_lets_out_has_routes_for_every_name_of_a_service():
    model, codes = built(
        WORKLOAD
        + OTHER
        + SIDECAR
        + "  egress: [{port: {number: 80, protocol: HTTP, name: http}, hosts: ['depot/*']}]\n"
    )
    assert codes == []
    assert "127.0.0.1_80" in [one.name for one in model.listeners]
    [table] = [one for one in model.route_tables if one.name == "80"]
    assert table.port_in_domains
    [host] = table.hosts.values()
    assert host.name == "stock.depot.svc.cluster.local:80"
    assert {"stock.depot", "stock.depot:80", "10.9.9.9"} <= set(host.domains)
    assert "outbound|80||stock.depot.svc.cluster.local" in {one.name for one in model.backends.values()}


def test_virtual_services_of_the_mesh_route_what_an_application_sends():
    model, _ = built(
        WORKLOAD
        + OTHER
        + SIDECAR
        + "  egress: [{port: {number: 80, protocol: HTTP, name: http}, hosts: ['*/*']}]\n"
        + "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v, namespace: depot}\n"
        "spec: {hosts: [stock], http: [{directResponse: {status: 418}}]}\n"
    )
    [table] = [one for one in model.route_tables if one.name == "80"]
    by_name = {host.name: host for host in table.hosts.values()}
    assert by_name["stock.depot.svc.cluster.local:80"].routes[0].action.status == 418
    assert isinstance(by_name["cart.shop.svc.cluster.local:80"].routes[0].action, Forward)


def test_bytes_go_out_to_exactly_one_service():
    text = "  egress: [{port: {number: 7000, protocol: TCP, name: tcp}, hosts: ['HOSTS']}]\n"
    model, codes = built(WORKLOAD + OTHER + SIDECAR + text.replace("HOSTS", "depot/*"))
    assert codes == []
    [chain] = inbound(model, "127.0.0.1_7000").chains
    assert chain.serve.to[0].backend == "outbound|7000||stock.depot.svc.cluster.local"
    _, codes = built(WORKLOAD + OTHER + SIDECAR + text.replace("HOSTS", "shop/*"))
    assert codes == ["SC-004"]


def test_limits_of_a_client_at_the_edge_are_not_those_of_a_proxy_with_many():
    settings = (
        "{profile: EDGE, httpMaxConcurrentStreams: 10, http2InitialStreamWindowSize: 65536, "
        "http2InitialConnectionWindowSize: 65536}"
    )
    model, _ = built(
        WORKLOAD
        + "\n---\napiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: mesh}\n"
        f"spec: {{meshConfig: {{defaultConfig: {{connectionSettings: {settings}}}}}}}\n"
    )
    edge = inbound(model).edge
    assert edge.underscores == "allow"  # the profile is for gateways alone
    assert edge.http2 == Http2Limits(
        max_concurrent_streams=STREAMS, stream_window=65536, connection_window=CONNECTION_WINDOW
    )
