"""The patches of EnvoyFilters that are for a proxy, in Istio's order, and what of them cannot be honoured.

Source: istio pilot/pkg/model/push_context.go (EnvoyFilters), envoyfilter.go (proxyMatch).
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import re2
from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.lazy import dataclass
from mizzen.messages.targets import MESSAGE_OF
from mizzen.messages.written import Mistake, read
from mizzen.model.patch import (
    ChainMatch,
    ClusterMatch,
    HostMatch,
    ListenerMatch,
    Operation,
    Patch,
    RouteMatcher,
    Side,
    TableMatch,
    Target,
)
from mizzen.resolve.access.guards import Verdict, judge
from mizzen.resolve.access.patch_rules import (
    is_relative,
    mistakes,
    operation_of,
    without_effect,
)
from mizzen.resolve.context import Context, Proxy, step
from mizzen.resolve.selecting import fits
from mizzen.resources.istio import envoy_filter
from mizzen.resources.istio.envoy_filter import ConfigPatch, EnvoyFilter
from mizzen.resources.rules.envoy_filter import LONGEST_VERSION

CODES = {
    "EXT-005": "A patch of an EnvoyFilter cannot be understood, and is not applied.",
    "EXT-014": "A patch of an EnvoyFilter asks for what the pinned Envoy cannot be told, and is not applied.",
    "EXT-015": "An HTTPS server has no HTTP/3 mirror: an EnvoyFilter judges its connections in a way that QUIC has not.",
    "EXT-006": "A patch of an EnvoyFilter has no effect: its operation needs a match, or is not for what it is applied to.",
    "EXT-007": "A patch of an EnvoyFilter depends on the order of EnvoyFilters, and its object has no priority.",
    "EXT-010": "A patch for a version of the proxy depends on the order of EnvoyFilters, and its object has no priority.",
    "EXT-011": "REPLACE is not for what it is applied to: it has no effect.",
    "EXT-012": "ADD is not for what it is applied to: it has no effect.",
    "EXT-013": "REMOVE is not for what it is applied to: it has no effect.",
}
GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
ISTIO_VERSION = "1.30.0"  # the Istio whose API is followed: what patches for a version compare with
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_MERGING = frozenset({Operation.MERGE, Operation.MERGE_AND_REPLACE_LIST})
_MISUSED = {Operation.REPLACE: "EXT-011", Operation.ADD: "EXT-012", Operation.REMOVE: "EXT-013"}
# Network filters that judge a connection when it is there, before any byte: over QUIC they do, too.
_OF_NEW_CONNECTIONS = frozenset(
    {
        "envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit",
        "envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    }
)
_QUIC = f"/{pb.QuicDownstreamTransport.DESCRIPTOR.full_name}"
_TLS = f"/{pb.DownstreamTlsContext.DESCRIPTOR.full_name}"
_BOOTSTRAP = "Envoy reads its bootstrap before it knows a control plane"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A patch that cannot be honoured."""

    owner: ResourceRef
    patch: ConfigPatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Patches:
    """What the EnvoyFilters that are for a proxy ask for."""

    honoured: tuple[Patch, ...] = ()
    refused: tuple[Refused, ...] = ()
    # Of those that are honoured, what may guard connections over TCP and cannot be told to QUIC.
    of_tcp: tuple[Patch, ...] = ()


@step
def patches(ctx: Context) -> Patches:
    """All of them; what is wrong with each is reported, and what is wrong with those for others."""
    _report_others(ctx)
    honoured: list[Patch] = []
    of_tcp: list[Patch] = []
    refused: list[Refused] = []
    for owner, to_blame in _in_order(ctx):
        for written in owner.spec.config_patches:
            if _is_for_nobody_here(written, ctx.proxy):
                continue
            patch, problems = (
                (None, ()) if to_blame is _ALL or written.at in to_blame else read_patch(owner, written)
            )
            for problem in problems:
                ctx.report(problem)
            if patch is not None:
                honoured.append(_with_ports(patch, ctx.proxy))
                of_tcp += [honoured[-1]] if _is_of_tcp(patch, written) else []
            elif not any(problem.severity is not Severity.ERROR for problem in problems):
                refused.append(Refused(owner=owner.ref, patch=written))
    return Patches(honoured=tuple(honoured), refused=tuple(refused), of_tcp=tuple(of_tcp))


def _report_others(ctx: Context) -> None:
    """What is wrong with patches that are not for this proxy, but for their values: those are for another Envoy, if for any."""
    for owner in ctx.world.envoy_filters:
        is_ours = selects(ctx, owner)
        for written in owner.spec.config_patches:
            if _is_of_waypoints(written) or (is_ours and not _is_for_nobody_here(written, ctx.proxy)):
                continue
            _, wrong, warnings = _read(owner, written)
            structural = frozenset(mistakes(written))
            for problem in (*(_misunderstood(owner, one) for one in wrong if one in structural), *warnings):
                ctx.report(problem)


def _is_of_tcp(patch: Patch, written: ConfigPatch) -> bool:
    """Filters of listeners are of TCP, network filters see no bytes of QUIC, and QUIC's TLS is its own."""
    if patch.target is Target.LISTENER and patch.operation in _MERGING:
        value = pb.Listener.FromString(patch.value)
        brings = value.listener_filters or value.filter_chains or value.HasField("default_filter_chain")
        return bool(brings) and judge(written).verdict is not Verdict.HARMLESS
    if patch.target is Target.LISTENER_FILTER:
        return judge(written).verdict is not Verdict.HARMLESS
    if patch.target is Target.NETWORK_FILTER and patch.operation not in (*_MERGING, Operation.REMOVE):
        kind = pb.Filter.FromString(patch.value).typed_config.type_url.rpartition("/")[2]
        return kind not in _OF_NEW_CONNECTIONS and judge(written).verdict is not Verdict.HARMLESS
    if patch.target is not Target.FILTER_CHAIN or patch.operation is Operation.REMOVE:
        return False
    socket = pb.FilterChain.FromString(patch.value).transport_socket
    if patch.operation is Operation.ADD:
        is_of_quic = socket.typed_config.type_url.endswith(_QUIC)
        return not is_of_quic and judge(written).verdict is not Verdict.HARMLESS
    return bool(socket.name) and not socket.typed_config.type_url.endswith(_TLS)


def _with_ports(patch: Patch, proxy: Proxy) -> Patch:
    """Istio compares the port of a route table with those of the Service, where these lead to it."""
    if patch.table is None or not patch.table.port:
        return patch
    wanted = patch.table.port
    targets = [target for target in proxy.targets if not target.udp and target.translate]
    bound = {target.target_port for target in targets if target.port == wanted}
    if all(target.target_port != wanted for target in targets):
        bound.add(wanted)
    return replace(patch, table=replace(patch.table, bound=tuple(sorted(bound))))


# --- whom an EnvoyFilter is for ---------------------------------------------------------------------

_ALL: frozenset[str] = frozenset({"*"})
_NONE: frozenset[str] = frozenset()


def _in_order(ctx: Context) -> list[tuple[EnvoyFilter, frozenset[str]]]:
    """Each with the places of the patches that were set aside because Envoy does not take them.

    By priority, then those of the root namespace, then the oldest, then by name.
    """
    listed = [(one, _NONE) for one in ctx.world.envoy_filters]
    for unread in ctx.world.unread:
        if isinstance(unread.known, EnvoyFilter):
            listed.append((unread.known, frozenset(filter(None, unread.fields)) or _ALL))
    root = ctx.mesh.root_namespace

    def order(pair: tuple[EnvoyFilter, frozenset[str]]) -> tuple[object, ...]:
        one = pair[0]
        created = one.meta.creation_timestamp or _EARLIEST
        return one.spec.priority, one.namespace != root, created, f"{one.meta.name}.{one.namespace}"

    return sorted((pair for pair in listed if selects(ctx, pair[0])), key=order)


def selects(ctx: Context, one: EnvoyFilter) -> bool:
    """Istio's rule: of the root namespace or the proxy's own, with labels that fit, or a Gateway it runs for."""
    if one.namespace not in (ctx.mesh.root_namespace, ctx.proxy.namespace):
        return False
    if one.spec.target_refs:
        name = ctx.proxy.labels.get(GATEWAY_NAME, "")
        return bool(name) and any(ref.kind == "Gateway" and ref.name == name for ref in one.spec.target_refs)
    selector = one.spec.workload_selector
    return fits(selector.labels if selector else {}, ctx.proxy.labels)


def _is_of_waypoints(patch: ConfigPatch) -> bool:
    return patch.match is not None and patch.match.context == "WAYPOINT"


def _is_for_nobody_here(patch: ConfigPatch, proxy: Proxy) -> bool:
    """Of the other kind of proxy, or of another version or metadata."""
    match = patch.match
    if match is None:
        return False
    own = ("GATEWAY",) if proxy.kind == "router" else ("SIDECAR_INBOUND", "SIDECAR_OUTBOUND")
    if match.context not in ("ANY", *own):
        return True
    known = {"ISTIO_VERSION": ISTIO_VERSION, "NAMESPACE": proxy.namespace, **proxy.metadata}
    wanted = match.proxy
    if wanted is None:
        return False
    if any(known.get(key) != value for key, value in wanted.metadata.items()):
        return True
    return bool(wanted.proxy_version) and not _fits_version(wanted.proxy_version, known["ISTIO_VERSION"])


def _fits_version(pattern: str, version: str) -> bool:
    if len(pattern) > LONGEST_VERSION:
        return False
    try:
        return re2.search(pattern, version) is not None
    except re2.error:
        return True  # a mistake that is told of


# --- one patch --------------------------------------------------------------------------------------


def check(owner: EnvoyFilter) -> Iterator[Problem]:
    """What an API server is told of the patches of one EnvoyFilter: errors where Istio refuses them, warnings of the rest that
    is wrong."""
    for written in owner.spec.config_patches:
        yield from _checked(owner, written)


def _checked(owner: EnvoyFilter, written: ConfigPatch) -> Iterator[Problem]:
    if _is_of_waypoints(written):
        return
    _, wrong, warnings = _read(owner, written)
    for one in wrong:
        told = _misunderstood(owner, one)
        yield replace(told, severity=Severity.WARNING) if one.unknown else told
    yield from warnings


def misunderstood(owner: EnvoyFilter) -> tuple[Problem, ...]:
    """Why patches of an EnvoyFilter cannot be honoured. An edit that brings such an error leaves the version before it in
    force, as one that cannot be decoded does."""
    return tuple(
        _misunderstood(owner, mistake)
        for written in owner.spec.config_patches
        if not _is_of_waypoints(written)
        for mistake in _read(owner, written)[1]
    )


def read_patch(owner: EnvoyFilter, written: ConfigPatch) -> tuple[Patch | None, tuple[Problem, ...]]:
    """The patch, and what is wrong with it: errors where it cannot be honoured, else warnings.

    None without an error: Istio does nothing either.
    """
    patch, wrong, warnings = _read(owner, written)
    return patch, (*(_misunderstood(owner, one) for one in wrong), *warnings)


_Read = tuple[Patch | None, tuple[Mistake, ...], tuple[Problem, ...]]


def _read(owner: EnvoyFilter, written: ConfigPatch) -> _Read:
    """The patch, the mistakes for which there is none, and warnings."""
    if found := tuple(mistakes(written)):
        return None, found, ()
    assert written.patch is not None
    if written.apply_to == "BOOTSTRAP":
        what = f"a bootstrap cannot be patched: {_BOOTSTRAP}"
        return None, (Mistake(f"{written.at}.applyTo", what, unknown=True),), ()
    target = Target(written.apply_to)
    operation = operation_of(target, written.patch.operation)
    if why := without_effect(written, target, operation):
        code = "EXT-006" if "needs" in why else _MISUSED.get(operation, "EXT-006")
        return None, (), (_warned(owner, code, written.at, f"the patch has no effect: {why}", ""),)
    message, wrong = MESSAGE_OF[target](), tuple[Mistake, ...]()
    if operation is not Operation.REMOVE:
        message, wrong = read(MESSAGE_OF[target], written.patch.value, f"{written.at}.patch.value")
    if wrong:
        return None, wrong, ()
    patch = _patch(owner, written, target, operation, message)
    return patch, (), tuple(_relative(owner, written, target, operation))


def _patch(
    owner: EnvoyFilter, written: ConfigPatch, target: Target, operation: Operation, value: Message
) -> Patch:
    match = written.match or envoy_filter.ConfigObjectMatch()
    return Patch(
        target=target,
        operation=operation,
        side=Side(match.context),
        listener=_listener(match.listener),
        table=_table(match.route_configuration),
        cluster=_cluster(match.cluster),
        value=value.SerializeToString(deterministic=True),
        origin=owner.ref,
        at=written.at,
    )


def _misunderstood(owner: EnvoyFilter, one: Mistake) -> Problem:
    message = f"{one.message}: the patch is not applied"
    return Problem(
        code="EXT-014" if one.unknown else "EXT-005",
        resource=owner.ref,
        field=one.at,
        message=message,
        hint=one.hint,
    )


def _warned(owner: EnvoyFilter, code: str, at: str, message: str, hint: str) -> Problem:
    return Problem(
        severity=Severity.WARNING, code=code, resource=owner.ref, field=at, message=message, hint=hint
    )


def _relative(
    owner: EnvoyFilter, written: ConfigPatch, target: Target, operation: Operation
) -> Iterator[Problem]:
    if owner.spec.priority or not is_relative(target, operation):
        return
    message = (
        f"{operation.value} depends on what other EnvoyFilters did before, and the object has no priority"
    )
    hint = "Set spec.priority; or use INSERT_FIRST or ADD where that does as well."
    has_version = written.match and written.match.proxy and written.match.proxy.proxy_version
    code = "EXT-010" if has_version else "EXT-007"
    yield _warned(owner, code, f"{written.at}.patch.operation", message, hint)


def _listener(written: envoy_filter.ListenerMatch | None) -> ListenerMatch | None:
    if written is None:
        return None
    return ListenerMatch(
        name=written.name,
        port=written.port_number,
        listener_filter=written.listener_filter,
        chain=_chain(written.filter_chain),
    )


def _chain(written: envoy_filter.FilterChainMatch | None) -> ChainMatch | None:
    if written is None:
        return None
    chosen = written.filter
    inner = chosen.sub_filter if chosen else None
    return ChainMatch(
        name=written.name,
        sni=written.sni,
        transport_protocol=written.transport_protocol,
        application_protocols=tuple(filter(None, written.application_protocols.split(","))),
        destination_port=written.destination_port,
        network_filter=chosen.name if chosen else None,
        http_filter=inner.name if inner else None,
    )


def _table(written: envoy_filter.RouteConfigurationMatch | None) -> TableMatch | None:
    if written is None:
        return None
    host = written.vhost
    route = host.route if host else None
    matcher = RouteMatcher(name=route.name, action=route.action) if route else None
    return TableMatch(
        name=written.name,
        port=written.port_number,
        port_name=written.port_name,
        gateway=written.gateway,
        host=HostMatch(name=host.name, domain=host.domain_name, route=matcher) if host else None,
    )


def _cluster(written: envoy_filter.ClusterMatch | None) -> ClusterMatch | None:
    if written is None:
        return None
    return ClusterMatch(
        name=written.name, port=written.port_number, service=written.service, subset=written.subset
    )
