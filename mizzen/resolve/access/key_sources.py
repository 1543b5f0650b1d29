"""Where the keys of tokens are to be fetched: `jwksUri`, or what the issuer says of itself (OpenID Connect Discovery).

Nothing is fetched here: what somebody has fetched comes in by the key of its source (`Context.key_sets`).
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from mizzen.model.token import KeySource
from mizzen.persistent import PersistentMap
from mizzen.resolve.context import Context, FetchedKeys, Switches
from mizzen.resources.formats import web_address
from mizzen.resources.istio.security import JwtRule
from mizzen.resources.world import World

_VIEW = "key sets"
_WELL_KNOWN = "/.well-known/openid-configuration"
_LONGEST_TIMEOUT = timedelta(seconds=60)


def publish_key_sets(ctx: Context) -> None:
    """Let steps look up what has been fetched. To be called by the root of a resolution."""
    fetched = ctx.key_sets
    ctx.steps.views[_VIEW] = None if fetched is None else ctx.steps.published(_VIEW, PersistentMap(fetched))


def fetched_keys(ctx: Context) -> Mapping[str, FetchedKeys] | None:
    """By key of their source; None where nobody fetches them."""
    found: Mapping[str, FetchedKeys] | None = ctx.steps.views.get(_VIEW)
    return found


def key_source(rule: JwtRule, switches: Switches) -> KeySource | str | None:
    """The source of a rule's keys; why there cannot be one; None for a rule that says its keys itself."""
    if rule.jwks:
        return None
    url = rule.jwks_uri or rule.issuer.rstrip("/") + _WELL_KNOWN
    if wrong := web_address.fault(url):
        if rule.jwks_uri:
            return wrong
        return (
            f"no keys are given, and the issuer is not the address of a description that names them: {wrong}"
        )
    timeout = rule.timeout if rule.timeout is not None else KeySource(url=url).timeout
    return KeySource(
        url=url,
        discovered=not rule.jwks_uri,
        timeout=min(timeout, _LONGEST_TIMEOUT),
        refresh=switches.key_refresh,
        blocked=switches.key_networks_blocked,
        verify=not switches.keys_from_anybody,
    )


def key_sources(world: World, switches: Switches) -> tuple[KeySource, ...]:
    """Those of all RequestAuthentications; of one address the most patient."""
    found: dict[str, KeySource] = {}
    for source in _all(world, switches):
        known = found.get(source.key)
        if known is None or known.timeout < source.timeout:
            found[source.key] = source
    return tuple(found.values())


def _all(world: World, switches: Switches) -> Iterator[KeySource]:
    for policy in world.request_authentications:
        for rule in policy.spec.jwt_rules:
            source = key_source(rule, switches)
            if isinstance(source, KeySource):
                yield source
