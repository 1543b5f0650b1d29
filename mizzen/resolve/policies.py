"""DestinationRules: which one holds for a service, and what it says for one port and subset."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.guard import Stage, attempt
from mizzen.model.route import HashOn
from mizzen.resolve.attach import exported_to
from mizzen.resolve.context import Context
from mizzen.resolve.hosts import specificity_key, subset_of
from mizzen.resolve.names import expand_host
from mizzen.resolve.owners import EVERYTHING
from mizzen.resolve.selecting import fits
from mizzen.resolve.services import MeshService, ServiceIndex
from mizzen.resources.destination_rule import ClientTLSSettings as TlsSettings
from mizzen.resources.destination_rule import (
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
    _by_namespace: Mapping[str, tuple[MergedRule, ...]] = field(repr=False)
    _found: dict[tuple[str, str], MergedRule | None] = field(default_factory=dict, repr=False)

    def rule(self, host: str, namespace: str) -> MergedRule | None:
        """The rule that holds for a service: of the gateway's namespace, the service's, the mesh's root.

        Within a namespace the most specific host wins, and one with a matching workloadSelector over one
        without.
        """
        key = (host, namespace)
        if key not in self._found:
            self._found[key] = self._look_up(host, namespace)
        return self._found[key]

    def _look_up(self, host: str, namespace: str) -> MergedRule | None:
        own, root = self._ctx.proxy.namespace, self._ctx.mesh.root_namespace
        if own != root:
            order = (self._in(own, own), self._in(namespace, own), self._in(root, own))
        else:
            # What the root keeps for itself goes first; what it gives to all comes last.
            private = tuple(rule for rule in self._in(own, own) if rule.export_to == {own})
            order = (private, self._in(namespace, own), self._in(root, own))
        for candidates in order:
            found = _most_specific(candidates, host)
            if found is not None:
                return found
        return None

    def _in(self, namespace: str, reader: str) -> tuple[MergedRule, ...]:
        """The rules of a namespace that `reader` may see and whose selector, if any, asks for this proxy."""
        return tuple(
            rule
            for rule in self._by_namespace.get(namespace, ())
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
    by_namespace: dict[str, list[MergedRule]] = {}
    rules: list[DestinationRule | ClosedRule] = [*ctx.world.destination_rules, *ctx.world.closed_rules]
    # Rules with a selector first, as in Istio: they win over those without.
    for rule in sorted(rules, key=lambda one: (_selector_of(one) is None, age_order(one))):
        merged = by_namespace.setdefault(rule.namespace, [])
        if isinstance(rule, ClosedRule):
            for host in rule.hosts or (EVERYTHING,):
                _add(merged, _withheld(ctx, rule, host))
        elif rule.spec.host:
            make = partial(_single, ctx, rule)
            made = attempt(Stage.RESOLVE, rule.ref, make, ctx.report, None)
            _add(merged, made or _failing(rule, rule.spec.host))
    _report_hosts(ctx, services)
    return PolicyIndex(ctx, {namespace: tuple(rules) for namespace, rules in by_namespace.items()})


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


def _report_hosts(ctx: Context, services: ServiceIndex) -> None:
    hosts = frozenset(service.host for service in services.all)
    for rule in ctx.world.destination_rules:
        attempt(Stage.RESOLVE, rule.ref, partial(_report_host, ctx, rule, hosts), ctx.report, None)


def _report_host(ctx: Context, rule: DestinationRule, hosts: frozenset[str]) -> None:
    host = expand_host(rule.spec.host, rule.namespace)
    known = host in hosts or (host.startswith("*") and any(subset_of(one, host) for one in hosts))
    if host and not known:
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


def service_policy(policies: PolicyIndex, service: MeshService, port: int, subset: str) -> Policy:
    """What holds for a port and subset of a service."""
    return policies.policy(policies.rule(service.host, service.namespace), port, subset)
