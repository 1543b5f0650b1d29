"""HTTP/3 towards a backend, where its DestinationRule asks for it by an annotation: Istio has no field for it.

`mizzen.dev/http3: "true"` tries it first and falls back to TCP (HTTP/2 or 1.1, as the backend chooses); "only" speaks
nothing else. Where it cannot be spoken, TCP is, and that is told.
"""

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.lazy import dataclass
from mizzen.model.backend import Backend, Discovery, Http3, Protocol
from mizzen.resolve.context import Context
from mizzen.resolve.services.policies import MergedRule
from mizzen.resources.rules.destination_rule import HTTP3
from mizzen.resources.yaml.places import child

CODES = {
    "BE-007": "HTTP/3 towards a backend is asked for and cannot be spoken; requests go over TCP.",
    "BE-008": "HTTP/3 towards a backend is tried for requests of one authority alone.",
}

_WORDS = {"true": Http3.PREFERRED, "only": Http3.ONLY}
_BYTES = frozenset({"TCP", "TLS", "MONGO", "REDIS", "MYSQL"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What is known of a port beside its backend."""

    host: str  # of the service
    port_protocol: str
    bytes_too: bool  # connections are passed on to it as well, into which nobody looks


def with_http3(ctx: Context, backend: Backend, rule: MergedRule | None, carried: Carried) -> Backend:
    """The same, spoken to over QUIC where that is asked for and possible."""
    wanted = _WORDS.get(rule.http3) if rule is not None else None
    if rule is None or wanted is None or carried.port_protocol in _BYTES:
        return backend
    at = child("metadata.annotations", HTTP3)
    if obstacle := _obstacle(backend, rule, carried):
        _report(ctx, rule.policy_ref, at, "BE-007", *obstacle)
        return backend
    if backend.tls is None or backend.tls.unusable:
        return backend
    name = backend.tls.sni or carried.host
    if wanted is Http3.PREFERRED and not backend.tls.sni:
        message = f"HTTP/3 is tried for requests with the authority {name} alone: no sni is written"
        hint = "Write the name that the backend's certificate is for in tls.sni."
        _report(ctx, rule.policy_ref, at, "BE-008", message, hint, Severity.INFO)
    # Envoy looks a backend up by the name it asks for and the port it dials.
    ports = sorted({one.port for group in backend.groups for one in group.endpoints})
    return backend.over_http3(wanted, tuple((name, port) for port in ports))


def _obstacle(backend: Backend, rule: MergedRule, carried: Carried) -> tuple[str, str] | None:
    """(why not, what to do); None where it can be, and where nobody asked for TLS at this port but did at others."""
    tls = backend.tls
    if tls is None:
        if _asks_for_tls(rule):
            return None
        return (
            "HTTP/3 needs TLS, and the rule asks for none: requests go over TCP",
            "Write tls: {mode: SIMPLE}.",
        )
    if tls.certificate is not None:
        why = "Envoy shows no client certificate over HTTP/3: requests go over TCP"
        return why, "Use mode SIMPLE, or remove the annotation."
    if backend.proxy_protocol:
        return (
            "there is no PROXY line over HTTP/3: requests go over TCP",
            "Remove proxyProtocol, or the annotation.",
        )
    if backend.protocol is Protocol.AS_CLIENT:
        return "useClientProtocol decides what is spoken, not the annotation", "Remove one of the two."
    if carried.bytes_too:
        why = "TLS and TCP routes lead here too, whose bytes need TCP: requests go over TCP"
        return why, "Give these routes a port of their own."
    known = backend.discovery in (Discovery.ENDPOINTS, Discovery.DNS, Discovery.DNS_ONE, Discovery.FIXED)
    if not known or any(not one.port for group in backend.groups for one in group.endpoints):
        return (
            "there is no HTTP/3 to Unix sockets and to addresses that nobody tells",
            "Remove the annotation.",
        )
    return None


def _asks_for_tls(rule: MergedRule) -> bool:
    policies = [rule.traffic_policy, *(subset.traffic_policy for subset in rule.subsets)]
    return any(
        policy.tls is not None or any(port.tls is not None for port in policy.port_level_settings)
        for policy in policies
        if policy is not None
    )


def _report(
    ctx: Context,
    ref: ResourceRef,
    at: str,
    code: str,
    message: str,
    hint: str,
    severity: Severity = Severity.ERROR,
) -> None:
    ctx.report(Problem(severity=severity, code=code, resource=ref, field=at, message=message, hint=hint))
