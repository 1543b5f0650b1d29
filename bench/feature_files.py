"""The YAML of each feature as a user writes it, beside a gateway that does nothing but pass requests on. Pure."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mizzen.demo.certificates import KeyPair
from tests.harness import gateway
from tests.harness.gateway import HOST
from tests.harness.issuer import ISSUER

NAMESPACE = "istio-system"
ORIGIN = "https://app.test"

Body = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where things are, and who is who."""

    upstream: int  # port of the backend: HTTP/1.1, and HTTP/2 without TLS
    tls_upstream: int  # port of the backend that demands a certificate of its clients
    collector: int  # port of who takes spans
    authorizer: int  # port of who lets everybody in
    access_log: str  # path of the file
    client: KeyPair  # the gateway's certificate as a client
    ca: str  # PEM: who signed the backend's certificate
    jwks: str  # keys of the issuer of tokens
    token: str  # a valid one


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Something that is switched on, alone."""

    name: str
    files: Callable[[Site], Mapping[str, str]] = lambda _: {}  # in addition to, or in the place of, `base`
    headers: Callable[[Site], Mapping[str, str]] = lambda _: {}  # that requests need for it
    counter: str = ""  # Envoy's counters (a regular expression) that show that it was at work


def document(group: str, kind: str, name: str, spec: Body) -> str:
    """An object; JSON is YAML."""
    metadata = {"name": name, "namespace": NAMESPACE}
    return json.dumps({"apiVersion": group, "kind": kind, "metadata": metadata, "spec": spec}, indent=1)


def base(pair: KeyPair, upstream: int) -> dict[str, str]:
    """A Gateway with one HTTPS server, and one rule that sends everything to the backend."""
    return {
        "secret": gateway.secret("shop-tls", pair),
        "gateway": gateway.gateway(),
        "backend": gateway.backend(upstream),
        "route": _route({}),
        "mesh": _operator({}),
    }


def _operator(mesh: Body, environment: Mapping[str, str] | None = None) -> str:
    """With HTTP/3: an operator has to ask for it, and its gateway's Service to open the port."""
    https = {"port": 443, "targetPort": 8443}
    ports = [{"name": "https", **https}, {"name": "http3", "protocol": "UDP", **https}]
    gateways = [{"name": "istio-ingressgateway", "enabled": True, "k8s": {"service": {"ports": ports}}}]
    spec = {
        "components": {"ingressGateways": gateways},
        "values": {"pilot": {"env": {"PILOT_ENABLE_QUIC_LISTENERS": "true", **(environment or {})}}},
        "meshConfig": mesh,
    }
    return document("install.istio.io/v1alpha1", "IstioOperator", "mesh", spec)


def _route(rule: Body) -> str:
    spec = {
        "hosts": [HOST],
        "gateways": ["shop"],
        "http": [{"route": [{"destination": {"host": "backend.test"}}], **rule}],
    }
    return document("networking.istio.io/v1", "VirtualService", "shop", spec)


def _rule(**rule: Any) -> Callable[[Site], Mapping[str, str]]:
    return lambda _: {"route": _route(rule)}


def _mesh(config: Callable[[Site], Body]) -> Callable[[Site], Mapping[str, str]]:
    return lambda site: {"mesh": _operator(config(site))}


def _tracing(percent: float) -> Callable[[Site], Mapping[str, str]]:
    def config(site: Site) -> Body:
        zipkin = {"address": f"127.0.0.1:{site.collector}"}
        return {"defaultConfig": {"tracing": {"sampling": percent, "zipkin": zipkin}}}

    return _mesh(config)


def _to_backend(policy: Body) -> str:
    spec = {"host": "backend.test", "trafficPolicy": policy}
    return document("networking.istio.io/v1", "DestinationRule", "backend", spec)


def _token(site: Site) -> Mapping[str, str]:
    spec = {"jwtRules": [{"issuer": ISSUER, "jwks": site.jwks}]}
    return {"tokens": document("security.istio.io/v1", "RequestAuthentication", "tokens", spec)}


def _rbac(_: Site) -> Mapping[str, str]:
    spec = {"action": "ALLOW", "rules": [{"to": [{"operation": {"methods": ["GET"], "paths": ["/*"]}}]}]}
    return {"policy": document("security.istio.io/v1", "AuthorizationPolicy", "policy", spec)}


def _authorizer(site: Site) -> Mapping[str, str]:
    login = {"name": "login", "envoyExtAuthzHttp": {"service": "login.test", "port": 80}}
    rules = [{"to": [{"operation": {"methods": ["GET"], "paths": ["/*"]}}]}]
    spec = {"action": "CUSTOM", "provider": {"name": "login"}, "rules": rules}
    return {
        "mesh": _operator({"extensionProviders": [login]}),
        "login": gateway.backend(site.authorizer).replace("backend", "login"),
        "policy": document("security.istio.io/v1", "AuthorizationPolicy", "policy", spec),
    }


def _mutual(site: Site) -> Mapping[str, str]:
    policy = {"tls": {"mode": "MUTUAL", "credentialName": "client", "sni": HOST, "subjectAltNames": [HOST]}}
    return {
        "backend": gateway.backend(site.tls_upstream),
        "client": gateway.secret("client", site.client, ca=site.ca),
        "tls": _to_backend(policy),
    }


_HEADERS = {
    "request": {"set": {"x-a": "1"}, "add": {"x-b": "2"}, "remove": ["x-c"]},
    "response": {"set": {"x-d": "3"}, "add": {"x-e": "4"}, "remove": ["x-f"]},
}
_OUTLIERS = {"consecutive5xxErrors": 5, "interval": "10s", "baseEjectionTime": "30s"}
_CODECS = {"MIZZEN_HEADER_LIMITS": "codec"}
_REPORTS = "tracing.zipkin.reports_sent$"

# In the order of the table.
FEATURES = (
    Feature(name="nothing"),
    Feature(
        name="cors",
        files=_rule(corsPolicy={"allowOrigins": [{"exact": ORIGIN}], "allowMethods": ["GET"]}),
        headers=lambda _: {"origin": ORIGIN},
        counter="cors.origin_valid$",
    ),
    Feature(name="fault", files=_rule(fault={"abort": {"httpStatus": 503, "percentage": {"value": 0}}})),
    Feature(
        name="jwt",
        files=_token,
        headers=lambda site: {"authorization": f"Bearer {site.token}"},
        counter="jwt_authn.allowed$",
    ),
    Feature(name="rbac", files=_rbac, counter="[.]rbac[.]allowed$"),
    Feature(name="authorizer", files=_authorizer, counter="ext_authz.ok$"),
    Feature(name="access-log", files=_mesh(lambda site: {"accessLogFile": site.access_log})),
    Feature(name="limits-off", files=lambda _: {"mesh": _operator({}, _CODECS)}),
    Feature(name="tracing-off", files=_mesh(lambda _: {"enableTracing": False})),
    Feature(name="both-off", files=lambda _: {"mesh": _operator({"enableTracing": False}, _CODECS)}),
    Feature(name="tracing-1", files=_tracing(1), counter=_REPORTS),
    Feature(name="tracing-100", files=_tracing(100), counter=_REPORTS),
    Feature(name="headers", files=_rule(headers=_HEADERS)),
    Feature(name="retries-off", files=_rule(retries={"attempts": 0})),
    Feature(name="retries-3", files=_rule(retries={"attempts": 3})),
    Feature(name="outliers", files=lambda _: {"outliers": _to_backend({"outlierDetection": _OUTLIERS})}),
    Feature(name="mtls", files=_mutual, counter="^cluster.outbound.*ssl.handshake$"),
    Feature(name="copies", files=_rule(mirror={"host": "backend.test"}, mirrorPercentage={"value": 100})),
    Feature(
        name="http2",
        files=lambda _: {"http2": _to_backend({"connectionPool": {"http": {"h2UpgradePolicy": "UPGRADE"}}})},
        counter="^cluster.outbound.*upstream_cx_http2_total$",
    ),
    Feature(name="nothing-again"),
)
