"""The site that is attacked: hosts with stricter and laxer servers on one port, policies, tokens.

| host | server | rules |
| --- | --- | --- |
| www.site.test | SIMPLE | DENY /admin and below, DENY a request with x-role: evil |
| secret.site.test | SIMPLE, the server of www.site.test | DENY everything by its name |
| api.site.test | SIMPLE, the server of www.site.test | a valid token of the issuer is demanded |
| vault.site.test | MUTUAL | |
| passed.wild.test | PASSTHROUGH | |
| *.wild.test | SIMPLE | |
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recorder import Recorder, recording

from mizzen.probe.client import Answer
from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import Authority
from tests.harness.issuer import ISSUER, Issuer

PORT, PLAIN_PORT = 8443, 8080
WWW, SECRET, API, VAULT = "www.site.test", "secret.site.test", "api.site.test", "vault.site.test"
WILD, PASSED = "any.wild.test", "passed.wild.test"
HOSTS = (WWW, SECRET, API, VAULT, WILD)
PROTOCOLS = ("h1", "h2", "h3")


@dataclass(frozen=True, slots=True)
class Site:
    """The running site."""

    authority: Authority
    issuer: Issuer
    backend: Recorder

    def ask(self, protocol: str, host: str, path: str = "/", *, sni: str = "", **rest: Any) -> Answer:
        """One request by libcurl; with `sni` the connection is that host's, and the request names `host`."""
        headers = dict(rest.pop("headers", {}))
        if sni:
            headers["Host"] = host
        url = f"https://{sni or host}:{PORT}{path}"
        return curl(protocol, url, ca_pem=self.authority.pem, headers=headers, **rest)


def _objects(authority: Authority, issuer: Issuer, port: int) -> str:
    def server(number: int, name: str, hosts: list[str], tls: str) -> str:
        return f"  - {{port: {{number: {number}, name: {name}, protocol: {'TLS' if 'PASS' in tls else 'HTTPS'}}}, hosts: {json.dumps(hosts)}, tls: {tls}}}\n"

    servers = (
        server(443, "https-www", [WWW, SECRET, API], "{mode: SIMPLE, credentialName: www-tls}")
        + server(443, "https-vault", [VAULT], "{mode: MUTUAL, credentialName: vault-tls}")
        + server(443, "https-wild", ["*.wild.test"], "{mode: SIMPLE, credentialName: wild-tls}")
        + server(443, "tls-passed", [PASSED], "{mode: PASSTHROUGH}")
        + f"  - {{port: {{number: 80, name: http, protocol: HTTP}}, hosts: {json.dumps([WWW, SECRET])}}}\n"
    )
    head = "apiVersion: networking.istio.io/v1\n"
    parts = [
        gateway.secret("www-tls", authority.server("*.site.test")),
        gateway.secret("vault-tls", authority.server(VAULT), ca=authority.pem),
        gateway.secret("wild-tls", authority.server("*.wild.test")),
        gateway.backend(port),
        f"{head}kind: Gateway\nmetadata: {{name: site, namespace: istio-system}}\n"
        f"spec:\n  selector: {{istio: ingressgateway}}\n  servers:\n{servers}",
        f"{head}kind: VirtualService\nmetadata: {{name: site, namespace: istio-system}}\n"
        f"spec:\n  hosts: {json.dumps([WWW, SECRET, API, VAULT, '*.wild.test'])}\n  gateways: [site]\n"
        "  http: [{route: [{destination: {host: backend.test}}]}]\n",
    ]
    policies = {
        "admin": 'action: DENY, rules: [{to: [{operation: {hosts: [www.site.test], paths: ["/admin", "/admin/*"]}}]}]',
        "secret": "action: DENY, rules: [{to: [{operation: {hosts: [secret.site.test]}}]}]",
        "role": 'action: DENY, rules: [{when: [{key: "request.headers[x-role]", values: [evil]}]}]',
        "token": 'action: DENY, rules: [{from: [{source: {notRequestPrincipals: ["*"]}}], to: [{operation: {hosts: [api.site.test]}}]}]',
    }
    security = "apiVersion: security.istio.io/v1\n"
    for name, rule in policies.items():
        parts.append(
            f"{security}kind: AuthorizationPolicy\nmetadata: {{name: {name}, namespace: istio-system}}\n"
            f"spec: {{{rule}}}\n"
        )
    parts.append(
        f"{security}kind: RequestAuthentication\nmetadata: {{name: token, namespace: istio-system}}\n"
        f"spec:\n  jwtRules:\n  - issuer: {ISSUER}\n    jwks: '{issuer.jwks}'\n"
        "    audiences: [site]\n    outputPayloadToHeader: x-payload\n    outputClaimToHeaders: [{header: x-subject, claim: sub}]\n"
    )
    return "---\n".join(parts)


@contextmanager
def attacked(folder: Path) -> Iterator[Site]:
    """The site, while the block runs."""
    authority, issuer = Authority(), Issuer()
    with recording() as backend:
        (folder / "site.yaml").write_text(_objects(authority, issuer, backend.port))
        with gateway.up(folder, "--external-port", "service"):
            yield Site(authority, issuer, backend)
