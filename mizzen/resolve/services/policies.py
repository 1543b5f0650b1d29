"""DestinationRules: which one holds for a service, and what it says for one port and subset."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import field, replace
from datetime import timedelta
from functools import partial

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.model.route import HashOn
from mizzen.resolve import with_errors
from mizzen.resolve.context import Context, grouped, mapped
from mizzen.resolve.gateways.attach import exported_to
from mizzen.resolve.gateways.owners import EVERYTHING
from mizzen.resolve.hosts import specificity_key, subset_of
from mizzen.resolve.names import expand_host
from mizzen.resolve.selecting import fits
from mizzen.resolve.services.services import ServiceIndex
from mizzen.resources.istio.destination_rule import ClientTLSSettings as TlsSettings
from mizzen.resources.istio.destination_rule import (
    ConnectionPoolSettings,
    ConsistentHashLB,
    DestinationRule,
    LoadBalancerSettings,
    OutlierDetection,
    PortTrafficPolicy,
    ProxyProtocol,
    RetryBudget,
    Subset,
    TrafficPolicy,
    TunnelSettings,
)
from mizzen.resources.rules.destination_rule import HTTP3
from mizzen.resources.withheld import ClosedRule
from mizzen.resources.world import age_order

CODES = {
    "BE-002": "The host of a DestinationRule is no service that the gateway can see.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedRule:
    """DestinationRules of one namespace that agree on host, selector and who may see them."""

    host: str
    namespace: str
    export_to: frozenset[str]
    selector: Mapping[str, str] | None
    subsets: tuple[Subset, ...]
    traffic_policy: TrafficPolicy | None
    policy_ref: ResourceRef  # the rule whose trafficPolicy holds
    subset_refs: Mapping[str, ResourceRef]
    ref: ResourceRef
    http3: str = ""  # its annotation
    is_failing: bool = False  # it cannot be worked out: requests to its host fail
    is_unclear: bool = False  # nor can its host be read: requests to all services that it may be for fail

    def subset(self, name: str) -> Subset | None:
        return next((one for one in self.subsets if one.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What holds for one port and subset of a service; None: nobody said. `tls_at` is where TLS is written."""

    load_balancer: LoadBalancerSettings | None = None
    connection_pool: ConnectionPoolSettings | None = None
    outlier_detection: OutlierDetection | None = None
    tls: TlsSettings | None = None
    tunnel: TunnelSettings | None = None
    proxy_protocol: ProxyProtocol | None = None
    retry_budget: RetryBudget | None = None
    tls_ref: ResourceRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpPolicy:
    """What a DestinationRule says for connections whose bytes are passed on."""

    idle_timeout: timedelta | None = None
    max_connection_duration: timedelta | None = None
    hash_on: HashOn | None = None
    tunnel: TunnelSettings | None = None


@dataclass(frozen=True, slots=True)
class PolicyIndex:
    """Finds the rule of a service as seen from the gateway, and what it says."""

    _ctx: Context = field(repr=False)
    _rules: Mapping[tuple[str, str], tuple[MergedRule, ...]] = field(repr=False)  # by (namespace, host)
    # Those whose host is a wildcard, by namespace.
    _wide: Mapping[str, tuple[MergedRule, ...]] = field(repr=False)

    def rule(self, host: str, namespace: str) -> MergedRule | None:
        """The rule that holds for a service: of the gateway's namespace, the service's, the mesh's root.

        Within a namespace the most specific host wins, and one with a matching workloadSelector over one
        without.
        """
        found: MergedRule | None = self._ctx.steps.value(_rule, self._ctx, host, namespace)
        return found

    def look_up(self, host: str, namespace: str) -> MergedRule | None:
        own, root = self._ctx.proxy.namespace, self._ctx.mesh.root_namespace
        first = self._for(host, own)
        if own == root:
            # What the root keeps for itself goes first; what it gives to all comes last.
            first = tuple(rule for rule in first if rule.export_to == {own})
        for candidates in (first, self._for(host, namespace), self._for(host, root)):
            found = _most_specific(candidates, host)
            if found is not None:
                return found
        return None

    def _for(self, host: str, namespace: str) -> tuple[MergedRule, ...]:
        """The rules of a namespace that may be for a host, that the proxy may see, and whose selector, if any, asks for
        it."""
        reader = self._ctx.proxy.namespace
        return tuple(
            rule
            for rule in (*self._rules.get((namespace, host), ()), *self._wide.get(namespace, ()))
            if ("*" in rule.export_to or reader in rule.export_to) and self._selects(rule)
        )

    def _selects(self, rule: MergedRule) -> bool:
        return rule.selector is None or fits(rule.selector, self._ctx.proxy.labels)

    def policy(self, rule: MergedRule | None, port: int, subset: str) -> Policy:
        """What holds for a port and subset ("": none): blocks are taken whole, the narrower over the wider."""
        found = _base(rule, port)
        mesh = self._ctx.mesh.default_traffic_policy
        if mesh is not None:
            found = replace(
                found,
                connection_pool=found.connection_pool or mesh.connection_pool,
                outlier_detection=found.outlier_detection or mesh.outlier_detection,
            )
        part = rule.subset(subset) if rule and subset else None
        if rule is None or part is None or part.traffic_policy is None:
            return found
        found = _overlaid(found, part.traffic_policy, rule.subset_refs[subset])
        own = _of_port(part.traffic_policy, port)
        return found if own is None else _replaced(found, own, rule.subset_refs[subset])

    def hash_on(self, host: str, namespace: str, subset: str, port: int) -> HashOn | None:
        """What keeps a client on one endpoint of a service, if anything does."""
        balancer = self.policy(self.rule(host, namespace), port, subset).load_balancer
        return _hash_on(balancer.consistent_hash) if balancer and balancer.consistent_hash else None

    def tcp(self, host: str, namespace: str, subset: str, port: int) -> TcpPolicy:
        policy = self.policy(self.rule(host, namespace), port, subset)
        pool = policy.connection_pool.tcp if policy.connection_pool else None
        balancer = policy.load_balancer
        hashed = _hash_on(balancer.consistent_hash) if balancer and balancer.consistent_hash else None
        return TcpPolicy(
            idle_timeout=pool.idle_timeout if pool else None,
            max_connection_duration=pool.max_connection_duration if pool else None,
            hash_on=hashed if hashed and hashed.source_ip else None,
            tunnel=policy.tunnel,
        )


def policy_index(ctx: Context, services: ServiceIndex) -> PolicyIndex:
    """Every DestinationRule, merged with its like. Those that are for no service are reported."""
    objects = ctx.steps.united(
        "rule objects", ctx.world.all_by_key(DestinationRule), ctx.world.all_by_key(ClosedRule)
    )
    rules = mapped(ctx, _merged, grouped(ctx, _by_host, objects))
    wide = mapped(ctx, _joined, grouped(ctx, _wide, rules))
    published = ctx.steps.published
    index = PolicyIndex(ctx, published("rules", rules), published("wide rules", wide))
    ctx.steps.views |= {"services": services, "policies": index}
    mapped(ctx, _report_host, ctx.world.all_by_key(DestinationRule))
    return index


def _rule(ctx: Context, host: str, namespace: str) -> MergedRule | None:
    policies: PolicyIndex = ctx.steps.views["policies"]
    return policies.look_up(host, namespace)


_Place = tuple[object, ...]  # of a rule among those of one host


def _by_host(
    ctx: Context, key: Hashable, rule: DestinationRule | ClosedRule
) -> Mapping[tuple[str, str], tuple[_Place, MergedRule]]:
    """What a rule says, by (namespace, host). Rules with a selector come first, as in Istio: they win over those without."""
    place = (_selector_of(rule) is None, age_order(rule), key)
    if isinstance(rule, ClosedRule):
        made = [_withheld(ctx, rule, host) for host in rule.hosts or (EVERYTHING,)]
    elif rule.spec.host:
        single = attempt(Stage.RESOLVE, rule.ref, partial(_single, ctx, rule), ctx.report, None)
        made = [single or _failing(rule, rule.spec.host)]
    else:
        made = []
    return {(one.namespace, one.host): (place, one) for one in made}


def _merged(
    _: Context, __: Hashable, members: Mapping[Hashable, tuple[_Place, MergedRule]]
) -> tuple[MergedRule, ...]:
    merged: list[MergedRule] = []
    for _place, rule in sorted(members.values(), key=lambda pair: pair[0]):
        _add(merged, rule)
    return tuple(merged)


def _wide(
    _: Context, key: tuple[str, str], rules: tuple[MergedRule, ...]
) -> Mapping[str, tuple[MergedRule, ...]]:
    namespace, host = key
    return {namespace: rules} if host.startswith("*") else {}


def _joined(
    _: Context, __: str, members: Mapping[tuple[str, str], tuple[MergedRule, ...]]
) -> tuple[MergedRule, ...]:
    return tuple(rule for _key, rules in sorted(members.items()) for rule in rules)


def _single(ctx: Context, rule: DestinationRule) -> MergedRule:
    selector = rule.spec.workload_selector
    own = frozenset({rule.namespace})  # with a selector it is private, whatever else is written
    default = ctx.mesh.default_destination_rule_export_to
    return MergedRule(
        host=expand_host(rule.spec.host, rule.namespace),
        namespace=rule.namespace,
        export_to=own if selector else exported_to(rule.spec.export_to, default, rule.namespace),
        selector=selector.match_labels if selector else None,
        subsets=_unique(rule.spec.subsets),
        traffic_policy=rule.spec.traffic_policy,
        policy_ref=rule.ref,
        subset_refs={subset.name: rule.ref for subset in rule.spec.subsets},
        ref=rule.ref,
        http3=rule.meta.annotations.get(HTTP3, ""),
    )


def _failing(rule: DestinationRule | ClosedRule, host: str) -> MergedRule:
    """What stands for a rule that cannot be made."""
    return MergedRule(
        host=expand_host(host, rule.namespace),
        namespace=rule.namespace,
        export_to=frozenset({"*"}),
        selector=None,
        subsets=(),
        traffic_policy=None,
        policy_ref=rule.ref,
        subset_refs={},
        ref=rule.ref,
        is_failing=True,
    )


def _withheld(ctx: Context, rule: ClosedRule, host: str) -> MergedRule:
    """What stands for a rule that has an error: for the same readers as the rule, as far as these can be read."""
    seen = frozenset({"*"})
    if rule.selector is not None:
        seen = frozenset({rule.namespace})
    elif rule.export_to is not None:
        seen = exported_to(rule.export_to, ctx.mesh.default_destination_rule_export_to, rule.namespace)
    failing = _failing(rule, host)
    return replace(failing, export_to=seen, selector=rule.selector, is_unclear=not rule.hosts)


def _selector_of(rule: DestinationRule | ClosedRule) -> object:
    return rule.selector if isinstance(rule, ClosedRule) else rule.spec.workload_selector


def _unique(subsets: Iterable[Subset]) -> tuple[Subset, ...]:
    found: dict[str, Subset] = {}
    for subset in subsets:
        found.setdefault(subset.name, subset)
    return tuple(found.values())


def _add(rules: list[MergedRule], new: MergedRule) -> None:
    """Subsets are gathered, the first trafficPolicy holds. Only rules for the same readers are joined."""
    for index, known in enumerate(rules):
        same = (known.host, known.export_to, known.selector) == (new.host, new.export_to, new.selector)
        if same and known.is_unclear is new.is_unclear:
            first = known.traffic_policy is not None
            rules[index] = replace(
                known,
                subsets=_unique((*known.subsets, *new.subsets)),
                subset_refs={**new.subset_refs, **known.subset_refs},
                traffic_policy=known.traffic_policy if first else new.traffic_policy,
                policy_ref=known.policy_ref if first else new.policy_ref,
                http3=known.http3 if first else new.http3,
                is_failing=known.is_failing or (new.is_failing and not first),
            )
            return
    rules.append(new)


def _most_specific(rules: Iterable[MergedRule], host: str) -> MergedRule | None:
    matching = [rule for rule in rules if subset_of(host, rule.host)]
    if not matching:
        return None
    return min(
        matching, key=lambda rule: (not rule.is_unclear, rule.selector is None, specificity_key(rule.host))
    )


def _report_host(ctx: Context, _: Hashable, rule: DestinationRule) -> None:
    attempt(Stage.RESOLVE, rule.ref, partial(_report_unknown, ctx, rule), ctx.report, None)


def _report_unknown(ctx: Context, rule: DestinationRule) -> None:
    services: ServiceIndex = ctx.steps.views["services"]
    host = expand_host(rule.spec.host, rule.namespace)
    known = services.get(host) is not None or (
        host.startswith("*") and any(subset_of(one.host, host) for one in services.all)
    )
    if host and not known:
        if meant := with_errors.service(ctx, host):
            ctx.report(with_errors.problem(rule.ref, "spec.host", meant))
            return
        ctx.report(
            Problem(
                severity=Severity.WARNING,
                code="BE-002",
                resource=rule.ref,
                field="spec.host",
                message=f"there is no service {host}",
                hint="A host without a dot is a Service of the rule's own namespace.",
            )
        )


# --- what a rule says -------------------------------------------------------------------------------


def _base(rule: MergedRule | None, port: int) -> Policy:
    """The rule's own policy, or that of the port, which stands in its place as a whole."""
    if rule is None or rule.traffic_policy is None:
        return Policy()
    own = _of_port(rule.traffic_policy, port)
    if own is not None:
        return _replaced(Policy(), own, rule.policy_ref)
    return _overlaid(Policy(), rule.traffic_policy, rule.policy_ref)


def _of_port(policy: TrafficPolicy, port: int) -> PortTrafficPolicy | None:
    return next((one for one in policy.port_level_settings if one.port and one.port.number == port), None)


def _replaced(policy: Policy, own: PortTrafficPolicy, ref: ResourceRef) -> Policy:
    return replace(
        policy,
        load_balancer=own.load_balancer,
        connection_pool=own.connection_pool,
        outlier_detection=own.outlier_detection,
        tls=own.tls,
        tls_ref=ref,
    )


def _overlaid(policy: Policy, over: TrafficPolicy, ref: ResourceRef) -> Policy:
    return Policy(
        load_balancer=over.load_balancer or policy.load_balancer,
        connection_pool=over.connection_pool or policy.connection_pool,
        outlier_detection=over.outlier_detection or policy.outlier_detection,
        tls=over.tls or policy.tls,
        tunnel=over.tunnel or policy.tunnel,
        proxy_protocol=over.proxy_protocol or policy.proxy_protocol,
        retry_budget=over.retry_budget or policy.retry_budget,
        tls_ref=ref if over.tls else policy.tls_ref,
    )


def _hash_on(wanted: ConsistentHashLB) -> HashOn | None:
    if wanted.http_header_name:
        return HashOn(header=wanted.http_header_name)
    if wanted.http_cookie is not None:
        cookie = wanted.http_cookie
        return HashOn(
            cookie=cookie.name,
            cookie_path=cookie.path,
            cookie_ttl=cookie.ttl,
            cookie_attributes=tuple((one.name, one.value) for one in cookie.attributes),
        )
    if wanted.use_source_ip:
        return HashOn(source_ip=True)
    if wanted.http_query_parameter_name:
        return HashOn(query=wanted.http_query_parameter_name)
    return None
