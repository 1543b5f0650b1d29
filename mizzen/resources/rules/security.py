"""What is refused in the kinds of security.istio.io."""

import dataclasses
import re
from collections.abc import Callable, Iterable

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.formats import checks, web_address
from mizzen.resources.istio.security import (
    AuthorizationPolicy,
    Condition,
    JwtRule,
    Operation,
    PeerAuthentication,
    RequestAuthentication,
    Rule,
    Source,
    WorkloadSelector,
)
from mizzen.resources.rules import shared_rules
from mizzen.resources.yaml.places import child

_ADDRESSES = frozenset({"source.ip", "remote.ip", "destination.ip"})
_HEADER, _CLAIM = "request.headers", "request.auth.claims"
_BRACKETS = re.compile(r"(?:\[[^\[\]]+\])+")
_HINT_TEMPLATE = "Write {*} for one segment, {**} for the rest: /tenants/{*}/orders, /files/{**}."

_HINT_TRUST_DOMAIN = "Write td.example, td-*, *.example, or * for any."


def validate_authorization_policy(policy: AuthorizationPolicy, found: Findings) -> None:
    spec = policy.spec
    _selector(spec.selector, f"{spec.at}.selector", found)
    if spec.action == "CUSTOM" and not (spec.provider and spec.provider.name):
        found.error("VAL-001", f"{spec.at}.provider", "the action CUSTOM needs the name of a provider")
    if spec.action != "CUSTOM" and spec.provider is not None:
        found.error("VAL-002", f"{spec.at}.provider", f"the action {spec.action} takes no provider")
    if spec.action == "DENY" and not spec.rules:
        found.warning("VAL-103", f"{spec.at}.rules", "a DENY without rules refuses nothing")
    for rule in spec.rules:
        _rule(rule, found)
        if spec.action == "DENY" and _is_of_http_alone(rule):
            found.info(
                "VAL-104",
                rule.at,
                "the rule looks at nothing but HTTP: connections whose bytes are passed on are all refused by it",
                "Name the ports that it is for in to.operation.ports, unless that is meant.",
            )
        if spec.action in ("DENY", "CUSTOM"):
            for to in rule.to:
                _ports_of_hosts(to.operation, found)


def _rule(rule: Rule, found: Findings) -> None:
    for one in rule.from_:
        _source(one.source, found)
    for to in rule.to:
        _operation(to.operation, found)
    for condition in rule.when:
        _condition(condition, found)


def _is_of_http_alone(rule: Rule) -> bool:
    """As Istio judges: by `to`, else by `from`; conditions do not count."""
    if rule.to:
        return not any(to.operation.ports or to.operation.not_ports for to in rule.to)
    sources = [one.source for one in rule.from_]
    of_http = ("request_principals", "not_request_principals", "at")
    others = [field.name for field in dataclasses.fields(Source) if field.name not in of_http]
    return bool(sources) and not any(getattr(source, name) for source in sources for name in others)


def _ports_of_hosts(operation: Operation, found: Findings) -> None:
    """A client writes what it likes behind a host, and its route is the same."""
    for index, host in enumerate(operation.hosts):
        name, _, port = host.rpartition(":")
        if name and port.isdecimal() and name not in operation.hosts:
            found.warning(
                "VAL-104",
                f"{operation.at}.hosts[{index}]",
                f'"{host}" leaves out who asks for {name} with another port, or without',
                f'Write "{name}", which holds for every port; the port that is connected to goes into `ports`.',
            )


def _source(source: Source, found: Findings) -> None:
    for key, names in (
        ("namespaces", source.namespaces),
        ("notNamespaces", source.not_namespaces),
        ("serviceAccounts", source.service_accounts),
        ("notServiceAccounts", source.not_service_accounts),
    ):
        _each(checks.mesh_name, "VAL-007", names, f"{source.at}.{key}", found)
    for key, texts in (
        ("principals", source.principals),
        ("notPrincipals", source.not_principals),
        ("requestPrincipals", source.request_principals),
        ("notRequestPrincipals", source.not_request_principals),
    ):
        _texts(texts, f"{source.at}.{key}", found)
    for key, domains in (
        ("trustDomains", source.trust_domains),
        ("notTrustDomains", source.not_trust_domains),
    ):
        _each(
            checks.trust_domain_pattern, "VAL-007", domains, f"{source.at}.{key}", found, _HINT_TRUST_DOMAIN
        )
    for key, blocks in (
        ("ipBlocks", source.ip_blocks),
        ("notIpBlocks", source.not_ip_blocks),
        ("remoteIpBlocks", source.remote_ip_blocks),
        ("notRemoteIpBlocks", source.not_remote_ip_blocks),
    ):
        _addresses(blocks, f"{source.at}.{key}", found)


def _operation(operation: Operation, found: Findings) -> None:
    at = operation.at
    for key, texts in (
        ("hosts", operation.hosts),
        ("notHosts", operation.not_hosts),
        ("methods", operation.methods),
        ("notMethods", operation.not_methods),
        ("paths", operation.paths),
        ("notPaths", operation.not_paths),
    ):
        _texts(texts, f"{at}.{key}", found)
    for key, paths in (("paths", operation.paths), ("notPaths", operation.not_paths)):
        _each(checks.path_template, "VAL-005", paths, f"{at}.{key}", found, _HINT_TEMPLATE)
    _ports(operation.ports, f"{at}.ports", found)
    _ports(operation.not_ports, f"{at}.notPorts", found)


def _condition(condition: Condition, found: Findings) -> None:
    key = condition.key
    if not condition.values and not condition.not_values:
        found.error("VAL-001", condition.at, "a condition needs values or notValues")
    if key.startswith(_HEADER):
        name = key.removeprefix(_HEADER)
        inside = name[1:-1] if name.startswith("[") and name.endswith("]") else ""
        if wrong := checks.matched_header(inside):
            found.error("VAL-006", f"{condition.at}.key", wrong, "Write request.headers[x-user].")
    if key.startswith(_CLAIM):
        path = key.removeprefix(_CLAIM)
        if not _BRACKETS.fullmatch(path) or checks.policy_text(path):
            found.error(
                "VAL-011",
                f"{condition.at}.key",
                f"{key!a} names no claim",
                "Write request.auth.claims[groups], or request.auth.claims[a][b] for one inside another.",
            )
    for values, at in (
        (condition.values, f"{condition.at}.values"),
        (condition.not_values, f"{condition.at}.notValues"),
    ):
        if key in _ADDRESSES:
            _addresses(values, at, found)
        elif key == "destination.port":
            _ports(values, at, found)
        elif key in ("source.namespace", "source.serviceAccount"):
            _each(checks.mesh_name, "VAL-007", values, at, found)
        elif key == "source.trustDomain":
            _each(checks.trust_domain_pattern, "VAL-007", values, at, found, _HINT_TRUST_DOMAIN)
        else:
            _texts(values, at, found)


def _each(
    check: Callable[[str], str], code: str, values: Iterable[str], at: str, found: Findings, hint: str = ""
) -> None:
    for index, value in enumerate(values):
        if wrong := check(value):
            found.error(code, f"{at}[{index}]", wrong, hint)


def _texts(values: Iterable[str], at: str, found: Findings) -> None:
    _each(checks.policy_text, "VAL-005", values, at, found)


def _selector(selector: WorkloadSelector | None, at: str, found: Findings) -> None:
    if selector is not None:
        shared_rules.selector(selector.match_labels, f"{at}.matchLabels", found)


def _addresses(values: Iterable[str], at: str, found: Findings) -> None:
    _each(checks.subnet, "VAL-013", values, at, found)


def _ports(values: Iterable[str], at: str, found: Findings) -> None:
    _each(_port, "VAL-003", values, at, found)


def _port(value: str) -> str:
    good = value.isascii() and value.isdecimal() and len(value) <= 5 and not checks.port(int(value))
    return "" if good else f"{value[:20]!a} is not a port: ports are 1 to 65535"


def validate_peer_authentication(policy: PeerAuthentication, found: Findings) -> None:
    spec = policy.spec
    _selector(spec.selector, f"{spec.at}.selector", found)
    selects = spec.selector is not None and bool(spec.selector.match_labels)
    if spec.port_level_mtls and not selects:
        found.error(
            "VAL-002",
            f"{spec.at}.portLevelMtls",
            "ports belong to workloads: portLevelMtls needs a selector",
            "Select the workloads by matchLabels.",
        )
    for port in spec.port_level_mtls:
        if wrong := _port(port):
            found.error("VAL-003", child(f"{spec.at}.portLevelMtls", port), wrong)


def validate_request_authentication(policy: RequestAuthentication, found: Findings) -> None:
    _selector(policy.spec.selector, f"{policy.spec.at}.selector", found)
    for rule in policy.spec.jwt_rules:
        _jwt_rule(rule, found)


def _jwt_rule(rule: JwtRule, found: Findings) -> None:
    if not rule.issuer and not rule.jwks_uri:
        found.error("VAL-001", f"{rule.at}.issuer", "a rule needs an issuer, or a jwksUri")
    if rule.jwks and rule.jwks_uri:
        found.warning("VAL-103", f"{rule.at}.jwksUri", "jwksUri has no effect beside jwks")
    elif rule.jwks_uri and (wrong := web_address.fault(rule.jwks_uri)):
        found.error("VAL-011", f"{rule.at}.jwksUri", wrong)
    if rule.timeout is not None and (wrong := checks.duration(rule.timeout)):
        found.error("VAL-009", f"{rule.at}.timeout", wrong)
    for index, audience in enumerate(rule.audiences):
        if not audience:
            found.error("VAL-001", f"{rule.at}.audiences[{index}]", "an audience must have a name")
    for header in rule.from_headers:
        if wrong := checks.token(header.name):
            found.error("VAL-006", f"{header.at}.name", wrong)
        if header.prefix and (wrong := checks.policy_text(header.prefix)):
            found.error("VAL-006", f"{header.at}.prefix", wrong)
    _texts(rule.from_params, f"{rule.at}.fromParams", found)
    _texts(rule.space_delimited_claims, f"{rule.at}.spaceDelimitedClaims", found)
    _each(checks.token, "VAL-006", rule.from_cookies, f"{rule.at}.fromCookies", found)
    if rule.output_payload_to_header and (wrong := checks.token(rule.output_payload_to_header)):
        found.error("VAL-006", f"{rule.at}.outputPayloadToHeader", wrong)
    for claim in rule.output_claim_to_headers:
        if wrong := checks.token(claim.header):
            found.error("VAL-006", f"{claim.at}.header", wrong)
        if wrong := checks.policy_text(claim.claim):
            found.error("VAL-001", f"{claim.at}.claim", wrong)
