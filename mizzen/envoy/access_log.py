"""Where requests, and connections that nobody took, are written down."""

import json
from typing import assert_never

from mizzen._api import pb
from mizzen.envoy.parts import extension, packed
from mizzen.model.telemetry import AccessLog, FileLog, GrpcLog, OtlpLog

_FILE = "envoy.access_loggers.file"
_HTTP = "envoy.access_loggers.http_grpc"
_TCP = "envoy.access_loggers.tcp_grpc"
_OTLP = "envoy.access_loggers.open_telemetry"
_CEL = "envoy.access_loggers.extension_filters.cel"
_WITHOUT_QUERY = "REQ_WITHOUT_QUERY"  # an operator of an extension
# Istio's line.
_TEXT = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% '
    "%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "
    '"%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% '
    '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" '
    '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% '
    "%UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% "
    "%REQUESTED_SERVER_NAME% %ROUTE_NAME%\n"
)


def access_log(log: AccessLog) -> pb.AccessLog:
    """Every request (or connection) of those who have it, or those that its expression holds for."""
    match log.to:
        case FileLog() as to:
            out = pb.AccessLog(name=_FILE, typed_config=packed(_file(to)))
        case GrpcLog() as to:
            out = _grpc(to)
        case OtlpLog() as to:
            out = pb.AccessLog(name=_OTLP, typed_config=packed(_otlp(to)))
        case other:
            assert_never(other)
    if log.only:
        out.filter.CopyFrom(_only(log.only))
    return out


def access_log_of_unmatched(log: AccessLog) -> pb.AccessLog:
    """Connections that no chain takes (response flag NR)."""
    out = access_log(log)
    unmatched = pb.AccessLogFilter()
    unmatched.response_flag_filter.flags.append("NR")
    if log.only:
        out.filter.and_filter.filters.extend((unmatched, _only(log.only)))
    else:
        out.filter.CopyFrom(unmatched)
    return out


def _only(expression: str) -> pb.AccessLogFilter:
    config = packed(pb.ExpressionFilter(expression=expression))
    return pb.AccessLogFilter(extension_filter=pb.ExtensionFilter(name=_CEL, typed_config=config))


def _file(log: FileLog) -> pb.FileAccessLog:
    config = pb.FileAccessLog(path=log.path)
    if log.json_format:
        config.log_format.json_format.update(json.loads(log.json_format))
    else:
        text = log.text_format or _TEXT
        config.log_format.text_format_source.inline_string = text if text.endswith("\n") else f"{text}\n"
    config.log_format.omit_empty_values = log.omit_empty
    config.log_format.formatters.extend(_formatters(log.json_format or log.text_format))
    return config


def _formatters(text: str) -> list[pb.TypedExtensionConfig]:
    if _WITHOUT_QUERY not in text:
        return []
    return [extension("envoy.formatter.req_without_query", pb.ReqWithoutQuery())]


def grpc_service(backend: str, authority: str) -> pb.GrpcService:
    """A collector that is spoken to over gRPC."""
    return pb.GrpcService(envoy_grpc=pb.GrpcService.EnvoyGrpc(cluster_name=backend, authority=authority))


def _common(log: GrpcLog | OtlpLog) -> pb.CommonGrpcAccessLogConfig:
    return pb.CommonGrpcAccessLogConfig(
        log_name=log.name,
        grpc_service=grpc_service(log.backend, log.authority),
        transport_api_version=pb.ApiVersion.V3,
    )


def _grpc(log: GrpcLog) -> pb.AccessLog:
    common = _common(log)
    common.filter_state_objects_to_log.extend(log.states)
    if log.kind == "tcp":
        return pb.AccessLog(name=_TCP, typed_config=packed(pb.TcpGrpcAccessLogConfig(common_config=common)))
    config = pb.HttpGrpcAccessLogConfig(
        common_config=common,
        additional_request_headers_to_log=log.request_headers,
        additional_response_headers_to_log=log.response_headers,
        additional_response_trailers_to_log=log.response_trailers,
    )
    return pb.AccessLog(name=_HTTP, typed_config=packed(config))


def _otlp(log: OtlpLog) -> pb.OpenTelemetryAccessLogConfig:
    config = pb.OpenTelemetryAccessLogConfig(common_config=_common(log), disable_builtin_labels=True)
    config.body.string_value = log.text_format or _TEXT
    for key, value in log.attributes:
        config.attributes.values.add(key=key).value.string_value = value
    config.formatters.extend(
        _formatters(" ".join((log.text_format, *(value for _, value in log.attributes))))
    )
    return config
