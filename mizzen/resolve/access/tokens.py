"""RequestAuthentication -> TokenRules: which tokens requests may bring to a gateway or a workload."""

from collections.abc import Callable
from functools import partial

from mizzen.errors import Problem, Severity
from mizzen.guard import Stage, attempt
from mizzen.model.token import TokenRule
from mizzen.resolve.access.jwks import key_set
from mizzen.resolve.access.key_sources import fetched_keys, key_source
from mizzen.resolve.context import Context
from mizzen.resolve.selecting import for_proxy
from mizzen.resources.istio.security import JwtRule, RequestAuthentication

CODES = {
    "JWT-004": "The keys of a token's issuer are fetched where it is served; nothing is known of them here.",
    "JWT-005": "The keys of a token's issuer cannot be fetched any more; those that were there hold on.",
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

_WRITE_THEM = "Write the keys into `jwks`, as the issuer publishes them (a JSON Web Key Set)."
_REACH = "The control plane asks for them, and asks again by itself; or write the keys into `jwks`."

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
    keys = _keys(ctx, policy, rule)
    return TokenRule(
        name=f"origins-{index}",
        issuer=rule.issuer,
        audiences=rule.audiences,
        keys=keys or _NOBODYS_KEY,
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


def _keys(ctx: Context, policy: RequestAuthentication, rule: JwtRule) -> str:
    """The keys of a rule that can be used; "" for none. What is wrong is reported."""
    key = "jwks" if rule.jwks else ("jwksUri" if rule.jwks_uri else "issuer")
    say = partial(_say, ctx, policy, f"{rule.at}.{key}")
    source = key_source(rule, ctx.switches)
    if source is None:
        return _usable(rule, rule.jwks, say)
    if isinstance(source, str):
        say("JWT-001", f"{source}: {_refused(rule)}", _WRITE_THEM)
        return ""
    known = fetched_keys(ctx)
    if known is None:
        message = (
            f"the keys at {source.url} are fetched where this is served: it is not known here what verifies"
        )
        say("JWT-004", message, "", Severity.INFO)
        return ""
    fetched = known.get(source.key)
    if fetched is None:  # they are being fetched
        return ""
    if fetched.why and not fetched.text:
        say("JWT-001", f"{source.url} cannot be had: {fetched.why}: {_refused(rule)}", _REACH)
        return ""
    if fetched.why:
        message = f"{source.url} cannot be had any more: {fetched.why}: the keys that were there hold on"
        say("JWT-005", message, _REACH, Severity.WARNING)
    return _usable(rule, fetched.text, say)


def _usable(rule: JwtRule, text: str, say: Callable[..., None]) -> str:
    keys = key_set(text)
    if keys.fault:
        say("JWT-001", f"{keys.fault}: {_refused(rule)}", _WRITE_THEM)
        return ""
    for fault in keys.left_out:
        hint = "Remove the key, or write it as the issuer publishes it."
        say("JWT-002", f"{fault}: tokens that are signed with it are refused", hint, Severity.WARNING)
    return keys.text


def _refused(rule: JwtRule) -> str:
    return f"every token of {rule.issuer or 'any issuer'} is refused"


def _say(
    ctx: Context,
    policy: RequestAuthentication,
    field: str,
    code: str,
    message: str,
    hint: str,
    severity: Severity = Severity.ERROR,
) -> None:
    ctx.report(
        Problem(severity=severity, code=code, resource=policy.ref, field=field, message=message, hint=hint)
    )
