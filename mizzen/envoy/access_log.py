"""Where requests, and connections that nobody took, are written down."""

from mizzen._api import pb
from mizzen.envoy.parts import packed
from mizzen.model.listener import AccessLog

_FILE = "envoy.access_loggers.file"
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
    """Every request (or connection) of those who have it."""
    config = pb.FileAccessLog(path=log.path)
    if log.json_format:
        for key, value in log.json_format:
            config.log_format.json_format.fields[key].string_value = value
    else:
        text = log.text_format or _TEXT
        config.log_format.text_format_source.inline_string = text if text.endswith("\n") else f"{text}\n"
    return pb.AccessLog(name=_FILE, typed_config=packed(config))


def access_log_of_unmatched(log: AccessLog) -> pb.AccessLog:
    """Connections that no chain takes (response flag NR)."""
    out = access_log(log)
    out.filter.response_flag_filter.flags.append("NR")
    return out
