"""Tokens of requests: one that does not verify is answered 401; a request without any goes on."""

from mizzen._api import pb
from mizzen.envoy.authorization import JWT
from mizzen.envoy.parts import extension
from mizzen.model.token import TokenRule

# Tokens of one issuer that each worker knows to be signed well. Their times, issuer and audience are judged each time
# (source/extensions/filters/http/jwt_authn/authenticator.cc); a signature of RSA takes longer than all the rest of a request.
KNOWN_TOKENS = 256


def filter_of(rules: tuple[TokenRule, ...]) -> pb.TypedExtensionConfig:
    return extension(JWT, jwt_authentication(rules))


def jwt_authentication(rules: tuple[TokenRule, ...]) -> pb.JwtAuthentication:
    everything = pb.RouteMatch(prefix="/")
    out = pb.JwtAuthentication(
        providers={rule.name: jwt_provider(rule) for rule in rules},
        bypass_cors_preflight=True,
    )
    out.rules.add(match=everything, requires=requirement([rule.name for rule in rules]))
    return out


def jwt_provider(rule: TokenRule) -> pb.JwtProvider:
    out = pb.JwtProvider(
        issuer=rule.issuer,
        audiences=rule.audiences,
        forward=rule.forward,
        forward_payload_header=rule.payload_header,
        payload_in_metadata="payload",
        from_headers=[pb.JwtHeader(name=name, value_prefix=prefix) for name, prefix in rule.headers],
        from_params=rule.parameters,
        from_cookies=rule.cookies,
        claim_to_headers=[
            pb.JwtClaimToHeader(header_name=header, claim_name=claim) for header, claim in rule.claim_headers
        ],
        # Routes may match on claims, which are known only from here on.
        clear_route_cache=True,
    )
    out.normalize_payload_in_metadata.space_delimited_claims.extend(rule.listed_claims)
    out.local_jwks.inline_string = rule.keys
    out.jwt_cache_config.jwt_cache_size = KNOWN_TOKENS
    # Envoy takes a Bearer token and ?access_token= where nothing is said; Istio the first alone.
    if not (rule.headers or rule.parameters or rule.cookies):
        out.from_headers.add(name="Authorization", value_prefix="Bearer ")
        out.from_params.append("access_token")
    return out


def requirement(names: list[str]) -> pb.JwtRequirement:
    """A token that is there must verify, whoever issued it."""
    single = [pb.JwtRequirement(provider_name=name) for name in names]
    missing = pb.JwtRequirement()
    missing.allow_missing.SetInParent()
    if len(names) == 1:
        return _any([*single, missing])
    each = [_any([one, missing]) for one in single]
    every = pb.JwtRequirement(requires_all=pb.JwtRequirementAndList(requirements=each))
    return _any([*single, every])


def _any(requirements: list[pb.JwtRequirement]) -> pb.JwtRequirement:
    return pb.JwtRequirement(requires_any=pb.JwtRequirementOrList(requirements=requirements))
