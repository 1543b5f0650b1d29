"""RequestAuthentication -> TokenRules: which tokens requests may bring to a gateway or a workload."""

import json
from functools import partial

from mizzen.errors import Problem
from mizzen.guard import Stage, attempt
from mizzen.model.token import TokenRule
from mizzen.resolve.context import Context
from mizzen.resolve.selecting import for_proxy
from mizzen.resources.security import JwtRule, RequestAuthentication

CODES = {
    "JWT-001": "The keys of a token's issuer cannot be had; its tokens are refused.",
}

# A key that nobody has the other half of: whatever claims to be of this issuer is refused (Istio's way).
_NOBODYS_KEY = (
    '{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"nobody","e":"AQAB","n":"6Xr-wkg3did7EfxD13hnpVQQ'
    "FhIP5vsC6KPFA31Prqo3tzGCLbkE2V1Kms_BMqfOqNptFGMUyCXy9FrpIn5j0PZ5szYNuKul2nPgy1T_hNQp03DgKPn9Iuhm1CV2Tcv"
    "Pugfwk"
    "DAHQtnog4_v-jrQhiNaGkGqUZJgrYhMKA4PRxjZzPVrmiMe4vFbTD9Oeh2QleJqK5fWzYNmqnSV9LHCAUHmyatdgRmWHZ_ZLx2s0i7Pa"
    '482WWy2M82Ve9ebGbKyuO30Y8AhCw-GOVPR3zeeFA_WBQ6ErrvPFCSObW2HVyQILu3fKZwyVdi6qma1vLFwFkSXMWCWSjuQgH0gJVVX9Q"}]}'
)


def token_rules(ctx: Context) -> tuple[TokenRule, ...]:
    """Every issuer that a request to the proxy may have a token of, in Istio's order.

    Of an issuer whose rule raises, every token is refused.
    """
    rules = [
        (policy, rule)
        for policy in for_proxy(ctx, ctx.world.request_authentications)
        for rule in policy.spec.jwt_rules
    ]
    found = []
    for index, (policy, rule) in enumerate(rules):
        refusing = TokenRule(
            name=f"origins-{index}", issuer=rule.issuer, keys=_NOBODYS_KEY, origin=policy.ref
        )
        make = partial(_rule, ctx, policy, rule, index)
        found.append(attempt(Stage.RESOLVE, policy.ref, make, ctx.report, refusing, rule.at))
    return tuple(found)


def _rule(ctx: Context, policy: RequestAuthentication, rule: JwtRule, index: int) -> TokenRule:
    fault = _fault(rule)
    if fault:
        ctx.report(
            Problem(
                code="JWT-001",
                resource=policy.ref,
                field=f"{rule.at}.{'jwksUri' if rule.jwks_uri and not rule.jwks else 'jwks'}",
                message=f"{fault}: every token of {rule.issuer} is refused",
                hint="Write the keys into `jwks`, as the issuer publishes them (a JSON Web Key Set).",
            )
        )
    return TokenRule(
        name=f"origins-{index}",
        issuer=rule.issuer,
        audiences=rule.audiences,
        keys=_NOBODYS_KEY if fault else rule.jwks,
        headers=tuple((one.name, one.prefix) for one in rule.from_headers),
        parameters=rule.from_params,
        cookies=rule.from_cookies,
        forward=rule.forward_original_token,
        payload_header=rule.output_payload_to_header,
        claim_headers=tuple((one.header, one.claim) for one in rule.output_claim_to_headers),
        origin=policy.ref,
        at=rule.at,
    )


def _fault(rule: JwtRule) -> str:
    """Why the keys cannot be had; "" when they can."""
    if not rule.jwks:
        return "keys are not fetched from an address" if rule.jwks_uri else "no keys are given"
    try:
        keys = json.loads(rule.jwks)["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "the keys are no JSON Web Key Set"
    known = isinstance(keys, list) and any(isinstance(key, dict) and key.get("kty") for key in keys)
    return "" if known else "the JSON Web Key Set holds no key"
