"""One route: a match, and what is done with the requests that fit."""

from functools import lru_cache
from http import HTTPStatus
from typing import assert_never

from mizzen._api import pb
from mizzen.envoy.filters import cors, fault, grpc_stats, grpc_web
from mizzen.envoy.filters.meeting import switched_on
from mizzen.envoy.header_changes import add_header_changes
from mizzen.envoy.parts import NO_TIMEOUT, duration, extension, packed, regex, runtime_fraction, uint32
from mizzen.envoy.route_match import route_match
from mizzen.errors import ResourceRef
from mizzen.model.route import (
    Copy,
    Fail,
    Forward,
    Grpc,
    HashOn,
    Redirect,
    Respond,
    Retry,
    Rewrite,
    Route,
    Weighted,
)

_REDIRECTS = {
    HTTPStatus.MOVED_PERMANENTLY: pb.RedirectAction.MOVED_PERMANENTLY,
    HTTPStatus.FOUND: pb.RedirectAction.FOUND,
    HTTPStatus.SEE_OTHER: pb.RedirectAction.SEE_OTHER,
    HTTPStatus.TEMPORARY_REDIRECT: pb.RedirectAction.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT: pb.RedirectAction.PERMANENT_REDIRECT,
}
# How often another endpoint is looked for that has not been tried yet (Istio's number).
_SELECTION_ATTEMPTS = 5


def route(one: Route) -> pb.Route:
    out = pb.Route(
        name=one.name,
        match=route_match(one.match),
        metadata=_metadata(one.origin) if one.origin.kind == "VirtualService" else None,
    )
    match one.action:
        case Forward() as action:
            out.route.CopyFrom(route_action(action))
        case Redirect() as action:
            out.redirect.CopyFrom(redirect_action(action))
        case Respond() as action:
            out.direct_response.CopyFrom(direct_response_action(action))
        case Fail(status=status, because=because):
            out.direct_response.status = status
            # For whoever reads Envoy's configuration; clients learn nothing of it.
            out.metadata.filter_metadata["mizzen"].fields["because"].string_value = because
        case other:
            assert_never(other)
    add_header_changes(one.headers, out)
    if isinstance(one.action, Forward) and len(one.action.to) == 1:
        add_header_changes(one.action.to[0].headers, out)
    if one.cors is not None:
        out.typed_per_filter_config[cors.NAME].CopyFrom(packed(cors.cors_policy(one.cors)))
    if one.fault is not None:
        out.typed_per_filter_config[fault.NAME].CopyFrom(packed(fault.http_fault(one.fault)))
    if isinstance(one.action, Forward) and one.action.grpc is not None:
        out.typed_per_filter_config[grpc_stats.NAME].CopyFrom(switched_on())
        if one.action.grpc is Grpc.WEB:
            out.typed_per_filter_config[grpc_web.NAME].CopyFrom(switched_on())
    if one.stat_prefix:
        out.stat_prefix = one.stat_prefix
    if one.operation:
        out.decorator.operation = one.operation
    return out


@lru_cache(maxsize=1024)
def _metadata(origin: ResourceRef) -> pb.Metadata:
    """Which VirtualService it came from, where istioctl looks for it."""
    out = pb.Metadata()
    path = f"/apis/networking.istio.io/v1/namespaces/{origin.namespace}/virtual-service/{origin.name}"
    out.filter_metadata["istio"].fields["config"].string_value = path
    return out


# --- passing on -------------------------------------------------------------------------------------


def route_action(action: Forward) -> pb.RouteAction:
    # Without a word of ours, Envoy ends a request after 15 s.
    timeout = duration(action.timeout or NO_TIMEOUT)
    # `max_grpc_timeout` lets clients ask for less by grpc-timeout, as in Istio.
    out = pb.RouteAction(timeout=timeout, max_grpc_timeout=timeout)
    if len(action.to) == 1:
        out.cluster = action.to[0].backend
    else:
        out.weighted_clusters.clusters.extend(cluster_weight(share) for share in action.to)
    if action.retry is not None:
        out.retry_policy.CopyFrom(_retry_policy(action.retry))
    if action.copies:
        out.request_mirror_policies.extend(request_mirror_policy(copy) for copy in action.copies)
    if action.hash_on:
        out.hash_policy.extend(hash_policy(on) for on in action.hash_on)
    host = action.rewrite.host or (action.to[0].host_rewrite if len(action.to) == 1 else "")
    if host:
        out.host_rewrite_literal = host
    _rewrite(action.rewrite, out)
    return out


def _rewrite(rewrite: Rewrite, out: pb.RouteAction) -> None:
    if rewrite.regex:
        out.regex_rewrite.pattern.CopyFrom(regex(rewrite.regex))
        out.regex_rewrite.substitution = rewrite.substitution
    elif rewrite.prefix is not None:
        out.prefix_rewrite = rewrite.prefix
    if rewrite.forward_original_host:
        out.append_x_forwarded_host = True


def cluster_weight(share: Weighted) -> pb.WeightedCluster.ClusterWeight:
    out = pb.WeightedCluster.ClusterWeight(name=share.backend, weight=uint32(share.weight))
    add_header_changes(share.headers, out)
    if share.host_rewrite:
        out.host_rewrite_literal = share.host_rewrite
    return out


def request_mirror_policy(copy: Copy) -> pb.RouteAction.RequestMirrorPolicy:
    return pb.RouteAction.RequestMirrorPolicy(
        cluster=copy.backend,
        runtime_fraction=runtime_fraction(copy.share),
        trace_sampled=pb.BoolValue(value=False),
        disable_shadow_host_suffix_append=True,
    )


def hash_policy(on: HashOn) -> pb.RouteAction.HashPolicy:
    policy = pb.RouteAction.HashPolicy
    if on.header:
        return policy(header=policy.Header(header_name=on.header))
    if on.query:
        return policy(query_parameter=policy.QueryParameter(name=on.query))
    if on.source_ip:
        return policy(connection_properties=policy.ConnectionProperties(source_ip=True))
    out = policy(cookie=policy.Cookie(name=on.cookie, path=on.cookie_path))
    if on.cookie_ttl is not None:
        out.cookie.ttl.CopyFrom(duration(on.cookie_ttl))
    for name, value in on.cookie_attributes:
        out.cookie.attributes.add(name=name, value=value)
    return out


def retry_policy(retry: Retry) -> pb.RetryPolicy:
    out = pb.RetryPolicy(
        retry_on=retry.on,
        num_retries=uint32(retry.attempts),
        retriable_status_codes=retry.statuses,
        host_selection_retry_max_attempts=_SELECTION_ATTEMPTS,
    )
    if retry.avoid_tried_endpoints:
        found = extension("envoy.retry_host_predicates.previous_hosts", pb.PreviousHostsPredicate())
        out.retry_host_predicate.add(name=found.name, typed_config=found.typed_config)
    if retry.other_localities:
        previous = pb.PreviousPrioritiesConfig(update_frequency=2)
        out.retry_priority.name = "envoy.retry_priorities.previous_priorities"
        out.retry_priority.typed_config.CopyFrom(packed(previous))
    if retry.per_try_timeout is not None:
        out.per_try_timeout.CopyFrom(duration(retry.per_try_timeout))
    if retry.backoff is not None:
        out.retry_back_off.base_interval.CopyFrom(duration(retry.backoff))
    return out


# Most routes have the mesh's policy; nobody changes what this returns.
_retry_policy = lru_cache(maxsize=256)(retry_policy)


# --- answering ourselves ----------------------------------------------------------------------------


def redirect_action(action: Redirect) -> pb.RedirectAction:
    out = pb.RedirectAction(
        host_redirect=action.host,
        response_code=_REDIRECTS[HTTPStatus(action.status)],
    )
    if action.prefix is not None:
        out.prefix_rewrite = action.prefix
    elif action.path is not None:
        out.path_redirect = action.path
    if action.scheme:
        out.scheme_redirect = action.scheme
    if action.port is not None:
        out.port_redirect = action.port
    return out


def direct_response_action(action: Respond) -> pb.DirectResponseAction:
    out = pb.DirectResponseAction(status=action.status)
    if action.body is None:
        return out
    if action.body_is_text:
        out.body.inline_string = action.body.decode(errors="replace")
    else:
        out.body.inline_bytes = action.body
    return out
