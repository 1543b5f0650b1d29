"""What is refused in the kinds of security.istio.io."""

from collections.abc import Iterable

from mizzen.resources import checks
from mizzen.resources.findings import Findings
from mizzen.resources.places import child
from mizzen.resources.security import (
    AuthorizationPolicy,
    Condition,
    PeerAuthentication,
    RequestAuthentication,
    Rule,
    Source,
)

_ADDRESSES = frozenset({"source.ip", "remote.ip", "destination.ip"})


def validate_authorization_policy(policy: AuthorizationPolicy, found: Findings) -> None:
    spec = policy.spec
    if spec.action == "CUSTOM" and not (spec.provider and spec.provider.name):
        found.error("VAL-001", f"{spec.at}.provider", "the action CUSTOM needs the name of a provider")
    if spec.action != "CUSTOM" and spec.provider is not None:
        found.error("VAL-002", f"{spec.at}.provider", f"the action {spec.action} takes no provider")
    if spec.action == "DENY" and not spec.rules:
        found.warning("VAL-103", f"{spec.at}.rules", "a DENY without rules refuses nothing")
    for rule in spec.rules:
        _rule(rule, found)


def _rule(rule: Rule, found: Findings) -> None:
    for one in rule.from_:
        _source(one.source, found)
    for to in rule.to:
        operation = to.operation
        _ports(operation.ports, f"{operation.at}.ports", found)
        _ports(operation.not_ports, f"{operation.at}.notPorts", found)
    for condition in rule.when:
        _condition(condition, found)


def _source(source: Source, found: Findings) -> None:
    for name, values in (
        ("ipBlocks", source.ip_blocks),
        ("notIpBlocks", source.not_ip_blocks),
        ("remoteIpBlocks", source.remote_ip_blocks),
        ("notRemoteIpBlocks", source.not_remote_ip_blocks),
    ):
        _addresses(values, f"{source.at}.{name}", found)


def _condition(condition: Condition, found: Findings) -> None:
    if not condition.values and not condition.not_values:
        found.error("VAL-001", condition.at, "a condition needs values or notValues")
    if condition.key in _ADDRESSES:
        _addresses(condition.values, f"{condition.at}.values", found)
        _addresses(condition.not_values, f"{condition.at}.notValues", found)
    if condition.key == "destination.port":
        _ports(condition.values, f"{condition.at}.values", found)
        _ports(condition.not_values, f"{condition.at}.notValues", found)


def _addresses(values: Iterable[str], at: str, found: Findings) -> None:
    for index, value in enumerate(values):
        if wrong := checks.subnet(value):
            found.error("VAL-013", f"{at}[{index}]", wrong)


def _ports(values: Iterable[str], at: str, found: Findings) -> None:
    for index, value in enumerate(values):
        if checks.port_text(value):
            found.error("VAL-003", f"{at}[{index}]", f'"{value[:40]}" is not a port: ports are 1 to 65535')


def validate_peer_authentication(policy: PeerAuthentication, found: Findings) -> None:
    spec = policy.spec
    selects = spec.selector is not None and bool(spec.selector.match_labels)
    if spec.port_level_mtls and not selects:
        found.error(
            "VAL-002",
            f"{spec.at}.portLevelMtls",
            "ports belong to workloads: portLevelMtls needs a selector",
            "Select the workloads by matchLabels.",
        )
    for port in spec.port_level_mtls:
        if checks.port_text(port):
            found.error("VAL-003", child(f"{spec.at}.portLevelMtls", port), f'"{port[:40]}" is not a port')


def validate_request_authentication(policy: RequestAuthentication, found: Findings) -> None:
    for rule in policy.spec.jwt_rules:
        if not rule.issuer:
            found.error("VAL-001", f"{rule.at}.issuer", "an issuer must have a name")
        if rule.jwks and rule.jwks_uri:
            found.warning("VAL-103", f"{rule.at}.jwksUri", "jwksUri has no effect beside jwks")
        for index, audience in enumerate(rule.audiences):
            if not audience:
                found.error("VAL-001", f"{rule.at}.audiences[{index}]", "an audience must have a name")
        for header in rule.from_headers:
            if wrong := checks.token(header.name):
                found.error("VAL-006", f"{header.at}.name", wrong)
        for claim in rule.output_claim_to_headers:
            if wrong := checks.token(claim.header):
                found.error("VAL-006", f"{claim.at}.header", wrong)
