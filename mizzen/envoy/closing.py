"""Who may come in, where a rule cannot be told to Envoy: what stands in its place lets nobody in."""

from dataclasses import field, replace
from functools import partial

from mizzen.envoy.authorization import permission, principal
from mizzen.envoy.ext_authz import ext_authz
from mizzen.envoy.filters.jwt_authn import jwt_provider
from mizzen.envoy.violations import sound
from mizzen.errors import Problem, Report, ResourceRef
from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.model.authorization import Access, AccessRule, All
from mizzen.model.listener import AccessPolicies, Chain, HttpService
from mizzen.model.token import TokenRule

REFUSE_ALL = Access(deny=True, rules=(AccessRule(name="fault", what=All(), who=All()),))


@dataclass(slots=True)
class Closing:
    """Tries each rule once, however many chains have it."""

    # By the identity of what was judged, which is kept so that nothing else gets it.
    _known: dict[int, tuple[object, tuple[Access, ...], tuple[Problem, ...]]] = field(default_factory=dict)

    def closed(self, chain: Chain, report: Report) -> Chain:
        """The chain; where a rule of it cannot be translated, one that refuses."""
        serve = chain.serve
        if isinstance(serve, HttpService) or not serve.access:
            return chain
        key = id(serve.access)
        if key not in self._known:
            problems_of: list[Problem] = []
            made = tuple(_closed(access, chain.origin, problems_of.append) for access in serve.access)
            self._known[key] = (serve.access, made if problems_of else serve.access, tuple(problems_of))
        _, access, problems = self._known[key]
        for problem in problems:
            report(problem)
        return chain if access is serve.access else replace(chain, serve=replace(serve, access=access))


def closed_policies(policies: AccessPolicies, report: Report) -> AccessPolicies:
    """The same; where a rule of it cannot be translated, one that refuses. A token that cannot be judged is nobody's."""
    tokens = tuple(rule for rule in policies.tokens if _can_be_told(rule, policies.origin, report))
    access = tuple(_closed(part, policies.origin, report) for part in policies.access)
    if refused := [rule for rule in policies.tokens if rule not in tokens]:
        everything = AccessRule(name="tokens-fault", what=All(), who=All(), origin=refused[0].origin)
        access = (Access(deny=True, rules=(everything,)), *(part for part in access if not part.deny))
    return replace(policies, tokens=tokens, access=access)


def _closed(access: Access, asker: ResourceRef, report: Report) -> Access:
    """A refusal that cannot be told refuses everything; a permission that cannot be told permits nothing. An authorizer of
    whom Envoy cannot be told refuses what it would be asked about."""
    if access.authorizer is not None and not _can_be_asked(access, asker, report):
        access = replace(access, authorizer=None)
    rules = []
    for rule in access.rules:
        if _can_be_told(rule, asker, report):
            rules.append(rule)
        elif access.deny:
            rules.append(replace(rule, what=All(), who=All()))
    return replace(access, rules=tuple(rules))


def _can_be_told(rule: AccessRule | TokenRule, asker: ResourceRef, report: Report) -> bool:
    blamed = rule.origin or asker
    return attempt(Stage.TRANSLATE, blamed, partial(_tell, rule), report, False, rule.at)


def _can_be_asked(access: Access, asker: ResourceRef, report: Report) -> bool:
    policies = [rule.origin for rule in access.rules if rule.origin is not None]
    make = partial(_ask, access)
    return all(attempt(Stage.TRANSLATE, policy, make, report, False) for policy in policies or [asker])


def _ask(access: Access) -> bool:
    if access.authorizer is not None:
        sound(ext_authz(access.authorizer)).SerializeToString()
    return True


def _tell(rule: AccessRule | TokenRule) -> bool:
    if isinstance(rule, TokenRule):
        sound(jwt_provider(rule)).SerializeToString()
    else:
        sound(permission(rule.what)).SerializeToString()
        sound(principal(rule.who)).SerializeToString()
    return True
