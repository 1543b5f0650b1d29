"""meshConfig.extensionProviders -> Authorizers, who are asked by AuthorizationPolicies with the action CUSTOM.

One that cannot be asked has a fault: whoever needs it refuses.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from mizzen.lazy import dataclass
from mizzen.model.authorization import Authorizer, CheckedBody, Text
from mizzen.resolve import with_errors
from mizzen.resolve.access.spellings import text
from mizzen.resolve.context import Context, step
from mizzen.resolve.names import backend_name
from mizzen.resolve.services.destinations import GRPC, Indexes
from mizzen.resources.declaring.compile import nearest
from mizzen.resources.formats import checks
from mizzen.resources.istio.external_authorizer import (
    EnvoyExternalAuthorizationGrpcProvider,
    EnvoyExternalAuthorizationHttpProvider,
    ExtAuthzRequestBody,
)
from mizzen.resources.istio.provider import ExtensionProvider

# Istio's, where nothing is said: long enough for whatever the DestinationRule of the authorizer says.
_PATIENCE = timedelta(seconds=600)
# Of envoy.type.v3.StatusCode, those that can refuse.
_STATUSES = frozenset(
    {*range(300, 309), *range(400, 418), *range(421, 425), 426, 428, 429, 431, *range(500, 509), 510, 511}
) - {306}

_Provider = EnvoyExternalAuthorizationHttpProvider | EnvoyExternalAuthorizationGrpcProvider


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The authorizer of a name, or why there is none. `doubt`: why it may not answer."""

    authorizer: Authorizer | None = None
    fault: str = ""
    hint: str = ""
    doubt: str = ""


class _Unusable(ValueError):
    """Why a provider cannot be asked, and what to do."""

    def __init__(self, why: str, hint: str = "Mend it in meshConfig.extensionProviders.") -> None:
        super().__init__(why)
        self.hint = hint


@step
def authorizer_of(ctx: Context, name: str) -> Found:
    """Who is asked under the name of a provider."""
    providers = [one for one in ctx.mesh.extension_providers if one.name == name]
    if len(providers) > 1:
        return Found(
            fault=f"meshConfig.extensionProviders names {name!r} more than once",
            hint="Give each provider a name of its own.",
        )
    kinds = _authorizers(providers[0]) if providers else ()
    if not providers or not kinds:
        is_what = "is no authorizer" if providers else "is not there"
        return Found(
            fault=f"the provider {name!r} of meshConfig.extensionProviders {is_what}", hint=_known(ctx)
        )
    if len(kinds) > 1:
        return Found(
            fault=f"the provider {name!r} is of two kinds",
            hint="Keep one of envoyExtAuthzHttp and envoyExtAuthzGrpc.",
        )
    try:
        return _found(ctx, name, kinds[0])
    except _Unusable as wrong:
        return Found(fault=f"the provider {name!r} cannot be asked: {wrong}", hint=wrong.hint)


def _known(ctx: Context) -> str:
    names = sorted({one.name for one in ctx.mesh.extension_providers if _authorizers(one)})
    if not names:
        return "Define it in meshConfig.extensionProviders: {name: ..., envoyExtAuthzHttp: {service: ..., port: ...}}."
    return f"Authorizers are: {', '.join(names)}."


def _authorizers(provider: ExtensionProvider) -> tuple[_Provider, ...]:
    both = (provider.envoy_ext_authz_http, provider.envoy_ext_authz_grpc)
    return tuple(one for one in both if one is not None)


def _found(ctx: Context, name: str, provider: _Provider) -> Found:
    host, protocol = _service(ctx, provider)
    made = Authorizer(
        name=name,
        kind="grpc" if isinstance(provider, EnvoyExternalAuthorizationGrpcProvider) else "http",
        backend=backend_name(provider.port, "", host),
        host=host,
        timeout=_timeout(provider.timeout),
        fail_open=provider.fail_open,
        status_on_error=_status(provider.status_on_error),
        chooses_routes=provider.clear_route_cache,
        body=_body(provider.include_request_body_in_check),
    )
    if isinstance(provider, EnvoyExternalAuthorizationHttpProvider):
        return Found(authorizer=_over_http(made, provider))
    doubt = "" if protocol in GRPC else f"port {provider.port} of {host} does not say that it carries gRPC"
    return Found(authorizer=made, doubt=doubt)


def _service(ctx: Context, provider: _Provider) -> tuple[str, str]:
    """The host, and what its port is declared to carry."""
    namespace, _, host = provider.service.rpartition("/")
    if not host:
        raise _Unusable("it names no service")
    indexes: Indexes = ctx.steps.views["indexes"]
    service = indexes.services.get(host)
    if service is None or (namespace and service.namespace != namespace):
        raise _unknown(ctx, provider.service, host, indexes)
    if service.alias_of:
        host = service.alias_of
        service = indexes.services.get(host)
    port = service.port(provider.port) if service else None
    if port is None:
        raise _Unusable(f"{host} has no port {provider.port}")
    return host, port.protocol


def _unknown(ctx: Context, written: str, host: str, indexes: Indexes) -> _Unusable:
    if meant := with_errors.service(ctx, host):
        return _Unusable(f"{meant} has errors of its own", "Mend the errors that are told of at it.")
    like = nearest(host, tuple(one.host for one in indexes.services.all))
    hint = (
        f"Did you mean {like}?" if like else "A Service is written in full: NAME.NAMESPACE.svc.cluster.local."
    )
    return _Unusable(f"no service is known under {written!r}", hint)


def _timeout(value: timedelta | None) -> timedelta:
    if value is None:
        return _PATIENCE
    if value <= timedelta(0):
        raise _Unusable("its timeout must be longer than 0s")
    return value


def _status(value: str) -> int | None:
    if not value:
        return None
    if not (value.isascii() and value.isdecimal() and int(value) in _STATUSES):
        raise _Unusable(f"statusOnError {value[:20]!a} is no status of a refusal")
    return int(value)


def _body(value: ExtAuthzRequestBody | None) -> CheckedBody | None:
    if value is None:
        return None
    if not value.max_request_bytes:
        raise _Unusable("includeRequestBodyInCheck needs maxRequestBytes")
    return CheckedBody(
        most=value.max_request_bytes, partial=value.allow_partial_message, raw=value.pack_as_bytes
    )


def _over_http(made: Authorizer, provider: EnvoyExternalAuthorizationHttpProvider) -> Authorizer:
    prefix = provider.path_prefix
    if prefix and (not prefix.startswith("/") or checks.plain(prefix) or " " in prefix):
        raise _Unusable(f"pathPrefix {prefix[:60]!a} is no path")
    shown = ("includeRequestHeadersInCheck", provider.include_request_headers_in_check)
    if not shown[1]:
        shown = ("includeHeadersInCheck", provider.include_headers_in_check)
    return replace(
        made,
        path_prefix=prefix,
        shown=tuple(_names(*shown)),
        added=_added(provider.include_additional_headers_in_check),
        to_backend=tuple(_names("headersToUpstreamOnAllow", provider.headers_to_upstream_on_allow)),
        to_refused=tuple(_names("headersToDownstreamOnDeny", provider.headers_to_downstream_on_deny)),
        to_allowed=tuple(_names("headersToDownstreamOnAllow", provider.headers_to_downstream_on_allow)),
    )


def _names(field: str, values: tuple[str, ...]) -> Iterator[Text]:
    for value in values:
        if not value or value == "*":
            raise _Unusable(f'{field}: {value[:1]!a} is not allowed; write a name, or "x-*" or "*-x"')
        if wrong := checks.token(value):
            raise _Unusable(f"{field}: {wrong}")
        yield text(value)


def _added(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    for name, value in headers.items():
        if wrong := checks.token(name) or checks.header_value(value):
            raise _Unusable(f"includeAdditionalHeadersInCheck: {wrong}")
        if name.lower() == "host":
            raise _Unusable("includeAdditionalHeadersInCheck: the host of the request is sent, and no other")
    return tuple(sorted(headers.items()))
