"""What is refused in an HTTP3Policy."""

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.formats import checks
from mizzen.resources.mizzen.http3_policy import GatewayReference, HTTP3Policy, HTTP3PolicySpec
from mizzen.resources.rules import shared_rules
from mizzen.resources.rules.announcement_settings import validate_announcement
from mizzen.resources.rules.connection_ids import validate_connection_ids
from mizzen.resources.rules.dns_settings import validate_dns
from mizzen.resources.rules.shedding import validate_shedding
from mizzen.resources.rules.transport_settings import validate_transport

_GATEWAY = ("networking.istio.io", "Gateway")


def validate_http3_policy(policy: HTTP3Policy, found: Findings) -> None:
    spec = policy.spec
    _validate_subject(spec, found)
    if spec.mode == "only":
        _validate_only(spec, found)
    if spec.early_data is not None:
        _of_servers("earlyData", "early data comes before it is known for which host", policy, found)
    if spec.announcement is not None:
        validate_announcement(spec.announcement, found)
        _of_servers("announcement", "all hosts of a server are announced together", policy, found)
    if spec.dns is not None:
        validate_dns(spec.dns, found)
        _of_servers("dns", "records are kept for all hosts of a server", policy, found)
    if spec.transport is not None:
        validate_transport(spec.transport, found)
        _of_gateways("transport", "all servers of a port share its listener", policy, found)
    if spec.connection_ids is not None:
        validate_connection_ids(spec.connection_ids, found)
        _of_gateways("connectionIds", "all servers of a port share its listener", policy, found)
    if spec.shedding is not None:
        validate_shedding(spec.shedding, found)
        _of_gateways("shedding", "all servers share the CPU of their Envoy", policy, found)


def _validate_subject(spec: HTTP3PolicySpec, found: Findings) -> None:
    """What a policy is for."""
    if spec.selector is not None:
        shared_rules.selector(spec.selector.match_labels, f"{spec.selector.at}.matchLabels", found)
        if spec.target_refs:
            message = "selector and targetRefs exclude each other"
            found.error("VAL-002", f"{spec.at}.targetRefs", message, "Write two policies.")
    for ref in spec.target_refs:
        _validate_reference(ref, found)
    if spec.hosts and not spec.target_refs:
        message = "hosts are those of servers, and no targetRefs name any"
        found.error("VAL-002", f"{spec.at}.hosts", message, "Name the Gateway in targetRefs.")
    for number, host in enumerate(spec.hosts):
        if wrong := checks.wildcard_domain(host):
            found.error("VAL-004", f"{spec.at}.hosts[{number}]", wrong)


def _validate_only(spec: HTTP3PolicySpec, found: Findings) -> None:
    if not spec.target_refs:
        message = "without TCP are single servers, and no targetRefs name any"
        hint = "Name the Gateway in targetRefs: who does not know of HTTP/3 cannot come."
        found.error("VAL-002", f"{spec.at}.mode", message, hint)
    elif spec.hosts:
        message = "a host shares its server's port with others: it cannot be without TCP alone"
        found.error("VAL-002", f"{spec.at}.mode", message, "Leave hosts out, or give the host a server.")


def _of_servers(name: str, why: str, policy: HTTP3Policy, found: Findings) -> None:
    """A field that is for servers as a whole."""
    if policy.spec.hosts:
        found.error("VAL-002", f"{policy.spec.at}.{name}", why, "Write a policy without hosts for it.")


def _of_gateways(name: str, why: str, policy: HTTP3Policy, found: Findings) -> None:
    """A field that is for gateways as a whole."""
    if policy.spec.target_refs:
        hint = "Write a policy with a selector, or without, for it."
        found.error("VAL-002", f"{policy.spec.at}.{name}", f"{why}: it is not for single Gateways", hint)


def _validate_reference(ref: GatewayReference, found: Findings) -> None:
    if (ref.group, ref.kind) != _GATEWAY:
        message = f"{ref.kind} of {ref.group or 'the core group'} has no HTTP/3 here"
        found.error("VAL-011", f"{ref.at}.kind", message, "Name a Gateway of networking.istio.io.")
    if not ref.name:
        found.error("VAL-001", f"{ref.at}.name", "the Gateway has no name")
