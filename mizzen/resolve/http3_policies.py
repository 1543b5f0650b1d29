"""Which HTTP3Policies are for a gateway, a server or a host, and which of them chooses a field."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from enum import IntEnum
from functools import partial
from typing import Generic, TypeVar

from mizzen.errors import Problem, Severity
from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.resolve.context import Context, grouped, step
from mizzen.resolve.hosts import subset_of
from mizzen.resolve.selecting import fits
from mizzen.resources.istio.gateway import Gateway, Server
from mizzen.resources.mizzen.http3_policy import SUBJECT, GatewayReference, HTTP3Policy, HTTP3PolicySpec
from mizzen.resources.world import Key, age_order

CODES = {
    "H3P-001": "Two HTTP3Policies choose the same for the same gateways, servers or hosts; one of them does not count.",
    "H3P-002": "An HTTP3Policy is for a Gateway, a server or a host that is not there.",
}

T = TypeVar("T")
_Target = tuple[str, str, str]  # namespace and name of a Gateway, and the server of it that is named; "": all
_VIEW = "policies of servers"


class Rank(IntEnum):
    """How specific a policy is. What a Gateway's annotation says stands between GATEWAY and SELECTOR."""

    MESH = 0
    NAMESPACE = 1
    SELECTOR = 2
    GATEWAY = 3
    SERVER = 4
    HOST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedPolicy:
    """A policy that takes part, and by what it is for its subject."""

    policy: HTTP3Policy
    rank: Rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen(Generic[T]):
    """The value of a field, and who chose it."""

    value: T
    policy: HTTP3Policy
    rank: Rank


def chosen(
    policies: tuple[RankedPolicy, ...], read: Callable[[HTTP3PolicySpec], T | None]
) -> Chosen[T] | None:
    """The value of a field by the first of `policies` (most specific first) that says it; None: nobody does."""
    for one in policies:
        if (value := read(one.policy.spec)) is not None:
            return Chosen(value=value, policy=one.policy, rank=one.rank)
    return None


@step
def of_workload(ctx: Context) -> tuple[RankedPolicy, ...]:
    """The policies for a gateway as a whole, most specific first: by its labels, of its namespace, of the mesh."""
    root, own = ctx.mesh.root_namespace, ctx.proxy.namespace
    found = []
    for policy in ctx.world.http3_policies:
        spec = policy.spec
        if spec.target_refs or policy.namespace not in (root, own):
            continue
        labels = spec.selector.match_labels if spec.selector else {}
        if labels and not fits(labels, ctx.proxy.labels):
            continue
        wide = Rank.NAMESPACE if policy.namespace != root else Rank.MESH
        found.append(RankedPolicy(policy=policy, rank=Rank.SELECTOR if labels else wide))
    # Of two selectors the one in the gateway's own namespace is the more specific.
    return tuple(sorted(found, key=lambda one: (-one.rank, one.policy.namespace != own)))


def publish_policies(ctx: Context) -> None:
    """Let steps look up which policies name a Gateway or a server. To be called by the root of a resolution."""
    by_target = grouped(ctx, _targets, ctx.world.all_by_key(HTTP3Policy))
    ctx.steps.views[_VIEW] = ctx.steps.published(_VIEW, by_target)


def _targets(_: Context, __: Key, policy: HTTP3Policy) -> Mapping[_Target, HTTP3Policy]:
    return {(policy.namespace, ref.name, ref.section_name): policy for ref in policy.spec.target_refs}


def of_server(ctx: Context, gateway: Gateway, server: Server) -> tuple[RankedPolicy, ...]:
    """The policies for one server of a Gateway as a whole, most specific first."""
    found = [one for one in _naming(ctx, gateway, server) if not one.policy.spec.hosts]
    return (*sorted(found, key=lambda one: -one.rank), *of_workload(ctx))


def of_hosts(ctx: Context, gateway: Gateway, server: Server) -> Mapping[str, tuple[RankedPolicy, ...]]:
    """Those for single hosts of a server, the oldest first; by host, in lower case."""
    found: dict[str, tuple[RankedPolicy, ...]] = {}
    for one in _naming(ctx, gateway, server):
        ranked = RankedPolicy(policy=one.policy, rank=Rank.HOST)
        for host in dict.fromkeys(map(bare, one.policy.spec.hosts)):
            found[host] = (*found.get(host, ()), ranked)
    return found


def _naming(ctx: Context, gateway: Gateway, server: Server) -> list[RankedPolicy]:
    """Those that name a server or its Gateway, the oldest first."""
    known: Mapping[_Target, Mapping[Key, HTTP3Policy]] = ctx.steps.views[_VIEW]
    found: dict[Key, RankedPolicy] = {}
    for section in dict.fromkeys(("", server.name, server.port.name)):
        rank = Rank.SERVER if section else Rank.GATEWAY
        for key, policy in known.get((gateway.namespace, gateway.name, section), {}).items():
            found[key] = RankedPolicy(policy=policy, rank=rank)
    return sorted(found.values(), key=lambda one: age_order(one.policy))


def names(ref: GatewayReference, server: Server) -> bool:
    """Is a server among those that a reference to its Gateway names?"""
    return not ref.section_name or ref.section_name in (server.name, server.port.name)


def ends_https(server: Server) -> bool:
    """Does a server speak HTTPS, and end TLS at the gateway? HTTP/3 is of these alone."""
    mode = server.tls.mode if server.tls is not None else "PASSTHROUGH"
    return server.port.protocol.upper() == "HTTPS" and mode not in ("PASSTHROUGH", "AUTO_PASSTHROUGH")


def bare(host: str) -> str:
    """A host of a server without its namespace, in lower case."""
    return host.rpartition("/")[2].lower()


# --- what leads nowhere, and what contradicts -----------------------------------------------------


@step
def check_policies(ctx: Context) -> None:
    """Report policies that are for nothing, and those of one rank that choose the same."""
    attempt(Stage.RESOLVE, ctx.proxy.origin, partial(_check, ctx), ctx.report, None)


def _check(ctx: Context) -> None:
    policies = ctx.world.http3_policies
    for policy in policies:
        for ref in policy.spec.target_refs:
            _check_reference(ctx, policy, ref)
    taken: dict[tuple[object, ...], HTTP3Policy] = {}
    for policy in policies:  # the oldest first
        for subject in dict.fromkeys(_subjects(policy)):
            for name in _chosen_fields(policy.spec):
                first = taken.setdefault((subject, name), policy)
                if first is not policy and getattr(first.spec, name) != getattr(policy.spec, name):
                    _report_other(ctx, first, policy, name)


def _subjects(policy: HTTP3Policy) -> Iterator[tuple[object, ...]]:
    spec = policy.spec
    if not spec.target_refs:
        labels = spec.selector.match_labels if spec.selector else {}
        yield policy.namespace, tuple(sorted(labels.items()))
    for ref in spec.target_refs:
        for host in spec.hosts or ("",):
            yield policy.namespace, ref.name, ref.section_name, bare(host)


def _chosen_fields(spec: HTTP3PolicySpec) -> Iterator[str]:
    for one in fields(spec):
        if one.name not in SUBJECT and getattr(spec, one.name) is not None:
            yield one.name


def _report_other(ctx: Context, first: HTTP3Policy, other: HTTP3Policy, name: str) -> None:
    value = getattr(other.spec, name)
    ctx.report(
        Problem(
            severity=Severity.WARNING,
            code="H3P-001",
            resource=other.ref,
            field=getattr(value, "at", "") or f"spec.{_camel(name)}",
            message=f"it does not count: {first.ref} chooses the same, and is older or first by name",
            hint="Say it in one of the two.",
        )
    )


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _check_reference(ctx: Context, policy: HTTP3Policy, ref: GatewayReference) -> None:
    gateway = ctx.world.gateway_by_key.get((policy.namespace, ref.name))
    if gateway is None:
        _report_nothing(
            ctx,
            policy,
            f"{ref.at}.name",
            f"there is no Gateway {ref.name} in {policy.namespace}",
            "A policy is in the namespace of its Gateway.",
        )
        return
    servers = [server for server in gateway.spec.servers if names(ref, server)]
    if not servers:
        there = [server.name or server.port.name for server in gateway.spec.servers]
        message = f"the Gateway {ref.name} has no server {ref.section_name}"
        _report_nothing(ctx, policy, f"{ref.at}.sectionName", message, f"It has {', '.join(there)}.")
        return
    if not any(map(ends_https, servers)):
        message = "no server that is meant speaks HTTPS and ends TLS at the gateway: there is no HTTP/3 of it"
        _report_nothing(ctx, policy, ref.at, message, "Plain HTTP and TLS that is passed on have none.")
        return
    served = {bare(host) for server in servers for host in server.hosts}
    for number, host in enumerate(policy.spec.hosts):
        if bare(host) not in served and not _is_covered(bare(host), served):
            message = f"no server that is meant has the host {host}"
            hint = f"They have {', '.join(sorted(served))}."
            _report_nothing(ctx, policy, f"spec.hosts[{number}]", message, hint)


def _is_covered(host: str, served: set[str]) -> bool:
    """Is it a host that a wildcard of a server covers? A narrower wildcard is none of the server's."""
    return not host.startswith("*") and any(subset_of(host, one) for one in served)


def _report_nothing(ctx: Context, policy: HTTP3Policy, at: str, message: str, hint: str) -> None:
    ctx.report(
        Problem(
            severity=Severity.WARNING,
            code="H3P-002",
            resource=policy.ref,
            field=at,
            message=message,
            hint=hint,
        )
    )
