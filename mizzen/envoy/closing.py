"""Who may come in, where a rule cannot be told to Envoy: what stands in its place lets nobody in."""

from dataclasses import dataclass, field, replace
from functools import partial

from mizzen.envoy.authorization import permission, principal
from mizzen.envoy.filters.jwt_authn import jwt_provider
from mizzen.envoy.violations import sound
from mizzen.errors import Problem, Report, ResourceRef
from mizzen.guard import Stage, attempt
from mizzen.model.authorization import Access, AccessRule, All
from mizzen.model.listener import Chain, HttpService
from mizzen.model.token import TokenRule

_Judged = tuple[tuple[Access, ...], tuple[Problem, ...]]


@dataclass(slots=True)
class Closing:
    """Tries each rule once, however many chains have it."""

    # By the identity of what was judged, which is kept so that nothing else gets it.
    _known: dict[tuple[int, int], tuple[object, _Judged]] = field(default_factory=dict)

    def closed(self, chain: Chain, report: Report) -> Chain:
        """The chain; where a rule of it cannot be translated, one that refuses."""
        serve = chain.serve
        tokens = serve.tokens if isinstance(serve, HttpService) else ()
        if not (serve.access or tokens):
            return chain
        key = (id(serve.access), id(tokens))
        if key not in self._known:
            self._known[key] = ((serve.access, tokens), _judged(serve.access, tokens, chain.origin))
        access, problems = self._known[key][1]
        for problem in problems:
            report(problem)
        return chain if access is serve.access else replace(chain, serve=replace(serve, access=access))


def _judged(access: tuple[Access, ...], tokens: tuple[TokenRule, ...], asker: ResourceRef) -> _Judged:
    problems: list[Problem] = []
    refused = [rule for rule in tokens if not _can_be_told(rule, asker, problems)]
    parts = [_closed(one, asker, problems) for one in access]
    if not problems:
        return access, ()
    if refused:
        everything = AccessRule(name="tokens-fault", what=All(), who=All(), origin=refused[0].origin)
        parts = [Access(deny=True, rules=(everything,)), *(one for one in parts if not one.deny)]
    return tuple(parts), tuple(problems)


def _closed(access: Access, asker: ResourceRef, problems: list[Problem]) -> Access:
    """A refusal that cannot be told refuses everything; a permission that cannot be told permits nothing."""
    rules = []
    for rule in access.rules:
        if _can_be_told(rule, asker, problems):
            rules.append(rule)
        elif access.deny:
            rules.append(replace(rule, what=All(), who=All()))
    return replace(access, rules=tuple(rules))


def _can_be_told(rule: AccessRule | TokenRule, asker: ResourceRef, problems: list[Problem]) -> bool:
    blamed = rule.origin or asker
    return attempt(Stage.TRANSLATE, blamed, partial(_tell, rule), problems.append, False, rule.at)


def _tell(rule: AccessRule | TokenRule) -> bool:
    if isinstance(rule, TokenRule):
        sound(jwt_provider(rule)).SerializeToString()
    else:
        sound(permission(rule.what)).SerializeToString()
        sound(principal(rule.who)).SerializeToString()
    return True
