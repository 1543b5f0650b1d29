"""What of the AuthorizationPolicies of a proxy is not done as it is written."""

from collections.abc import Iterator
from functools import partial

from mizzen.errors import Problem, Severity
from mizzen.guard import Stage, attempt
from mizzen.resolve.access.authorization import asked_by, is_of_token, refused_connections, side
from mizzen.resolve.access.authorizers import authorizer_of
from mizzen.resolve.context import Context, step
from mizzen.resolve.selecting import for_proxy
from mizzen.resources.istio.security import DRY_RUN, AuthorizationPolicy

CODES = {
    "AZ-001": "An external authorizer (CUSTOM) is not asked; what its rules describe is refused.",
    "AZ-002": "An AuthorizationPolicy has no effect here.",
    "AZ-003": "A condition cannot be judged; a rule that allows by it allows nothing.",
    "AZ-004": "An external authorizer may not be able to answer; then requests are refused, or let through with failOpen.",
    "AZ-005": "What a token says is not known when an external authorizer is asked; it is asked without that condition.",
    "AZ-006": "An external authorizer over HTTP cannot be asked about connections whose bytes are passed on; those are refused.",
}


@step
def check_authorization(ctx: Context) -> None:
    """Report what of the policies of a proxy is not done as it is written."""
    for policy in for_proxy(ctx, ctx.world.authorization_policies):
        attempt(Stage.RESOLVE, policy.ref, partial(_check, ctx, policy), ctx.report, None)


@step
def check_connections(ctx: Context) -> None:
    """Report which connections are refused because their authorizer cannot be asked about them. To be called where there
    are chains that pass bytes on."""
    for policy in for_proxy(ctx, ctx.world.authorization_policies):
        if policy.spec.action == "CUSTOM" and policy.meta.annotations.get(DRY_RUN) != "true":
            attempt(Stage.RESOLVE, policy.ref, partial(_check_connections, ctx, policy), ctx.report, None)


def _check_connections(ctx: Context, policy: AuthorizationPolicy) -> None:
    refused, asked = refused_connections(ctx, policy), asked_by(ctx, policy)
    if refused and asked is not None:
        message = (
            f"the authorizer {asked.name!r} is asked over HTTP, which connections whose bytes are passed on do not "
            f"speak: {ctx.proxy.called} refuses those that the rule describes"
        )
        hint = "Write `hosts` or `paths` where the rule is for requests alone, or use an authorizer of gRPC."
        _report(ctx, policy, "AZ-006", refused[0].at, message, Severity.WARNING, hint)


def _check(ctx: Context, policy: AuthorizationPolicy) -> None:
    if policy.spec.action == "CUSTOM":
        _check_authorizer(ctx, policy)
    elif policy.spec.action == "AUDIT":
        message = "nothing is audited: the policy has no effect"
        _report(ctx, policy, "AZ-002", "spec.action", message, Severity.WARNING)
    for rule in policy.spec.rules:
        for condition in rule.when:
            if side(condition.key) is None:
                message = f"{condition.key!r} is no attribute that can be judged"
                _report(ctx, policy, "AZ-003", f"{condition.at}.key", message, Severity.ERROR)


def _check_authorizer(ctx: Context, policy: AuthorizationPolicy) -> None:
    name = policy.spec.provider.name if policy.spec.provider else ""
    found = authorizer_of(ctx, name)
    if found.fault:
        message = f"{found.fault}: what the rules describe is refused"
        _report(ctx, policy, "AZ-001", "spec.provider", message, Severity.ERROR, found.hint)
    elif found.doubt:
        hint = 'Name the port "grpc", or set its appProtocol to it.'
        _report(ctx, policy, "AZ-004", "spec.provider", found.doubt, Severity.WARNING, hint)
    for at in _of_tokens(policy) if not found.fault else ():
        message = f"tokens are read after {name!r} has been asked: it is asked whatever they say"
        hint = "Judge tokens by another policy, with the action DENY or ALLOW."
        _report(ctx, policy, "AZ-005", at, message, Severity.WARNING, hint)


def _of_tokens(policy: AuthorizationPolicy) -> Iterator[str]:
    """The fields of a policy that go by tokens."""
    for rule in policy.spec.rules:
        for one in rule.from_:
            if one.source.request_principals:
                yield f"{one.source.at}.requestPrincipals"
            if one.source.not_request_principals:
                yield f"{one.source.at}.notRequestPrincipals"
        yield from (f"{condition.at}.key" for condition in rule.when if is_of_token(condition.key))


def _report(
    ctx: Context,
    policy: AuthorizationPolicy,
    code: str,
    field: str,
    message: str,
    severity: Severity,
    hint: str = "",
) -> None:
    ctx.report(
        Problem(severity=severity, code=code, resource=policy.ref, field=field, message=message, hint=hint)
    )
