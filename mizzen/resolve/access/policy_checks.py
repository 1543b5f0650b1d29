"""What of the AuthorizationPolicies of a proxy is not done as it is written."""

from functools import partial

from mizzen.errors import Problem, Severity
from mizzen.guard import Stage, attempt
from mizzen.resolve.access.authorization import side
from mizzen.resolve.context import Context, step
from mizzen.resolve.selecting import for_proxy
from mizzen.resources.istio.security import AuthorizationPolicy

CODES = {
    "AZ-001": "An external authorizer (CUSTOM) is not asked; what its rules describe is refused.",
    "AZ-002": "An AuthorizationPolicy has no effect here.",
    "AZ-003": "A condition cannot be judged; a rule that allows by it allows nothing.",
}


@step
def check_authorization(ctx: Context) -> None:
    """Report what of the policies of a proxy is not done as it is written."""
    for policy in for_proxy(ctx, ctx.world.authorization_policies):
        attempt(Stage.RESOLVE, policy.ref, partial(_check, ctx, policy), ctx.report, None)


def _check(ctx: Context, policy: AuthorizationPolicy) -> None:
    if policy.spec.action == "CUSTOM":
        name = policy.spec.provider.name if policy.spec.provider else ""
        message = f"the authorizer {name!r} is not asked: what the rules describe is refused"
        _report(ctx, policy, "AZ-001", "spec.provider", message, Severity.ERROR)
    elif policy.spec.action == "AUDIT":
        message = "nothing is audited: the policy has no effect"
        _report(ctx, policy, "AZ-002", "spec.action", message, Severity.WARNING)
    for rule in policy.spec.rules:
        for condition in rule.when:
            if side(condition.key) is None:
                message = f"{condition.key!r} is no attribute that can be judged"
                _report(ctx, policy, "AZ-003", f"{condition.at}.key", message, Severity.ERROR)


def _report(
    ctx: Context, policy: AuthorizationPolicy, code: str, field: str, message: str, severity: Severity
) -> None:
    ctx.report(
        Problem(severity=severity, code=code, resource=policy.ref, field=field, message=message, hint="")
    )
