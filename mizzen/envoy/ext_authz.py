"""Access with an authorizer -> two filters: which requests (or connections) its rules describe, and asking about these.

The first is an RBAC filter that refuses nothing and leaves in the metadata what it would have refused (its shadow rules); the
second asks where that stands there. A rule that describes everything needs no first filter.
"""

from mizzen._api import pb
from mizzen.envoy.authorization import rbac, text
from mizzen.envoy.parts import duration, extension, packed
from mizzen.model.authorization import Access, All, Authorizer, Text

NAME = "envoy.filters.http.ext_authz"
HTTP_RBAC = "envoy.filters.http.rbac"
TCP_NAME = "envoy.filters.network.ext_authz"
TCP_RBAC = "envoy.filters.network.rbac"


def http_filters(access: Access, authorizer: Authorizer) -> list[pb.TypedExtensionConfig]:
    """Those of requests, in their order. () where no rule describes anything."""
    if not access.rules:
        return []
    asking = ext_authz(authorizer)
    if _describes_everything(access):
        return [extension(NAME, asking)]
    prefix = _prefix(authorizer)
    asking.filter_enabled_metadata.CopyFrom(_described(HTTP_RBAC, prefix))
    shadow = pb.RBAC(shadow_rules=rbac(access), shadow_rules_stat_prefix=prefix)
    return [extension(HTTP_RBAC, shadow), extension(NAME, asking)]


def network_filters(access: Access, authorizer: Authorizer) -> list[pb.Filter]:
    """Those of connections whose bytes are passed on: an authorizer is asked over gRPC."""
    if not access.rules:
        return []
    asking = network_ext_authz(authorizer)
    if _describes_everything(access):
        return [pb.Filter(name=TCP_NAME, typed_config=packed(asking))]
    prefix = _prefix(authorizer)
    asking.filter_enabled_metadata.CopyFrom(_described(TCP_RBAC, prefix))
    shadow = pb.NetworkRBAC(shadow_rules=rbac(access), shadow_rules_stat_prefix=prefix, stat_prefix="tcp.")
    return [
        pb.Filter(name=TCP_RBAC, typed_config=packed(shadow)),
        pb.Filter(name=TCP_NAME, typed_config=packed(asking)),
    ]


def _describes_everything(access: Access) -> bool:
    return any(rule.what == All() and rule.who == All() for rule in access.rules)


def _prefix(authorizer: Authorizer) -> str:
    """Of what its rules leave in the metadata: no other filter writes there."""
    return f"ext_authz_{authorizer.name}_"


def _described(namespace: str, prefix: str) -> pb.MetadataMatcher:
    """Whether a rule holds: the shadow rules are refusals, which "deny" what they describe."""
    return pb.MetadataMatcher(
        filter=namespace,
        path=[pb.MetadataMatcher.PathSegment(key=f"{prefix}shadow_engine_result")],
        value=pb.ValueMatcher(string_match=pb.StringMatcher(exact="denied")),
    )


def ext_authz(authorizer: Authorizer) -> pb.ExtAuthz:
    """How requests are asked about. An answer with headers that cannot be sent is an error, and refuses."""
    out = pb.ExtAuthz(
        transport_api_version=pb.ApiVersion.V3,
        failure_mode_allow=authorizer.fail_open,
        clear_route_cache=authorizer.chooses_routes,
        validate_mutations=True,
    )
    if authorizer.status_on_error is not None:
        out.status_on_error.code = pb.StatusCode.ValueType(authorizer.status_on_error)
    if authorizer.body is not None:
        out.with_request_body.max_request_bytes = authorizer.body.most
        out.with_request_body.allow_partial_message = authorizer.body.partial
        out.with_request_body.pack_as_bytes = authorizer.body.raw
    if authorizer.kind == "grpc":
        out.grpc_service.CopyFrom(grpc_service(authorizer))
        return out
    out.http_service.CopyFrom(_http_service(authorizer))
    if authorizer.shown:
        out.allowed_headers.CopyFrom(_names(authorizer.shown))
    return out


def network_ext_authz(authorizer: Authorizer) -> pb.NetworkExtAuthz:
    return pb.NetworkExtAuthz(
        stat_prefix="tcp.",
        grpc_service=grpc_service(authorizer),
        failure_mode_allow=authorizer.fail_open,
        transport_api_version=pb.ApiVersion.V3,
    )


def grpc_service(authorizer: Authorizer) -> pb.GrpcService:
    return pb.GrpcService(
        envoy_grpc=pb.GrpcService.EnvoyGrpc(cluster_name=authorizer.backend, authority=authorizer.host),
        timeout=duration(authorizer.timeout),
    )


def _http_service(authorizer: Authorizer) -> pb.ExtAuthzHttpService:
    out = pb.ExtAuthzHttpService(
        path_prefix=authorizer.path_prefix,
        server_uri=pb.HttpUri(
            uri=f"http://{authorizer.host}",
            cluster=authorizer.backend,
            timeout=duration(authorizer.timeout),
        ),
    )
    for name, value in authorizer.added:
        out.authorization_request.headers_to_add.add(key=name, value=value)
    for field, names in (
        ("allowed_upstream_headers", authorizer.to_backend),
        ("allowed_client_headers", authorizer.to_refused),
        ("allowed_client_headers_on_success", authorizer.to_allowed),
    ):
        if names:
            getattr(out.authorization_response, field).CopyFrom(_names(names))
    return out


def _names(names: tuple[Text, ...]) -> pb.ListStringMatcher:
    return pb.ListStringMatcher(patterns=[text(name, ignore_case=True) for name in names])
