"""Requests to services whose endpoints are the names that requests ask for (ServiceEntry, DYNAMIC_DNS).

Envoy connects to whatever the request's authority says, address and port. So only what the service's host covers, at the
service's own port, reaches it: nobody may ask a gateway for a machine of its own network.
"""

import re
from collections.abc import Iterable

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.model.route import HeaderMatch, Regex
from mizzen.resolve.services.destinations import Indexes, Target

CODES = {
    "BE-009": "A service with resolution DYNAMIC_DNS is not reached by all requests that lead to it.",
}

OUTSIDE = "the name that is asked for is not below the host of a DYNAMIC_DNS service"
_HTTP, _HTTPS = 80, 443  # where Envoy connects to when the authority names no port


def names_allowed(indexes: Indexes, targets: Iterable[Target]) -> tuple[HeaderMatch, ...]:
    """What the authority of a request must be like, for each of the targets that is found by it."""
    patterns = dict.fromkeys(_pattern(indexes, one) for one in targets if one.is_dynamic)
    return tuple(HeaderMatch(name=":authority", how=Regex(pattern)) for pattern in patterns)


def are_allowed(indexes: Indexes, targets: Iterable[Target], authority: str) -> bool:
    """The same of an authority that is known."""
    return all(re.fullmatch(_pattern(indexes, one), authority) for one in targets if one.is_dynamic)


def odd_port(indexes: Indexes, target: Target, ref: ResourceRef, at: str) -> Problem | None:
    """Where requests have to name the port."""
    if not target.is_dynamic or target.port == _usual(indexes, target):
        return None
    return Problem(
        severity=Severity.WARNING,
        code="BE-009",
        resource=ref,
        field=at,
        message=f"{target.host} has its endpoints by the names that are asked for, and its port {target.port} is not the "
        f"usual one: only requests whose Host names it (a.b:{target.port}) get there, others 503",
        hint="Use port 80, or 443 with tls in a DestinationRule.",
    )


def _usual(indexes: Indexes, target: Target) -> int:
    namespace = target.service.namespace if target.service else ""
    rule = indexes.policies.rule(target.host, namespace)
    tls = indexes.policies.policy(rule, target.port, target.subset).tls
    return _HTTPS if tls is not None and tls.mode != "DISABLE" else _HTTP


def _pattern(indexes: Indexes, target: Target) -> str:
    may_be_unsaid = "?" if target.port == _usual(indexes, target) else ""
    suffix = re.escape(target.host.removeprefix("*"))
    return f"(?i)[a-z0-9_.-]+{suffix}(:{target.port}){may_be_unsaid}"
