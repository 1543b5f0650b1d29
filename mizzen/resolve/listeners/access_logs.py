"""Where a proxy logs requests and connections: MeshConfig -> AccessLog."""

import json

from mizzen.errors import Problem, Severity
from mizzen.model.listener import AccessLog
from mizzen.resolve.context import Context
from mizzen.resources.declaring.values import describe
from mizzen.resources.formats.access_log import wrong_format

CODES = {"GW-009": "The format of the access log cannot be used; Istio's own is."}

# Istio's fields of a JSON log line.
_JSON_LINE = (
    ("start_time", "%START_TIME%"),
    ("route_name", "%ROUTE_NAME%"),
    ("method", "%REQ(:METHOD)%"),
    ("path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"),
    ("protocol", "%PROTOCOL%"),
    ("response_code", "%RESPONSE_CODE%"),
    ("response_flags", "%RESPONSE_FLAGS%"),
    ("response_code_details", "%RESPONSE_CODE_DETAILS%"),
    ("connection_termination_details", "%CONNECTION_TERMINATION_DETAILS%"),
    ("bytes_received", "%BYTES_RECEIVED%"),
    ("bytes_sent", "%BYTES_SENT%"),
    ("duration", "%DURATION%"),
    ("upstream_service_time", "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"),
    ("x_forwarded_for", "%REQ(X-FORWARDED-FOR)%"),
    ("user_agent", "%REQ(USER-AGENT)%"),
    ("request_id", "%REQ(X-REQUEST-ID)%"),
    ("authority", "%REQ(:AUTHORITY)%"),
    ("upstream_host", "%UPSTREAM_HOST%"),
    ("upstream_cluster", "%UPSTREAM_CLUSTER%"),
    ("upstream_local_address", "%UPSTREAM_LOCAL_ADDRESS%"),
    ("downstream_local_address", "%DOWNSTREAM_LOCAL_ADDRESS%"),
    ("downstream_remote_address", "%DOWNSTREAM_REMOTE_ADDRESS%"),
    ("requested_server_name", "%REQUESTED_SERVER_NAME%"),
    ("upstream_transport_failure_reason", "%UPSTREAM_TRANSPORT_FAILURE_REASON%"),
)


def access_logs(ctx: Context) -> tuple[AccessLog, ...]:
    """Where requests and connections are logged: nowhere unless the mesh names an accessLogFile."""
    mesh = ctx.mesh
    if not mesh.access_log_file:
        return ()
    if mesh.access_log_encoding == "TEXT":
        return (AccessLog(path=mesh.access_log_file, text_format=_text_format(ctx)),)
    return (AccessLog(path=mesh.access_log_file, json_format=_json_format(ctx) or _JSON_LINE),)


def _text_format(ctx: Context) -> str:
    text = ctx.mesh.access_log_format
    if wrong := wrong_format(text):
        _unusable_format(ctx, wrong)
        return ""
    return text


def _json_format(ctx: Context) -> tuple[tuple[str, str], ...]:
    text = ctx.mesh.access_log_format
    if not text.strip():
        return ()
    wanted = _json_object(text)
    if wanted is None:
        hint = 'For example {"path": "%REQ(:PATH)%", "status": "%RESPONSE_CODE%"}.'
        _unusable_format(ctx, "with accessLogEncoding JSON the format is a JSON object of texts", hint)
        return ()
    for key, value in wanted.items():
        if wrong := wrong_format(value):
            _unusable_format(ctx, f"in {describe(key).removeprefix('the string ')}: {wrong}")
            return ()
    return tuple(wanted.items())


def _json_object(text: str) -> dict[str, str] | None:
    """An object of texts that can be sent on (JSON knows halves of characters, which cannot); else None."""
    try:
        wanted = json.loads(text)
        json.dumps(wanted, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    is_flat = isinstance(wanted, dict) and all(isinstance(value, str) for value in wanted.values())
    return wanted if is_flat else None


def _unusable_format(
    ctx: Context, message: str, hint: str = "Until then Istio's own format is used."
) -> None:
    ctx.report(
        Problem(
            severity=Severity.WARNING,
            code="GW-009",
            resource=ctx.proxy.origin,
            field="spec.meshConfig.accessLogFormat",
            message=message,
            hint=hint,
        )
    )
