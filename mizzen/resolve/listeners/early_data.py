"""Which servers take requests as TLS early data (0-RTT): those for which it is chosen, where nothing depends on who asks from where.

Early data comes before a client has shown that it is at the address that it writes (RFC 9001 section 4.1.1, RFC 9000
section 8.1), and before it shows a certificate. So it stays off where either is looked at, and the policy that chose it says so.
"""

from collections.abc import Iterator

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.lazy import dataclass
from mizzen.model.tls import ServerTls
from mizzen.resolve.context import Context, step
from mizzen.resolve.gateways.servers import MergedServer
from mizzen.resolve.http3_policies import Chosen, Rank, chosen, of_server
from mizzen.resolve.selecting import for_proxy
from mizzen.resources.istio.security import AuthorizationPolicy
from mizzen.resources.mizzen.http3_policy import HTTP3PolicySpec

CODES = {"H3-011": "0-RTT stays off: something there depends on the address or the certificate of a client."}

_OF_ADDRESSES = frozenset({"source.ip", "remote.ip"})


@dataclass(frozen=True, slots=True)
class _Judge:
    """A policy that looks at addresses, or may, and where it says so."""

    ref: ResourceRef
    why: str


def takes_early_data(ctx: Context, server: MergedServer, ends: ServerTls) -> bool:
    """Does the mirror of a server take early data? What is chosen and cannot be is reported."""
    wanted: Chosen[bool] | None = chosen(of_server(ctx, server.gateway, server.server), _early_data)
    if wanted is None or not wanted.value:
        return False
    if ends.judges_clients:
        message = f"0-RTT stays off at {server.ref} ({server.at}): it looks at the certificates of clients, which come later"
        # Who chooses it for all has meant those where it can be.
        severity = Severity.WARNING if wanted.rank >= Rank.GATEWAY else Severity.INFO
        _report(ctx, wanted, message, "Leave that server out, or name others in targetRefs.", severity)
        return False
    judge = _judge_of_addresses(ctx)
    if judge is not None:
        message = (
            f"0-RTT stays off: {judge.ref} {judge.why}, and early data comes before an address is proven"
        )
        _report(ctx, wanted, message, "Choose one of the two for these gateways.")
        return False
    return True


def _early_data(spec: HTTP3PolicySpec) -> bool | None:
    return spec.early_data


@step
def _judge_of_addresses(ctx: Context) -> _Judge | None:
    """The first policy for a gateway that may depend on an address."""
    return next(_judges(ctx), None)


def _judges(ctx: Context) -> Iterator[_Judge]:
    for policy in for_proxy(ctx, ctx.world.authorization_policies):
        if policy.spec.action == "CUSTOM":
            yield _Judge(policy.ref, "asks an authorizer, which is told the addresses of clients")
        elif _looks_at_addresses(policy):
            yield _Judge(policy.ref, "judges the addresses of clients")


def _looks_at_addresses(policy: AuthorizationPolicy) -> bool:
    sources = (one.source for rule in policy.spec.rules for one in rule.from_)
    return any(
        source.ip_blocks or source.not_ip_blocks or source.remote_ip_blocks or source.not_remote_ip_blocks
        for source in sources
    ) or any(condition.key in _OF_ADDRESSES for rule in policy.spec.rules for condition in rule.when)


def _report(
    ctx: Context, wanted: Chosen[bool], message: str, hint: str, severity: Severity = Severity.WARNING
) -> None:
    ctx.report(
        Problem(
            severity=severity,
            code="H3-011",
            resource=wanted.policy.ref,
            field="spec.earlyData",
            message=message,
            hint=hint,
        )
    )
