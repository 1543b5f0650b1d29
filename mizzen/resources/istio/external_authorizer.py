"""Providers of meshConfig.extensionProviders that say whether a request may pass (AuthorizationPolicy, action CUSTOM)."""

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from typing import Annotated, ClassVar

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Element, LooseText, UInt32, Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part(Element):
    UNKNOWN_FIELDS: ClassVar[Unknown] = Unknown.WARN


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtAuthzRequestBody(_Part):
    """How much of a request's body the authorizer sees."""

    max_request_bytes: Annotated[UInt32, "at least 1; requests with more are answered 413"] = 0
    allow_partial_message: Annotated[bool, "the beginning of a larger body is enough"] = False
    pack_as_bytes: Annotated[bool, "for gRPC: the body need not be UTF-8"] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoyExternalAuthorizationHttpProvider(_Part):
    """An authorizer that is asked over HTTP. Names of headers: `abc`, `abc*` or `*abc`."""

    service: Annotated[str, "[NAMESPACE/]HOST of a service"] = ""
    port: UInt32 = 0
    timeout: Annotated[timedelta | None, "600s where nothing is said"] = None
    path_prefix: Annotated[str, "put before the path of the request"] = ""
    fail_open: Annotated[bool, "a request passes where the authorizer fails"] = False
    clear_route_cache: Annotated[bool, "its headers may choose another route"] = False
    status_on_error: Annotated[LooseText, "where it fails; 403 where nothing is said"] = ""
    include_headers_in_check: Annotated[tuple[str, ...], "deprecated: includeRequestHeadersInCheck"] = ()
    include_request_headers_in_check: Annotated[
        tuple[str, ...], "beside Host, method, path, Content-Length, Authorization"
    ] = ()
    include_additional_headers_in_check: Mapping[str, str] = field(default_factory=dict)
    include_request_body_in_check: ExtAuthzRequestBody | None = None
    headers_to_upstream_on_allow: tuple[str, ...] = ()
    headers_to_downstream_on_deny: Annotated[tuple[str, ...], "all where none is named"] = ()
    headers_to_downstream_on_allow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoyExternalAuthorizationGrpcProvider(_Part):
    """An authorizer that is asked over gRPC (envoy.service.auth.v3.Authorization), also for connections."""

    service: Annotated[str, "[NAMESPACE/]HOST of a service"] = ""
    port: UInt32 = 0
    timeout: Annotated[timedelta | None, "600s where nothing is said"] = None
    fail_open: Annotated[bool, "a request passes where the authorizer fails"] = False
    clear_route_cache: Annotated[bool, "its headers may choose another route"] = False
    status_on_error: Annotated[LooseText, "where it fails; 403 where nothing is said"] = ""
    include_request_body_in_check: ExtAuthzRequestBody | None = None
