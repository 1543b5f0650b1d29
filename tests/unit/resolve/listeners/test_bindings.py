"""What DNS may say of a server: where its addresses are from, and who keeps its records."""

from datetime import timedelta

import pytest

from mizzen.model.dns import DEFAULT_TTL, TsigKey
from mizzen.resolve.gateways.servers import merged_servers
from mizzen.resolve.http3_choices import Choice, Choices, choices
from mizzen.resolve.listeners.bindings import addresses, binding

GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: ["./b.example.com", "*.Example.com"],
     tls: {mode: SIMPLE, credentialName: c}}
"""
SERVICE = """
---
apiVersion: v1
kind: Service
metadata: {name: SERVICE, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  externalIPs: EXTERNAL
  ports: [{name: https, port: 443, targetPort: 8443}]
status: {loadBalancer: {ingress: INGRESS}}
"""
SECRET = """
---
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: shop}
stringData: DATA
"""


def service(ingress, external="[]", name="istio-ingressgateway"):
    return SERVICE.replace("INGRESS", ingress).replace("EXTERNAL", external).replace("SERVICE", name)


def policy(dns, name="web"):
    return f"""
---
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {{name: {name}, namespace: shop}}
spec: {{targetRefs: [{{name: web}}], dns: {dns}}}
"""


def made(found):
    (server,) = merged_servers(found.ctx)
    return binding(found.ctx, server, ("h2", "http/1.1"), choices(found.ctx, server.gateway, server.server))


def test_without_a_policy_what_the_service_says_is_said_and_nobody_keeps_it(gateway):
    found = gateway(GATEWAY + service("[{ip: 203.0.113.1}, {hostname: lb.example}]", "[198.51.100.1]"))
    one = made(found)
    assert (one.hosts, one.port) == (("*.example.com", "b.example.com"), 8443)  # dialled as it is bound
    assert one.alpn == ("h3", "h2", "http/1.1") and one.has_default
    assert one.addresses == ("198.51.100.1", "203.0.113.1") and one.unknown == ""
    assert (one.target, one.ttl, one.keeper) == (".", DEFAULT_TTL, None)
    assert found.problems == []


def test_a_server_that_is_not_there_over_tcp_has_no_default(gateway):
    found = gateway(GATEWAY)
    (server,) = merged_servers(found.ctx)
    one = binding(found.ctx, server, (), Choices(server=Choice(mode="only")))
    assert (one.alpn, one.has_default) == (("h3",), False)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no Service of istio-ingressgateway.istio-system is known"),
        (service("[]"), "the Service istio-system/istio-ingressgateway has no address yet"),
        (service("[{hostname: lb.example}]"), "its load balancer is known by a name (lb.example)"),
    ],
)
def test_what_is_not_known_is_told(gateway, text, why):
    found = addresses(gateway(GATEWAY + text).ctx)
    assert (found.addresses, found.unknown) == ((), why)


def test_a_policy_says_what_is_said_and_who_keeps_it(gateway):
    dns = "{server: '192.0.2.53:54', zone: Example.COM, ttl: 30s, addresses: [192.0.2.1], targetName: Edge.example.}"
    one = made(gateway(GATEWAY + service("[{ip: 203.0.113.1}]") + policy(dns)))
    assert (one.addresses, one.target, one.ttl) == (("192.0.2.1",), "edge.example.", timedelta(seconds=30))
    assert one.keeper is not None and not one.keeper.is_external_dns
    assert (one.keeper.server, one.keeper.port, one.keeper.zone) == ("192.0.2.53", 54, "example.com.")
    assert (one.keeper.owner, one.keeper.key) == ("shop", None)


def test_settings_without_a_keeper_keep_nothing(gateway):
    assert made(gateway(GATEWAY + policy("{ttl: 30s}"))).keeper is None


def test_objects_for_external_dns(gateway):
    one = made(gateway(GATEWAY + policy("{externalDns: true, owner: me}")))
    assert one.keeper is not None and one.keeper.is_external_dns and one.keeper.owner == "me"


KEY = "{name: Update-Key., algorithm: HMAC-SHA512, secret: c2VjcmV0}"


def test_the_key_is_read_from_its_secret(gateway):
    dns = "{server: 192.0.2.53, zone: example.com., tsigSecret: key}"
    one = made(gateway(GATEWAY + policy(dns) + SECRET.replace("DATA", KEY)))
    assert one.keeper is not None
    assert one.keeper.key == TsigKey(name="update-key", algorithm="hmac-sha512", secret="c2VjcmV0")
    assert (one.keeper.secret, one.keeper.owner) == ("shop/key", "shop/key")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (None, "there is no Secret shop/key"),
        ("{algorithm: hmac-sha256, secret: c2VjcmV0}", "it has no name"),
        ("{name: k, algorithm: hmac-md5, secret: c2VjcmV0}", "the algorithm is none of"),
        ("{name: k, secret: 'no base64!'}", "secret is no base64"),
        ("{name: kü, secret: c2VjcmV0}", "name is no text"),
    ],
)
def test_without_its_key_nothing_is_kept_and_no_secret_is_told(gateway, data, why):
    text = GATEWAY + policy("{server: 192.0.2.53, zone: example.com., tsigSecret: key}")
    found = gateway(text + (SECRET.replace("DATA", data) if data else ""))
    assert made(found).keeper is None
    (problem,) = found.problems
    assert (problem.code, problem.field) == ("DNS-001", "spec.dns.tsigSecret")
    assert why in problem.message and "c2VjcmV0" not in str(problem)


def test_hosts_outside_of_the_zone_are_told(gateway):
    found = gateway(GATEWAY + policy("{server: 192.0.2.53, zone: b.example.com.}"))
    made(found)
    (problem,) = found.problems
    assert problem.code == "DNS-002" and "*.example.com:" in problem.message
