"""RequestAuthentication -> TokenRules: which tokens requests may bring to a gateway or a workload."""

from functools import partial

from mizzen.errors import Problem, Severity
from mizzen.guard import Stage, attempt
from mizzen.model.token import TokenRule
from mizzen.resolve.access.jwks import KeySet, key_set
from mizzen.resolve.context import Context
from mizzen.resolve.selecting import for_proxy
from mizzen.resources.istio.security import JwtRule, RequestAuthentication

CODES = {
    "JWT-001": "The keys of a token's issuer cannot be had; its tokens are refused.",
    "JWT-002": "A key of a token's issuer cannot be used; tokens that are signed with it are refused.",
}

# A key that nobody has the other half of: whatever claims to be of this issuer is refused (Istio's way).
_NOBODYS_KEY = (
    '{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"nobody","e":"AQAB","n":"6Xr-wkg3did7EfxD13hnpVQQ'
    "FhIP5vsC6KPFA31Prqo3tzGCLbkE2V1Kms_BMqfOqNptFGMUyCXy9FrpIn5j0PZ5szYNuKul2nPgy1T_hNQp03DgKPn9Iuhm1CV2Tcv"
    "Pugfwk"
    "DAHQtnog4_v-jrQhiNaGkGqUZJgrYhMKA4PRxjZzPVrmiMe4vFbTD9Oeh2QleJqK5fWzYNmqnSV9LHCAUHmyatdgRmWHZ_ZLx2s0i7Pa"
    '482WWy2M82Ve9ebGbKyuO30Y8AhCw-GOVPR3zeeFA_WBQ6ErrvPFCSObW2HVyQILu3fKZwyVdi6qma1vLFwFkSXMWCWSjuQgH0gJVVX9Q"}]}'
)

# Claims that are texts with blanks between them (RFC 8693, section 4.2), as Istio has them.
_LISTED = ("permission", "scope")


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
    keys = _keys(rule)
    at = f"{rule.at}.{'jwksUri' if rule.jwks_uri and not rule.jwks else 'jwks'}"
    hint = "Write the keys into `jwks`, as the issuer publishes them (a JSON Web Key Set)."
    if keys.fault:
        message = f"{keys.fault}: every token of {rule.issuer} is refused"
        ctx.report(Problem(code="JWT-001", resource=policy.ref, field=at, message=message, hint=hint))
    for fault in keys.left_out if not keys.fault else ():
        ctx.report(
            Problem(
                severity=Severity.WARNING,
                code="JWT-002",
                resource=policy.ref,
                field=at,
                message=f"{fault}: tokens that are signed with it are refused",
                hint="Remove the key, or write it as the issuer publishes it.",
            )
        )
    return TokenRule(
        name=f"origins-{index}",
        issuer=rule.issuer,
        audiences=rule.audiences,
        keys=_NOBODYS_KEY if keys.fault else keys.text,
        headers=tuple((one.name, one.prefix) for one in rule.from_headers),
        parameters=rule.from_params,
        cookies=rule.from_cookies,
        forward=rule.forward_original_token,
        payload_header=rule.output_payload_to_header,
        listed_claims=tuple(sorted({*_LISTED, *rule.space_delimited_claims})),
        claim_headers=tuple((one.header, one.claim) for one in rule.output_claim_to_headers),
        origin=policy.ref,
        at=rule.at,
    )


def _keys(rule: JwtRule) -> KeySet:
    if rule.jwks:
        return key_set(rule.jwks)
    return KeySet(fault="keys are not fetched from an address" if rule.jwks_uri else "no keys are given")
