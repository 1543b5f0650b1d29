"""AuthorizationPolicy -> Access: who may do what with a gateway or a workload (Istio's rules).

Every DENY is judged before any ALLOW. An attribute of HTTP cannot be judged on a connection whose bytes are
only passed on: there a rule that allows by it allows nothing, and one that denies by it denies without it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from mizzen.errors import Problem, Severity
from mizzen.guard import Stage, attempt
from mizzen.model.authorization import (
    Access,
    AccessRule,
    Address,
    All,
    AnyOf,
    Claim,
    Expression,
    Header,
    Not,
    Path,
    PathTemplate,
    Peer,
    Port,
    Sni,
    Suffix,
    Text,
)
from mizzen.model.route import Exact, Prefix, Present, Regex
from mizzen.resolve.context import Context
from mizzen.resolve.selecting import for_proxy
from mizzen.resources.security import AuthorizationPolicy, Condition, Operation, Rule, Source

CODES = {
    "AZ-001": "An external authorizer (CUSTOM) is not asked; what its rules describe is refused.",
    "AZ-002": "An AuthorizationPolicy has no effect here.",
    "AZ-003": "A condition cannot be judged; a rule that allows by it allows nothing.",
}

DRY_RUN = "istio.io/dry-run"
_LOCAL_DOMAIN = "cluster.local"


def authorization(ctx: Context, *, http: bool) -> tuple[Access, ...]:
    """The refusals, then the permissions, that hold for a proxy. () lets everybody in.

    A policy that raises refuses everything that it selects.
    """
    policies = [
        one
        for one in for_proxy(ctx, ctx.world.authorization_policies)
        if one.meta.annotations.get(DRY_RUN) != "true"
    ]
    denied: list[AccessRule] = []
    allowed: list[AccessRule] = []
    allows = False
    for policy in policies:
        if policy.spec.action not in ("DENY", "CUSTOM", "ALLOW"):
            continue
        allow = policy.spec.action == "ALLOW"
        rules = attempt(
            Stage.RESOLVE,
            policy.ref,
            partial(_made, ctx, policy, http=http, allow=allow),
            ctx.report,
            None,
        )
        if rules is None:
            denied.append(refuse_everything(policy))
            continue
        (allowed if allow else denied).extend(rules)
        allows |= allow
    refuses = any(one.spec.action in ("DENY", "CUSTOM") for one in policies) or bool(denied)
    found = (Access(deny=True, rules=tuple(denied)), Access(deny=False, rules=tuple(allowed)))
    return tuple(one for one, is_asked in zip(found, (refuses, allows), strict=True) if is_asked)


def refuse_everything(policy: AuthorizationPolicy) -> AccessRule:
    """In the place of a policy that cannot be made: among the refusals, it lets nobody do anything."""
    name = f"ns[{policy.namespace}]-policy[{policy.name}]-fault"
    return AccessRule(name=name, what=All(), who=All(), origin=policy.ref)


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
            if _side(condition.key) is None:
                message = f"{condition.key!r} is no attribute that can be judged"
                _report(ctx, policy, "AZ-003", f"{condition.at}.key", message, Severity.ERROR)


def _report(
    ctx: Context, policy: AuthorizationPolicy, code: str, field: str, message: str, severity: Severity
) -> None:
    ctx.report(
        Problem(severity=severity, code=code, resource=policy.ref, field=field, message=message, hint="")
    )


def _made(ctx: Context, policy: AuthorizationPolicy, *, http: bool, allow: bool) -> tuple[AccessRule, ...]:
    return tuple(_rules(ctx, policy, http=http, allow=allow))


def _rules(ctx: Context, policy: AuthorizationPolicy, *, http: bool, allow: bool) -> Iterator[AccessRule]:
    for index, rule in enumerate(policy.spec.rules):
        made = _Maker(ctx, policy.namespace, http, allow).rule(rule)
        if made is not None:
            what, who = made
            name = f"ns[{policy.namespace}]-policy[{policy.name}]-rule[{index}]"
            yield AccessRule(name=name, what=what, who=who, origin=policy.ref, at=f"spec.rules[{index}]")


class _Unjudged(Exception):  # a way out of a rule, not an error
    """An attribute that cannot be judged here."""


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes expressions of one policy's rules."""

    ctx: Context
    namespace: str
    http: bool
    allow: bool

    def rule(self, rule: Rule) -> tuple[Expression, Expression] | None:
        """(what, who); None for a rule that allows by what cannot be judged."""
        try:
            who: list[Expression] = []
            what: list[Expression] = []
            if rule.from_:
                who.append(AnyOf(tuple(self._source(one.source) for one in rule.from_)))
            if rule.to:
                what.append(AnyOf(tuple(self._operation(one.operation) for one in rule.to)))
            for condition in rule.when:
                made = self._condition(condition)
                (what if _side(condition.key) == "what" else who).append(made)
        except _Unjudged:
            return None
        return All(tuple(what)), All(tuple(who))

    def _source(self, source: Source) -> Expression:
        return All(
            (
                *self._pair(source.principals, source.not_principals, self._principal),
                *self._pair(source.namespaces, source.not_namespaces, _namespace),
                *self._pair(source.service_accounts, source.not_service_accounts, self._account),
                *self._pair(source.ip_blocks, source.not_ip_blocks, _peer_address),
                *self._http(
                    self._pair(source.remote_ip_blocks, source.not_remote_ip_blocks, _client_address)
                ),
                *self._http(
                    self._pair(source.request_principals, source.not_request_principals, _request_principal)
                ),
            )
        )

    def _operation(self, operation: Operation) -> Expression:
        return All(
            (
                *self._http(self._pair(operation.hosts, operation.not_hosts, _host)),
                *self._http(self._pair(operation.methods, operation.not_methods, _method)),
                *self._http(self._pair(operation.paths, operation.not_paths, _path)),
                *self._pair(operation.ports, operation.not_ports, _port),
            )
        )

    def _condition(self, condition: Condition) -> Expression:
        make = self._attribute(condition.key)
        pair = self._pair(condition.values, condition.not_values, make) if make else None
        if pair is None:
            return All(self._http((), judged=False))
        is_http = condition.key.startswith("request.") or condition.key == "remote.ip"
        return All(self._http(pair) if is_http else pair)

    def _attribute(self, key: str) -> "Callable[[str], Expression] | None":
        if key.startswith("request.headers[") and key.endswith("]"):
            name = key.removeprefix("request.headers[")[:-1]
            return lambda value: Header(name=name, value=_text(value))
        if key.startswith("request.auth.claims["):
            path = tuple(key.removeprefix("request.auth.claims[").removesuffix("]").split("]["))
            return lambda value: Claim(path, _text(value))
        return {
            "source.principal": self._principal,
            "source.serviceAccount": self._account,
            **_ATTRIBUTES,
        }.get(key)

    def _http(self, made: tuple[Expression, ...], *, judged: bool = True) -> tuple[Expression, ...]:
        """What only HTTP knows: elsewhere it is left out of a refusal, and undoes a permission."""
        if judged and (self.http or not made):
            return made
        if self.allow:
            raise _Unjudged
        return ()

    def _pair(
        self, wanted: tuple[str, ...], unwanted: tuple[str, ...], make: Callable[[str], Expression]
    ) -> tuple[Expression, ...]:
        found: list[Expression] = []
        if wanted:
            found.append(AnyOf(tuple(make(one) for one in wanted)))
        if unwanted:
            found.append(Not(AnyOf(tuple(make(one) for one in unwanted))))
        return tuple(found)

    def _principal(self, value: str) -> Expression:
        """TRUST_DOMAIN/ns/NAMESPACE/sa/ACCOUNT; "cluster.local" and the mesh's own domain are one."""
        mesh = self.ctx.mesh
        if value.startswith("*"):
            return Peer(Present() if value == "*" else Suffix(value[1:]))
        domain, slash, rest = value.partition("/")
        local = (mesh.trust_domain, *mesh.trust_domain_aliases)
        domains = local if slash and domain in (_LOCAL_DOMAIN, *local) else (domain,)
        return AnyOf(tuple(Peer(_text(f"spiffe://{one}{slash}{rest}")) for one in domains))

    def _account(self, value: str) -> Expression:
        namespace, slash, account = value.rpartition("/")
        return Peer(
            Regex(
                f"spiffe://[^/]+/ns/{_quoted(namespace if slash else self.namespace)}/sa/{_quoted(account)}"
            )
        )


# --- texts ------------------------------------------------------------------------------------------


def _text(value: str) -> Text:
    """Istio's patterns: "*" is anything that is there, "a*" a beginning, "*a" an end."""
    if value == "*":
        return Present()
    if value.startswith("*"):
        return Suffix(value[1:])
    return Prefix(value[:-1]) if value.endswith("*") else Exact(value)


def _quoted(text: str) -> str:
    """Literal in RE2, but for asterisks."""
    return "".join(
        ".*" if one == "*" else one if one.isalnum() or one in "-_/" else f"\\{one}" for one in text
    )


def _namespace(value: str) -> Expression:
    return Peer(Regex(f".*/ns/{_quoted(value)}/.*"))


def _peer_address(value: str) -> Expression:
    return Address("peer", value)


def _client_address(value: str) -> Expression:
    return Address("client", value)


def _destination_address(value: str) -> Expression:
    return Address("destination", value)


def _request_principal(value: str) -> Expression:
    """ISSUER/SUBJECT of the token; the subject is what follows the last slash."""
    if value == "*":
        return All((Claim(("iss",), Present()), Claim(("sub",), Present())))
    if value.startswith("*"):
        return Claim(("sub",), Exact(value[2:]) if value.startswith("*/") else Suffix(value[1:]))
    issuer, slash, subject = value.rpartition("/")
    if not slash or (value.endswith("*") and not value.endswith("/*")):
        return Claim(("iss",), _text(value))
    return All((Claim(("iss",), Exact(issuer)), Claim(("sub",), _text(subject))))


def _host(value: str) -> Expression:
    return Header(name=":authority", value=_text(value), ignore_case=True)


def _method(value: str) -> Expression:
    return Header(name=":method", value=_text(value))


def _path(value: str) -> Expression:
    return PathTemplate(value) if "{" in value else Path(_text(value))


def _port(value: str) -> Expression:
    return Port(int(value)) if value.isdecimal() else AnyOf()


def _sni(value: str) -> Expression:
    return Sni(_text(value))


def _audience(value: str) -> Expression:
    return Claim(("aud",), _text(value))


def _presenter(value: str) -> Expression:
    return Claim(("azp",), _text(value))


_ATTRIBUTES: dict[str, Callable[[str], Expression]] = {
    "source.ip": _peer_address,
    "remote.ip": _client_address,
    "source.namespace": _namespace,
    "request.auth.principal": _request_principal,
    "request.auth.audiences": _audience,
    "request.auth.presenter": _presenter,
    "destination.ip": _destination_address,
    "destination.port": _port,
    "connection.sni": _sni,
}


def _side(key: str) -> str | None:
    """Whether a condition is about "what" is done or "who" does it; None for one that is not known."""
    if key in ("destination.ip", "destination.port", "connection.sni"):
        return "what"
    known = key in _ATTRIBUTES or key in ("source.principal", "source.serviceAccount")
    return "who" if known or key.startswith(("request.headers[", "request.auth.claims[")) else None
