"""AuthorizationPolicy -> Access: who may do what with a gateway or a workload (Istio's rules).

Authorizers are asked (CUSTOM) before tokens are read, then every DENY is judged, then any ALLOW. An attribute of HTTP
cannot be judged on a connection whose bytes are only passed on: there a rule that allows by it allows nothing, and one
that denies by it denies without it. So do rules for an authorizer with what tokens say: it is asked about more. An
authorizer over HTTP cannot be asked about connections: they are refused by rules that need nothing of HTTP.
"""

from collections.abc import Callable, Mapping
from functools import partial

from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.model.authorization import (
    Access,
    AccessRule,
    Address,
    All,
    AnyOf,
    Authorizer,
    Claim,
    Expression,
    Header,
    Not,
    Peer,
    Port,
    Sni,
    Suffix,
)
from mizzen.model.route import Exact, Prefix, Present, Regex
from mizzen.resolve.access.authorizers import authorizer_of
from mizzen.resolve.access.spellings import header, host, mapped, path, quoted, text
from mizzen.resolve.context import Context, grouped
from mizzen.resolve.names import expand_host
from mizzen.resolve.selecting import for_proxy
from mizzen.resources.istio.security import (
    DRY_RUN,
    AuthorizationPolicy,
    Closure,
    Condition,
    Operation,
    Rule,
    Source,
)
from mizzen.resources.istio.virtual_service import VirtualService
from mizzen.resources.world import Key, age_order

# (value, whether it refuses) -> what it describes
Make = Callable[[str, bool], Expression]

_LOCAL_DOMAIN = "cluster.local"
_SPIFFE = "spiffe://"


def authorization(ctx: Context, *, http: bool) -> tuple[Access, ...]:
    """What authorizers are asked about, the refusals, then the permissions, that hold for a proxy. () lets everybody in.

    All authorizers whose rules describe a request must let it pass; they are asked in the order of their names. Where
    there is none to be asked, what the policy describes is refused. A policy that raises refuses everything that it
    selects.
    """
    policies = [
        one
        for one in for_proxy(ctx, ctx.world.authorization_policies)
        if one.meta.annotations.get(DRY_RUN) != "true"
    ]
    denied: list[AccessRule] = []
    allowed: list[AccessRule] = []
    asked: dict[str, tuple[Authorizer, list[AccessRule]]] = {}
    refuses = allows = False
    any_case = _hosts_of_any_case(ctx) if http else ()
    guards: list[AuthorizationPolicy | Closure] = [*for_proxy(ctx, ctx.world.closures), *policies]
    for policy in guards:
        if policy.spec.action not in ("DENY", "CUSTOM", "ALLOW"):
            continue
        allow = policy.spec.action == "ALLOW"
        authorizer = attempt(Stage.RESOLVE, policy.ref, partial(asked_by, ctx, policy), ctx.report, None)
        of_requests = not http and authorizer is not None and authorizer.kind == "http"
        if of_requests:
            authorizer = None  # it cannot be asked about connections
        maker = _Maker(
            ctx,
            policy.namespace,
            http,
            allow,
            any_case,
            before_tokens=authorizer is not None,
            of_requests=of_requests,
        )
        rules = attempt(Stage.RESOLVE, policy.ref, partial(_rules, policy, maker), ctx.report, None)
        if rules is None:
            denied.append(refuse_everything(policy))
            refuses = True
        elif authorizer is not None:
            asked.setdefault(authorizer.name, (authorizer, []))[1].extend(rules)
        else:
            (allowed if allow else denied).extend(rules)
            allows |= allow
            refuses |= not allow
    found = (Access(deny=True, rules=tuple(denied)), Access(deny=False, rules=tuple(allowed)))
    return (
        *(Access(deny=True, rules=tuple(rules), authorizer=one) for _, (one, rules) in sorted(asked.items())),
        *(one for one, is_asked in zip(found, (refuses, allows), strict=True) if is_asked),
    )


def asked_by(ctx: Context, policy: AuthorizationPolicy | Closure) -> Authorizer | None:
    """Who is asked by a policy; None where nobody is."""
    if policy.spec.action != "CUSTOM" or policy.spec.provider is None:
        return None
    return authorizer_of(ctx, policy.spec.provider.name).authorizer


def refused_connections(ctx: Context, policy: AuthorizationPolicy) -> tuple[AccessRule, ...]:
    """The rules of a policy for which connections are refused because its authorizer cannot be asked about them."""
    authorizer = asked_by(ctx, policy)
    if authorizer is None or authorizer.kind == "grpc":
        return ()
    return _rules(
        policy, _Maker(ctx, policy.namespace, http=False, allow=False, any_case=(), of_requests=True)
    )


def refuse_everything(policy: AuthorizationPolicy | Closure) -> AccessRule:
    """In the place of a policy that cannot be made: among the refusals, it lets nobody do anything."""
    name = f"ns[{policy.namespace}]-policy[{policy.name}]-fault"
    return AccessRule(name=name, what=All(), who=All(), origin=policy.ref)


def _rules(policy: AuthorizationPolicy | Closure, maker: "_Maker") -> tuple[AccessRule, ...]:
    made = []
    for index, rule in enumerate(policy.spec.rules):
        expressions = maker.rule(rule)
        if expressions is not None:
            what, who = expressions
            name = f"ns[{policy.namespace}]-policy[{policy.name}]-rule[{index}]"
            made.append(
                AccessRule(name=name, what=what, who=who, origin=policy.ref, at=f"spec.rules[{index}]")
            )
    return tuple(made)


class _Unjudged(Exception):  # a way out of a rule, not an error
    """An attribute that cannot be judged here."""


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes expressions of one policy's rules."""

    ctx: Context
    namespace: str
    http: bool
    allow: bool
    any_case: tuple[str, ...]  # hosts at which some route takes a path whatever its letters
    before_tokens: bool = False  # nothing is known of tokens when this is judged
    of_requests: bool = False  # a rule that needs an attribute of HTTP is for requests alone

    def rule(self, rule: Rule) -> tuple[Expression, Expression] | None:
        """(what, who); None for a rule that allows by what cannot be judged, or is for requests alone."""
        try:
            who: list[Expression] = []
            what: list[Expression] = []
            if rule.from_:
                who.append(AnyOf(tuple(self._source(one.source) for one in rule.from_)))
            if rule.to:
                what.append(AnyOf(tuple(self._operation(one.operation) for one in rule.to)))
            for condition in rule.when:
                made = self._condition(condition)
                (what if side(condition.key) == "what" else who).append(made)
        except _Unjudged:
            return None
        return All(tuple(what)), All(tuple(who))

    def _source(self, source: Source) -> Expression:
        return All(
            (
                *self._pair(source.principals, source.not_principals, _always(self._principal)),
                *self._pair(source.namespaces, source.not_namespaces, _always(_namespace)),
                *self._pair(source.service_accounts, source.not_service_accounts, _always(self._account)),
                *self._pair(source.trust_domains, source.not_trust_domains, _always(self._trust_domain)),
                *self._pair(source.ip_blocks, source.not_ip_blocks, _always(_peer_address)),
                *self._http(
                    self._pair(source.remote_ip_blocks, source.not_remote_ip_blocks, _always(_client_address))
                ),
                *self._http(
                    self._pair(
                        source.request_principals,
                        source.not_request_principals,
                        _always(_request_principal),
                    ),
                    judged=not self.before_tokens,
                ),
            )
        )

    def _operation(self, operation: Operation) -> Expression:
        return All(
            (
                *self._http(self._pair(operation.hosts, operation.not_hosts, _host)),
                *self._http(self._pair(operation.methods, operation.not_methods, _always(_method))),
                *self._http(self._pair(operation.paths, operation.not_paths, self._path)),
                *self._pair(operation.ports, operation.not_ports, _always(_port)),
            )
        )

    def _condition(self, condition: Condition) -> Expression:
        make = self._attribute(condition.key)
        pair = self._pair(condition.values, condition.not_values, make) if make else None
        if pair is None:
            return All(self._http((), judged=False))
        is_http = condition.key.startswith("request.") or condition.key == "remote.ip"
        unknown = self.before_tokens and is_of_token(condition.key)
        return All(self._http(pair, judged=not unknown) if is_http else pair)

    def _attribute(self, key: str) -> "Make | None":
        if key.startswith("request.headers[") and key.endswith("]"):
            name = key.removeprefix("request.headers[")[:-1]
            return lambda value, refuses: header(name, value, refuses=refuses)
        if key.startswith("request.auth.claims["):
            claim = tuple(key.removeprefix("request.auth.claims[").removesuffix("]").split("]["))
            return _always(lambda value: Claim(claim, text(value)))
        known = {
            "source.principal": self._principal,
            "source.serviceAccount": self._account,
            "source.trustDomain": self._trust_domain,
            **_ATTRIBUTES,
        }.get(key)
        return _always(known) if known else None

    def _http(self, made: tuple[Expression, ...], *, judged: bool = True) -> tuple[Expression, ...]:
        """What only HTTP knows: elsewhere, and where it is not `judged`, it is left out of a refusal, and undoes a
        permission."""
        if judged and (self.http or not made):
            return made
        if self.allow or (made and self.of_requests):
            raise _Unjudged
        return ()

    def _pair(self, wanted: tuple[str, ...], unwanted: tuple[str, ...], make: Make) -> tuple[Expression, ...]:
        found: list[Expression] = []
        if wanted:
            found.append(AnyOf(tuple(make(one, not self.allow) for one in wanted)))
        if unwanted:
            found.append(Not(AnyOf(tuple(make(one, self.allow) for one in unwanted))))
        return tuple(found)

    def _path(self, value: str, refuses: bool) -> Expression:
        return path(value, refuses=refuses, any_case=self.any_case)

    def _principal(self, value: str) -> Expression:
        """TRUST_DOMAIN/ns/NAMESPACE/sa/ACCOUNT; "cluster.local" and the mesh's own domain are one."""
        mesh = self.ctx.mesh
        if value.startswith("*"):
            return Peer(Present() if value == "*" else Suffix(value[1:]))
        domain, slash, rest = value.partition("/")
        local = (mesh.trust_domain, *mesh.trust_domain_aliases)
        domains = local if slash and domain in (_LOCAL_DOMAIN, *local) else (domain,)
        return AnyOf(tuple(Peer(text(f"spiffe://{one}{slash}{rest}")) for one in domains))

    def _trust_domain(self, value: str) -> Expression:
        """The trust domain of the peer's identity; the mesh's own and its aliases are one (Istio: ExpandTrustDomainAliases)."""
        if value == "*":
            return Peer(Prefix(_SPIFFE))
        if "*" in value:
            return Peer(Regex(f"{_SPIFFE}{quoted(value, star='[^/]*')}/.*"))
        local = (self.ctx.mesh.trust_domain, *self.ctx.mesh.trust_domain_aliases)
        domains = dict.fromkeys(local if value in local else (value,))
        return AnyOf(tuple(Peer(Prefix(f"{_SPIFFE}{one}/")) for one in domains))

    def _account(self, value: str) -> Expression:
        namespace, slash, account = value.rpartition("/")
        return Peer(
            Regex(
                f"spiffe://[^/]+/ns/{_pattern(namespace if slash else self.namespace)}/sa/{_pattern(account)}"
            )
        )


# --- attributes -------------------------------------------------------------------------------------


def _always(make: Callable[[str], Expression]) -> Make:
    """For what is spelled in one way."""
    return lambda value, _refuses: make(value)


def _pattern(name: str) -> str:
    """A name of the mesh in RE2, whose asterisks stand for anything."""
    return quoted(name, star=".*")


def _hosts_of_any_case(ctx: Context) -> tuple[str, ...]:
    """Hosts at which some route of a gateway may ignore the letters of a path (`ignoreUriCase`); a delegate has those of
    whoever delegates to it: any."""
    if ctx.proxy.kind != "router":
        return ()
    ages: Mapping[str, Mapping[Key, tuple[object, ...]]] = ctx.steps.views.get("hosts of any case", {})
    return tuple(sorted(ages, key=lambda host: min(ages[host].values())))


def index_hosts_of_any_case(ctx: Context) -> None:
    """Look for them. To be called by the root of a resolution."""
    found = grouped(ctx, _ages_of_hosts, ctx.world.all_by_key(VirtualService))
    ctx.steps.views["hosts of any case"] = ctx.steps.published("hosts of any case", found)


def _ages_of_hosts(_: Context, __: Key, service: VirtualService) -> Mapping[str, tuple[object, ...]]:
    """The hosts of a VirtualService that ignores the letters of some path, each with its place among all of these."""
    if not any(match.ignore_uri_case for rule in service.spec.http for match in rule.match):
        return {}
    hosts = dict.fromkeys(expand_host(name, service.namespace) for name in service.spec.hosts or ("*",))
    return {host: (*age_order(service), position) for position, host in enumerate(hosts)}


def _namespace(value: str) -> Expression:
    return Peer(Regex(f".*/ns/{_pattern(value)}/.*"))


def _peer_address(value: str) -> Expression:
    return Address("peer", value)


def _client_address(value: str) -> Expression:
    """As a proxy in front tells it. Some write IPv4 addresses as IPv6 ones (::ffff:192.0.2.1, RFC 4291, 2.5.5.2)."""
    other = mapped(value)
    return AnyOf((Address("client", value), Address("client", other))) if other else Address("client", value)


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
        return Claim(("iss",), text(value))
    return All((Claim(("iss",), Exact(issuer)), Claim(("sub",), text(subject))))


def _host(value: str, refuses: bool) -> Expression:
    return host(value, refuses=refuses)


def _method(value: str) -> Expression:
    return Header(name=":method", value=text(value))


def _port(value: str) -> Expression:
    return Port(int(value)) if value.isdecimal() else AnyOf()


def _sni(value: str) -> Expression:
    # Envoy knows it in small letters.
    return Sni(text(value.lower()))


def _audience(value: str) -> Expression:
    return Claim(("aud",), text(value))


def _presenter(value: str) -> Expression:
    return Claim(("azp",), text(value))


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


def is_of_token(key: str) -> bool:
    """Is a condition about the token that a request brings?"""
    return key.startswith("request.auth.")


def side(key: str) -> str | None:
    """Whether a condition is about "what" is done or "who" does it; None for one that is not known."""
    if key in ("destination.ip", "destination.port", "connection.sni"):
        return "what"
    known = key in _ATTRIBUTES or key in ("source.principal", "source.serviceAccount", "source.trustDomain")
    return "who" if known or key.startswith(("request.headers[", "request.auth.claims[")) else None
