"""Where a proxy logs requests and connections: MeshConfig and Telemetry -> AccessLog.

Where a Telemetry object or defaultProviders say anything of access logs, accessLogFile counts no more (Istio:
AccessLogBuilder, mergeLogs).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.lazy import dataclass
from mizzen.model.backend import Protocol
from mizzen.model.telemetry import AccessLog, FileLog, GrpcLog, OtlpLog
from mizzen.resolve.context import Context, step
from mizzen.resolve.listeners.collectors import Collector, at_address, collector, find, report
from mizzen.resolve.listeners.telemetry import Mode, matches, telemetries
from mizzen.resources.declaring.values import describe
from mizzen.resources.formats import checks
from mizzen.resources.formats.access_log import wrong_format
from mizzen.resources.istio.provider import (
    ExtensionProvider,
    FileLogProvider,
    GrpcLogProvider,
    LogFormat,
    OtlpLogProvider,
)
from mizzen.resources.istio.telemetry import AccessLogging, Telemetry

CODES = {
    "GW-009": "The format of the access log cannot be used; Istio's own is.",
    "TEL-006": "A Telemetry names no provider of access logs, and none is in force: nothing is logged.",
    "TEL-004": "A provider that is to be told of requests does not exist, or is of another kind.",
}
STDOUT = "/dev/stdout"
_BUILT_IN = (
    "envoy"  # the provider that logs as the mesh's accessLogFormat says, unless it has a format of its own
)
_ALS, _ALS_PORT = "envoy_accesslog_service", 15000
_DEEPEST = 8  # objects within one another in a JSON format

# Istio's fields of a JSON log line.
_JSON_LINE = {
    "start_time": "%START_TIME%",
    "route_name": "%ROUTE_NAME%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "protocol": "%PROTOCOL%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "connection_termination_details": "%CONNECTION_TERMINATION_DETAILS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration": "%DURATION%",
    "upstream_service_time": "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
    "x_forwarded_for": "%REQ(X-FORWARDED-FOR)%",
    "user_agent": "%REQ(USER-AGENT)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "authority": "%REQ(:AUTHORITY)%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_cluster": "%UPSTREAM_CLUSTER%",
    "upstream_local_address": "%UPSTREAM_LOCAL_ADDRESS%",
    "downstream_local_address": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "requested_server_name": "%REQUESTED_SERVER_NAME%",
    "upstream_transport_failure_reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """Where a proxy logs, and the collectors among that."""

    logs: tuple[AccessLog, ...] = ()
    collectors: tuple[Collector, ...] = ()


def access_logs(ctx: Context, mode: Mode = "CLIENT") -> tuple[AccessLog, ...]:
    """Where requests and connections are logged: nowhere unless somebody says so."""
    return access_logging(ctx, mode).logs


@step
def access_logging(ctx: Context, mode: Mode) -> Logs:
    ranks = [one for one in telemetries(ctx) if one.spec.access_logging]
    if not ranks and not ctx.mesh.default_providers.access_logging:
        return _of_mesh(ctx)
    logs: list[AccessLog] = []
    collectors: list[Collector] = []
    for name, wanted in _merged(ctx, ranks, mode).items():
        provider = find(ctx, name)
        if provider is None:
            _report_missing(ctx, wanted, f"there is no provider {name!r}")
            continue
        for to, place in _to(ctx, provider, wanted):
            logs.append(AccessLog(to=to, only=wanted.expression))
            collectors.extend((place,) if place else ())
    return Logs(logs=tuple(logs), collectors=tuple(collectors))


# --- which providers --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """That a provider is told, and who says so. Without `ref` it is the mesh's default."""

    expression: str = ""
    ref: ResourceRef | None = None
    at: str = ""


def _merged(ctx: Context, ranks: list[Telemetry], mode: Mode) -> Mapping[str, _Wanted]:
    """Provider -> what it is told. Those that the last rank names count, else those of the rank above; within them,
    each entry in turn adds one or takes it away.

    An entry that names no provider is for those of the entry before; its filter is theirs (in Istio it is lost).
    """
    defaults = tuple(ctx.mesh.default_providers.access_logging)
    if not ranks:
        return dict.fromkeys(defaults, _Wanted())
    in_force = defaults
    for rank in ranks:
        own = [one for one in rank.spec.access_logging if matches(one.match, mode)]
        in_force = tuple(dict.fromkeys(name for one in own for name in _names(one))) or in_force
    found: dict[str, _Wanted] = {}
    filters: dict[str, _Wanted] = {}
    names = defaults
    for rank in ranks:
        for one in rank.spec.access_logging:
            names = _names(one) or names
            if not matches(one.match, mode):
                continue
            if not names and not one.disabled:
                _report_nobody(ctx, rank.ref, one)
            for name in names:
                if name not in in_force:
                    continue
                if one.providers or one.filter or name not in filters:
                    expression = one.filter.expression if one.filter else ""
                    filters[name] = _Wanted(expression=expression, ref=rank.ref, at=one.at)
                if one.disabled:
                    found.pop(name, None)
                else:
                    found[name] = filters[name]
    return found


def _names(logging: AccessLogging) -> tuple[str, ...]:
    return tuple(provider.name for provider in logging.providers)


def _report_nobody(ctx: Context, ref: ResourceRef, logging: AccessLogging) -> None:
    ctx.report(
        Problem(
            severity=Severity.WARNING,
            code="TEL-006",
            resource=ref,
            field=logging.at,
            message="it names no provider, and the mesh has no default: nothing is logged, by accessLogFile neither",
            hint="Write providers: [{name: envoy}], or meshConfig.defaultProviders.accessLogging.",
        )
    )


def _report_missing(ctx: Context, wanted: _Wanted, wrong: str) -> None:
    ctx.report(
        Problem(
            code="TEL-004",
            resource=wanted.ref or ctx.proxy.origin,
            field=f"{wanted.at}.providers"
            if wanted.ref
            else "spec.meshConfig.defaultProviders.accessLogging",
            message=f"{wrong}: nothing is logged by it",
            hint="The providers are those of meshConfig.extensionProviders, and `envoy`, which writes to /dev/stdout.",
        )
    )


# --- what they are told -----------------------------------------------------------------------------


def _to(
    ctx: Context, provider: ExtensionProvider, wanted: _Wanted
) -> Iterator[tuple[FileLog | GrpcLog | OtlpLog, Collector | None]]:
    if provider.envoy_file_access_log is not None:
        yield _file(ctx, provider, provider.envoy_file_access_log), None
    elif provider.envoy_http_als is not None:
        yield from _grpc(ctx, provider, provider.envoy_http_als, "http")
    elif provider.envoy_tcp_als is not None:
        yield from _grpc(ctx, provider, provider.envoy_tcp_als, "tcp")
    elif provider.envoy_otel_als is not None:
        yield from _otlp(ctx, provider, provider.envoy_otel_als)
    else:
        _report_missing(ctx, wanted, f"the provider {provider.name} is of a kind that takes no logs")


def _file(ctx: Context, provider: ExtensionProvider, wanted: FileLogProvider) -> FileLog:
    path, empty = wanted.path or STDOUT, wanted.omit_empty_values
    if wanted.log_format is None:
        is_meshs = provider.name == _BUILT_IN and not empty
        return _by_mesh(ctx, path) if is_meshs else FileLog(path=path, omit_empty=empty)
    text, labels = _formats(ctx, wanted.log_format)
    as_json = "" if labels is None else json.dumps(labels or _JSON_LINE)
    return FileLog(path=path, text_format=text, json_format=as_json, omit_empty=empty)


def _grpc(
    ctx: Context, provider: ExtensionProvider, wanted: GrpcLogProvider, kind: Literal["http", "tcp"]
) -> Iterator[tuple[GrpcLog, Collector]]:
    place = collector(ctx, provider, wanted, _backend(provider), Protocol.HTTP2)
    headers = (
        wanted.additional_request_headers_to_log,
        wanted.additional_response_headers_to_log,
        wanted.additional_response_trailers_to_log,
    )
    for name in (name for names in headers for name in names):
        if wrong := checks.matched_header(name):
            report(ctx, provider, wanted.at, wrong)
            return
    if place is not None:
        log = GrpcLog(
            kind=kind,
            backend=place.name,
            authority=place.host,
            name=wanted.log_name or f"{kind}_envoy_accesslog",
            states=wanted.filter_state_objects_to_log,
            request_headers=headers[0],
            response_headers=headers[1],
            response_trailers=headers[2],
        )
        yield log, place


def _otlp(
    ctx: Context, provider: ExtensionProvider, wanted: OtlpLogProvider
) -> Iterator[tuple[OtlpLog, Collector]]:
    place = collector(ctx, provider, wanted, _backend(provider), Protocol.HTTP2)
    text, labels = _formats(ctx, wanted.log_format or LogFormat())
    if place is not None:
        attributes = tuple(
            (key, value) for key, value in sorted((labels or {}).items()) if isinstance(value, str)
        )
        log = OtlpLog(
            backend=place.name,
            authority=place.host,
            name=wanted.log_name or "otel_envoy_accesslog",
            text_format=text,
            attributes=attributes,
        )
        yield log, place


def _backend(provider: ExtensionProvider) -> str:
    return f"access-logs/{provider.name}"


def _formats(ctx: Context, wanted: LogFormat) -> tuple[str, Mapping[str, Any] | None]:
    """The text and the labels; without what Envoy would not take."""
    text, labels = wanted.text, wanted.labels
    if text and (wrong := wrong_format(text, extended=True)):
        _unusable_format(ctx, wrong, at=f"{wanted.at}.text")
        text = ""
    if labels and (wrong := _wrong_labels(labels)):
        _unusable_format(ctx, wrong, at=f"{wanted.at}.labels")
        labels = {}
    return text, labels


# --- the mesh's own log -----------------------------------------------------------------------------


def _of_mesh(ctx: Context) -> Logs:
    """By accessLogFile, and by the access log service of the proxy's configuration."""
    mesh, service = ctx.mesh, ctx.proxy.config.envoy_access_log_service
    logs = [AccessLog(to=_by_mesh(ctx, mesh.access_log_file))] if mesh.access_log_file else []
    places: list[Collector] = []
    if mesh.enable_envoy_access_log_service and service is not None and service.address:
        place = at_address(service.address, _ALS, _ALS_PORT, Protocol.HTTP2)
        log = GrpcLog(kind="http", backend=_ALS, authority=place.host, name="http_envoy_accesslog")
        logs, places = [*logs, AccessLog(to=log)], [place]
    return Logs(logs=tuple(logs), collectors=tuple(places))


def _by_mesh(ctx: Context, path: str) -> FileLog:
    """A file in the mesh's format."""
    if ctx.mesh.access_log_encoding == "TEXT":
        return FileLog(path=path, text_format=_text_format(ctx))
    return FileLog(path=path, json_format=json.dumps(_json_format(ctx) or _JSON_LINE))


def _text_format(ctx: Context) -> str:
    text = ctx.mesh.access_log_format
    if wrong := wrong_format(text, extended=True):
        _unusable_format(ctx, wrong)
        return ""
    return text


def _json_format(ctx: Context) -> Mapping[str, Any]:
    text = ctx.mesh.access_log_format
    if not text.strip():
        return {}
    wanted = _json_object(text)
    if wanted is None:
        hint = 'For example {"path": "%REQ(:PATH)%", "status": "%RESPONSE_CODE%"}.'
        _unusable_format(ctx, "with accessLogEncoding JSON the format is a JSON object", hint)
        return {}
    if wrong := _wrong_labels(wanted):
        _unusable_format(ctx, wrong)
        return {}
    return wanted


def _json_object(text: str) -> dict[str, Any] | None:
    """An object that can be sent on (JSON knows halves of characters, which cannot); else None."""
    try:
        wanted = json.loads(text)
        json.dumps(wanted, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None
    return wanted if isinstance(wanted, dict) else None


def _wrong_labels(labels: Mapping[str, Any], depth: int = 0) -> str:
    """What Envoy would not take of the fields of a JSON line, which may hold others."""
    if depth > _DEEPEST:
        return f"more than {_DEEPEST} objects lie within one another"
    for key, value in labels.items():
        wrong = ""
        if isinstance(value, str):
            wrong = wrong_format(value, extended=True)
        elif isinstance(value, Mapping):
            wrong = _wrong_labels(value, depth + 1)
        elif isinstance(value, list):
            wrong = _wrong_labels({str(index): item for index, item in enumerate(value)}, depth + 1)
        elif not isinstance(value, bool | int | float | None):
            wrong = "a value is a text, a number, a boolean, a list or an object"
        if wrong:
            return f"in {describe(key).removeprefix('the string ')}: {wrong}"
    return ""


def _unusable_format(
    ctx: Context,
    message: str,
    hint: str = "Until then Istio's own format is used.",
    at: str = "spec.meshConfig.accessLogFormat",
) -> None:
    ctx.report(
        Problem(
            severity=Severity.WARNING,
            code="GW-009",
            resource=ctx.proxy.origin,
            field=at,
            message=message,
            hint=hint,
        )
    )
