"""What was remembered of earlier states changes nothing: after any edits, a build equals one that is made anew."""

import base64
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mizzen.envoy.config import EnvoyConfig
from mizzen.errors import Problem
from mizzen.pipeline import Build, Memory, Settings, build
from mizzen.resources.raw_objects import RawObject, parse_documents
from tests.golden import material, problems_text, rendered

NETWORKING, SECURITY = "networking.istio.io/v1", "security.istio.io/v1"
HOUSE = "istio-system"
SETTINGS = Settings(
    environment={"PILOT_ENABLE_QUIC_LISTENERS": "true"}, sidecars=frozenset({"shop/vm", "shop/pod"})
)
CHANGES = st.lists(st.integers(0, 10**6), min_size=1, max_size=4)


def gateway(*servers: dict[str, Any]) -> dict[str, Any]:
    return {"selector": {"istio": "ingressgateway"}, "servers": list(servers)}


def http(*hosts: str, number: int = 80, redirect: bool = False, name: str = "http") -> dict[str, Any]:
    more = {"tls": {"httpsRedirect": True}} if redirect else {}
    return {"port": {"number": number, "name": name, "protocol": "HTTP"}, "hosts": list(hosts), **more}


def https(*hosts: str, name: str = "https", secret: str = "one", mode: str = "SIMPLE") -> dict[str, Any]:
    tls = {"mode": mode, "credentialName": secret}
    return {"port": {"number": 443, "name": name, "protocol": "HTTPS"}, "hosts": list(hosts), "tls": tls}


def bytes_on(number: int, protocol: str = "TCP", mode: str = "") -> dict[str, Any]:
    tls = {"tls": {"mode": mode}} if mode else {}
    return {"port": {"number": number, "name": "bytes", "protocol": protocol}, "hosts": ["*"], **tls}


def to(host: str, **more: Any) -> dict[str, Any]:
    return {"route": [{"destination": {"host": host, **more}}]}


def service(*numbers: int, **more: Any) -> dict[str, Any]:
    ports = [{"name": f"http-{number}", "port": number, "targetPort": 8080} for number in numbers]
    return {"spec": {"ports": ports, "selector": {"app": "web"}, **more}}


def secret(name: str) -> dict[str, Any]:
    data = {f"tls.{part}": base64.b64encode(material(name, part)).decode() for part in ("crt", "key")}
    return {"data": {**data, "ca.crt": base64.b64encode(material("ca", "crt")).decode()}}


def slice_of(service: str, *addresses: str, pod: str = "") -> dict[str, Any]:
    target = {"targetRef": {"kind": "Pod", "name": pod, "namespace": "shop"}} if pod else {}
    return {
        "metadata": {"labels": {"kubernetes.io/service-name": service}},
        "addressType": "IPv4",
        "ports": [{"name": "http-80", "port": 8080}],
        "endpoints": [
            {"addresses": [address], "conditions": {"ready": True}, **target} for address in addresses
        ],
    }


def ingress_rule(host: str, path: str, backend: str, **port: Any) -> dict[str, Any]:
    served = {"path": path, "pathType": "Exact", "backend": {"service": {"name": backend, "port": port}}}
    return {**({"host": host} if host else {}), "http": {"paths": [served]}}


def operator(**mesh: Any) -> dict[str, Any]:
    env = {"PILOT_ENABLE_QUIC_LISTENERS": "true"}
    return {"spec": {"meshConfig": mesh, "values": {"pilot": {"env": env}}}}


# (kind, apiVersion, namespace, name) -> what may be written in it; None: YAML that cannot be read.
OBJECTS: dict[tuple[str, str, str, str], tuple[dict[str, Any] | None, ...]] = {
    ("Gateway", NETWORKING, HOUSE, "one"): tuple(
        {"spec": spec}
        for spec in (
            gateway(http("*"), https("a.test", "*.b.test")),
            gateway(http("a.test", "b.test", redirect=True), https("*.test")),
            gateway(https("a.test", secret="missing"), https("b.test", name="other", mode="MUTUAL")),
            gateway(http("shop/a.test"), bytes_on(9000), bytes_on(9443, "TLS", "PASSTHROUGH")),
            gateway(http("a.test", number=8080), http("*", number=8080, name="more")),
            {"selector": {"app": "nobody"}, "servers": [http("*")]},
            gateway({**http("*"), "port": {"number": "x"}}),
        )
    ),
    ("Gateway", NETWORKING, "shop", "two"): tuple(
        {"spec": spec}
        for spec in (
            gateway(https("x.b.test", "c.test", name="two")),
            gateway(https("a.test", name="two", secret="two")),
            gateway(bytes_on(9443, "TLS", "PASSTHROUGH"), http("*", number=80, redirect=True)),
        )
    ),
    ("HTTP3Policy", "mizzen.dev/v1alpha1", HOUSE, "all"): tuple(
        {"spec": {"mode": mode, **more}}
        for mode, more in (
            ("off", {}),
            ("on", {"selector": {"matchLabels": {"istio": "ingressgateway"}}}),
            ("only", {"targetRefs": [{"name": "one"}]}),
        )
    ),
    ("HTTP3Policy", "mizzen.dev/v1alpha1", HOUSE, "hosts"): tuple(
        {"spec": {"mode": mode, "targetRefs": [{"name": "one"}], "hosts": hosts}}
        for mode, hosts in (("off", ["a.test"]), ("on", ["x.b.test"]), ("off", ["*.b.test", "x.b.test"]))
    ),
    ("VirtualService", NETWORKING, "shop", "web"): tuple(
        {"spec": spec}
        for spec in (
            {"hosts": ["a.test"], "gateways": ["istio-system/one"], "http": [to("web")]},
            {"hosts": ["a.test", "b.test"], "gateways": ["istio-system/one", "two"], "http": [to("web", subset="v1")]},
            {"hosts": ["*.b.test"], "gateways": ["istio-system/one"], "http": [{"match": [{"uri": {"prefix": "/x"}, "ignoreUriCase": True}], **to("web", port={"number": 80})}, to("nowhere")]},
            {"hosts": ["a.test"], "gateways": ["istio-system/one"], "http": [{"delegate": {"name": "part"}}]},
            {"hosts": ["*"], "gateways": ["istio-system/one", "mesh"], "exportTo": ["."], "http": [to("web")]},
            {"hosts": ["web"], "http": [to("web")]},
            {"hosts": ["a.test"], "gateways": ["istio-system/one"], "http": [{"route": "no"}]},
        )
    ),
    ("VirtualService", NETWORKING, HOUSE, "other"): tuple(
        {"spec": spec}
        for spec in (
            {"hosts": ["x.b.test", "c.test"], "gateways": ["one", "shop/two"], "http": [to("web.shop.svc.cluster.local")]},
            {"hosts": ["A.test"], "gateways": ["one"], "http": [{"redirect": {"scheme": "https"}}], "tcp": [{"route": [{"destination": {"host": "db.test"}}]}]},
            {"hosts": ["db.test", "a.test"], "gateways": ["one", "shop/two"], "tls": [{"match": [{"sniHosts": ["db.test"]}], **to("db.test")}]},
            {"hosts": ["a.test"], "gateways": ["missing"], "http": [to("web.shop.svc.cluster.local")]},
        )
    ),
    ("Ingress", "networking.k8s.io/v1", "shop", "web"): tuple(
        {"spec": {"ingressClassName": "istio", **spec}}
        for spec in (
            {"rules": [ingress_rule("a.test", "/.well-known/acme-challenge/x", "web", number=80)]},
            {"tls": [{"hosts": ["x.b.test"], "secretName": "one"}], "rules": [ingress_rule("x.b.test", "/x", "web", name="http-81"), ingress_rule("", "/", "web", number=80)]},
            {"ingressClassName": "other", "rules": [ingress_rule("a.test", "/", "web", number=80)]},
        )
    ),
    ("Ingress", "networking.k8s.io/v1", HOUSE, "more"): tuple(
        {"spec": {"ingressClassName": "mine", **spec}}
        for spec in (
            {"rules": [ingress_rule("a.test", "/x/longer", "web", number=80)]},
            {"tls": [{"secretName": "two"}], "rules": [ingress_rule("c.test", "/", "gone", name="x")]},
        )
    ),
    ("IngressClass", "networking.k8s.io/v1", "", "mine"): (
        {"spec": {"controller": "istio.io/ingress-controller"}},
        {"spec": {"controller": "example.com/other"}},
    ),
    ("Deployment", "apps/v1", HOUSE, "istio-ingressgateway"): tuple(
        {"spec": {"replicas": replicas, "template": {"metadata": {"labels": {"istio": label}}}}}
        for replicas, label in ((1, "ingressgateway"), (0, "ingressgateway"), (1, "no"))
    ),
    ("VirtualService", NETWORKING, "shop", "part"): tuple(
        {"spec": spec}
        for spec in (
            {"http": [to("web"), {"match": [{"uri": {"exact": "/p"}}], **to("db.test", port={"number": 1})}]},
            {"http": [{"fault": {"abort": {"httpStatus": 500}}, **to("gone")}]},
            {"hosts": ["c.test"], "gateways": ["two"], "http": [to("web")]},
        )
    ),
    ("DestinationRule", NETWORKING, "shop", "web"): tuple(
        {"spec": spec}
        for spec in (
            {"host": "web", "subsets": [{"name": "v1", "labels": {"version": "v1"}}]},
            {"host": "*.shop.svc.cluster.local", "trafficPolicy": {"loadBalancer": {"consistentHash": {"httpHeaderName": "x-user"}}}},
            {"host": "web", "trafficPolicy": {"tls": {"mode": "SIMPLE", "credentialName": "two"}}},
            {"host": "web", "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}},
            {"host": "web", "trafficPolicy": {"connectionPool": {"http": {"h2UpgradePolicy": "DO_NOT_UPGRADE"}}}},
            {"host": "nobody.test", "subsets": [{"name": "v1", "labels": {}}]},
            {"host": "web", "trafficPolicy": {"tls": {"mode": "NO"}}},
        )
    ),
    ("DestinationRule", NETWORKING, HOUSE, "wide"): tuple(
        {"spec": spec}
        for spec in (
            {"host": "*.test", "subsets": [{"name": "v1", "labels": {"version": "v1"}}]},
            {"host": "web.shop.svc.cluster.local", "exportTo": ["."], "trafficPolicy": {"outlierDetection": {"consecutive5xxErrors": 3}}},
        )
    ),
    ("Service", "v1", "shop", "web"): (
        service(80),
        service(80, 81),
        service(80, type="ExternalName", externalName="db.test"),
        {**service(80), "metadata": {"annotations": {"networking.istio.io/exportTo": "."}}},
    ),
    ("Service", "v1", "shop", "more"): (service(80), service(9000)),
    ("ServiceEntry", NETWORKING, "shop", "db"): tuple(
        {"spec": spec}
        for spec in (
            {"hosts": ["db.test"], "resolution": "STATIC", "ports": [{"number": 1, "name": "tcp", "protocol": "TCP"}], "endpoints": [{"address": "10.0.0.1"}]},
            {"hosts": ["db.test", "web.shop.svc.cluster.local"], "resolution": "DNS", "ports": [{"number": 1, "name": "http", "protocol": "HTTP"}]},
            {"hosts": ["db.test"], "resolution": "STATIC", "ports": [{"number": 1, "name": "tcp", "protocol": "TCP"}], "workloadSelector": {"labels": {"app": "web"}}},
        )
    ),
    ("ServiceEntry", NETWORKING, HOUSE, "db"): (
        {"spec": {"hosts": ["db.test"], "resolution": "DNS", "ports": [{"number": 2, "name": "http", "protocol": "HTTP"}]}},
    ),
    ("WorkloadEntry", NETWORKING, "shop", "vm"): (
        {"spec": {"address": "127.0.0.7", "labels": {"app": "web"}, "serviceAccount": "vm"}},
        {"spec": {"address": "127.0.0.8", "labels": {"app": "web", "version": "v1"}}},
    ),
    ("Sidecar", NETWORKING, "shop", "all"): (
        {"spec": {"egress": [{"port": {"number": 7000, "protocol": "HTTP", "name": "http"}, "hosts": ["./*"]}]}},
    ),
    ("EndpointSlice", "discovery.k8s.io/v1", "shop", "web-1"): (
        slice_of("web", "10.1.0.1"),
        slice_of("web", "10.1.0.2", pod="pod"),
        slice_of("web", "10.1.0.1", "10.1.0.2", pod="pod"),
        slice_of("more", "10.1.0.3", pod="gone"),
        {**slice_of("web", "10.1.0.1"), "addressType": "nonsense"},
    ),
    ("Pod", "v1", "shop", "pod"): tuple(
        {
            "metadata": {"labels": {"app": "web", **more}, "annotations": {"mizzen.dev/sidecar": own}},
            "spec": {"containers": [], "nodeName": "node"},
            "status": {"podIP": "10.1.0.2", "conditions": [{"type": "Ready", "status": ready}]},
        }
        for more, own, ready in (
            ({}, "", "True"),
            ({"version": "v1", "security.istio.io/tlsMode": "istio"}, "", "True"),
            ({"security.istio.io/tlsMode": "istio"}, "true", "True"),
            ({}, "true", "False"),
        )
    ),
    ("Node", "v1", "", "node"): (
        {"metadata": {"labels": {"topology.kubernetes.io/region": "r1"}}},
        {"metadata": {"labels": {"topology.kubernetes.io/region": "r2"}}},
    ),
    ("Secret", "v1", HOUSE, "one"): (secret("a.test"), secret("b.test"), {"data": {"tls.crt": "eA=="}}),
    ("Secret", "v1", HOUSE, "two"): (secret("a.test"), {"data": {}}),
    ("AuthorizationPolicy", SECURITY, HOUSE, "deny"): tuple(
        {"spec": spec}
        for spec in (
            {"action": "DENY", "rules": [{"to": [{"operation": {"paths": ["/admin*"], "hosts": ["a.test"]}}]}]},
            {"action": "ALLOW", "rules": [{"from": [{"source": {"ipBlocks": ["10.0.0.0/8"]}}]}]},
            {"action": "DENY", "rules": [{"to": [{"operation": {"paths": 7}}]}]},
            {"action": "CUSTOM", "provider": {"name": "x"}, "rules": [{}]},
            {"action": "CUSTOM", "provider": {"name": "web"}, "rules": [{"to": [{"operation": {"hosts": ["a.test"]}}]}]},
        )
    ),
    ("RequestAuthentication", SECURITY, HOUSE, "jwt"): (
        {"spec": {"jwtRules": [{"issuer": "me", "jwks": '{"keys": []}'}]}},
    ),
    ("PeerAuthentication", SECURITY, "shop", "default"): (
        {"spec": {"mtls": {"mode": "STRICT"}}},
        {"spec": {"mtls": {"mode": "SIDEWAYS"}}},
    ),
    ("EnvoyFilter", "networking.istio.io/v1alpha3", HOUSE, "patch"): (
        {"spec": {"configPatches": [{"applyTo": "HTTP_FILTER", "patch": {"operation": "INSERT_FIRST", "value": {"name": "x"}}}]}},
        {"spec": {"configPatches": [{"applyTo": "HTTP_ROUTE", "match": {"routeConfiguration": {"vhost": {"name": "a.test:80"}}}, "patch": {"operation": "MERGE", "value": {"requestHeadersToRemove": ["x"]}}}]}},
        {"spec": {"configPatches": [{"applyTo": "CLUSTER", "match": {"cluster": {"service": "web.shop.svc.cluster.local"}}, "patch": {"operation": "REMOVE"}}]}},
        {"spec": {"configPatches": [{"applyTo": "CLUSTER", "patch": {"operation": "MERGE", "value": {"connect_timeout": "3s", "conect": 1}}}]}},
    ),
    ("EnvoyFilter", "networking.istio.io/v1alpha3", HOUSE, "beside"): (
        {"spec": {"priority": 1, "configPatches": [{"applyTo": "HTTP_FILTER", "match": {"listener": {"filterChain": {"filter": {"name": "envoy.filters.network.http_connection_manager", "subFilter": {"name": "envoy.filters.http.rbac"}}}}}, "patch": {"operation": "INSERT_AFTER", "value": {"name": "y"}}}]}},
        {"spec": {"priority": -1, "configPatches": [{"applyTo": "HTTP_ROUTE", "match": {"routeConfiguration": {"vhost": {"domainName": "b.test"}}}, "patch": {"operation": "INSERT_FIRST", "value": {"name": "y", "match": {"prefix": "/y"}, "direct_response": {"status": 204}}}}]}},
        {"spec": {"configPatches": [{"applyTo": "VIRTUAL_HOST", "patch": {"operation": "ADD", "value": {"name": "y", "domains": ["y.test"]}}}, {"applyTo": "LISTENER", "match": {"listener": {"portNumber": 8443}}, "patch": {"operation": "MERGE", "value": {"tcp_backlog_size": 7}}}]}},
        {"spec": {"configPatches": [{"applyTo": "CLUSTER", "patch": {"operation": "ADD", "value": {"name": "y"}}}, {"applyTo": "CLUSTER", "patch": {"operation": "MERGE", "value": {"alt_stat_name": "y"}}}]}},
    ),
    ("IstioOperator", "install.istio.io/v1alpha1", HOUSE, "mesh"): (
        operator(),
        operator(accessLogFile="/dev/stdout", rootNamespace="shop"),
        operator(enableAutoMtls=False, defaultServiceExportTo=["."]),
        operator(extensionProviders=[{"name": "web", "envoyExtAuthzHttp": {"service": "web.shop.svc.cluster.local", "port": 80, "clearRouteCache": True}}]),
        operator(discoverySelectors=[{"matchLabels": {"read": "yes"}}, {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["istio-system"]}]}]),
        {"spec": {"meshConfig": 7}},
    ),
    ("Namespace", "v1", "", "shop"): ({}, {"metadata": {"labels": {"read": "yes"}}}, {"metadata": {"annotations": {"networking.istio.io/traffic-distribution": "PreferClose"}}}),
}  # fmt: skip
KEYS = tuple(OBJECTS)


def text_of(key: tuple[str, str, str, str], choice: int) -> str:
    """One of the ways in which an object may be written; at another line now and then."""
    kind, version, namespace, name = key
    written = OBJECTS[key][choice % len(OBJECTS[key])] or {}
    metadata = {
        "name": name,
        **({"namespace": namespace} if namespace else {}),
        **written.get("metadata", {}),
    }
    value = {"apiVersion": version, "kind": kind, **written, "metadata": metadata}
    return (
        "# moved\n" * (choice % 3 == 0)
        + json.dumps(value, indent=1)
        + ("\n---\nbroken: [" if choice % 37 == 0 else "")
    )


class Files:
    """Files of one object each, of which those that stay are not read again."""

    def __init__(self) -> None:
        self.read: dict[str, tuple[tuple[RawObject, ...], tuple[Problem, ...]]] = {}

    def edit(self, choice: int) -> None:
        """Write, rewrite, rename or remove a file."""
        key, what = KEYS[choice % len(KEYS)], choice // len(KEYS)
        name = f"{'/'.join(key[2:])}-{key[0]}.yaml"
        if what % 7 == 0:
            self.read.pop(name, None)
            return
        if what % 11 == 0:
            self.read.pop(name, None)
            name = f"renamed-{name}"
        self.read[name] = parse_documents(text_of(key, what), name)

    @property
    def objects(self) -> tuple[RawObject, ...]:
        return tuple(raw for _, (objects, _) in sorted(self.read.items()) for raw in objects)

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(problem for _, (_, problems) in sorted(self.read.items()) for problem in problems)


def outcome(made: Build) -> tuple[str, str]:
    """All that a build says: every resource of every gateway, and every problem with its place."""
    gateways = {gateway.proxy.key: rendered(gateway) for gateway in made.gateways}
    return json.dumps(gateways, indent=1), problems_text(made)


@given(st.lists(CHANGES, min_size=2, max_size=12))
@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_a_build_from_memory_equals_one_that_is_made_anew(steps: list[list[int]]) -> None:
    files, memory, held = Files(), Memory(), dict[str, EnvoyConfig]()
    for number, key in enumerate(KEYS):  # most objects are there from the start
        files.edit(number + len(KEYS) * (1 + number % 5))
        assert key
    for choices in steps:
        for choice in choices:
            files.edit(choice)
        remembered = build(files.objects, files.problems, SETTINGS, memory)
        anew = build(files.objects, files.problems, SETTINGS)
        assert outcome(remembered) == outcome(anew)
        assert [one.model for one in remembered.gateways] == [one.model for one in anew.gateways]
        for one, other in zip(remembered.gateways, anew.gateways, strict=True):
            key = one.proxy.key
            held[key] = one.config(one.announced_when_proven(), held.get(key))
            whole = other.config(other.announced_when_proven())
            assert {url: dict(named) for url, named in held[key].bodies.items()} == {
                url: dict(named) for url, named in whole.bodies.items()
            }
            assert set(held[key].problems) == set(whole.problems)
