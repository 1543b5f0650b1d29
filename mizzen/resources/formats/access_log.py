"""What Envoy 1.40 takes as the format of an access log: text with operators such as %REQ(:PATH)% in it.

One operator that Envoy does not know makes it refuse every listener that logs. The operators, and which of them
take parameters or a length, were tried out on Envoy 1.40 (its SubstitutionFormatParser). COALESCE and XFCC_VALUE are
not among them: they hold expressions of their own, which could not be judged here.
"""

import re

from mizzen.lazy import dataclass
from mizzen.resources.formats.cel import wrong_expression

# %OPERATOR(PARAMETERS):LENGTH%. Parameters end at the first parenthesis.
_OPERATOR = re.compile(r"%([A-Z0-9_]+)(?:\(([^)\n]*)\))?(?::([0-9]{1,19}))?%")
_CEL = re.compile(r"%CEL\(([^\n]*?)\)(?::[0-9]{1,19})?%")  # an expression has parentheses of its own
WITHOUT_QUERY = "REQ_WITHOUT_QUERY"  # an operator of an extension, which whoever uses it has to name
_ANY = r"(?s:.+)"
_HEADER = r":?[!#$&'*+.^_`|~0-9A-Za-z%-]*"
_METADATA = r"(?:DYNAMIC|CLUSTER|ROUTE|UPSTREAM_HOST|LISTENER|LISTENER_FILTER_CHAIN|VIRTUAL_HOST):.+"
_PATH = r"(?:WQ|NQ)?(?::(?:ORIG|PATH|ORIG_OR_PATH))?"

_PLAIN = """
    ACCESS_LOG_TYPE BYTES_RECEIVED BYTES_RETRANSMITTED BYTES_SENT CONNECTION_ID
    CONNECTION_TERMINATION_DETAILS CUSTOM_FLAGS DOWNSTREAM_CX_RTT
    DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT
    DOWNSTREAM_DETECTED_CLOSE_TYPE DOWNSTREAM_DIRECT_LOCAL_ADDRESS
    DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID DOWNSTREAM_DIRECT_LOCAL_PORT
    DOWNSTREAM_DIRECT_REMOTE_ADDRESS DOWNSTREAM_DIRECT_REMOTE_PORT DOWNSTREAM_HANDSHAKE_DURATION
    DOWNSTREAM_HEADER_BYTES_RECEIVED DOWNSTREAM_HEADER_BYTES_SENT DOWNSTREAM_LOCAL_ADDRESS
    DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID DOWNSTREAM_LOCAL_CLOSE_REASON DOWNSTREAM_LOCAL_DNS_SAN
    DOWNSTREAM_LOCAL_EMAIL_SAN DOWNSTREAM_LOCAL_IP_SAN DOWNSTREAM_LOCAL_OTHERNAME_SAN DOWNSTREAM_LOCAL_PORT
    DOWNSTREAM_LOCAL_SUBJECT DOWNSTREAM_LOCAL_URI_SAN DOWNSTREAM_PEER_CERT
    DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1 DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256
    DOWNSTREAM_PEER_CHAIN_SERIALS DOWNSTREAM_PEER_DNS_SAN DOWNSTREAM_PEER_EMAIL_SAN
    DOWNSTREAM_PEER_FINGERPRINT_1 DOWNSTREAM_PEER_FINGERPRINT_256 DOWNSTREAM_PEER_IP_SAN
    DOWNSTREAM_PEER_ISSUER DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256 DOWNSTREAM_PEER_ISSUER_SERIAL
    DOWNSTREAM_PEER_OTHERNAME_SAN DOWNSTREAM_PEER_SERIAL DOWNSTREAM_PEER_SUBJECT DOWNSTREAM_PEER_URI_SAN
    DOWNSTREAM_REMOTE_ADDRESS DOWNSTREAM_REMOTE_PORT DOWNSTREAM_TLS_CIPHER DOWNSTREAM_TLS_GROUP
    DOWNSTREAM_TLS_SESSION_ID DOWNSTREAM_TLS_VERSION DOWNSTREAM_TRANSPORT_FAILURE_REASON
    DOWNSTREAM_WIRE_BYTES_RECEIVED DOWNSTREAM_WIRE_BYTES_SENT DURATION FILTER_CHAIN_NAME GRPC_STATUS
    GRPC_STATUS_NUMBER HOSTNAME LISTENER_NAME LOCAL_REPLY_BODY PACKETS_RETRANSMITTED PROTOCOL
    REQUESTED_SERVER_NAME REQUEST_DURATION REQUEST_HEADERS_BYTES REQUEST_TX_DURATION RESPONSE_CODE
    RESPONSE_DURATION RESPONSE_FLAGS RESPONSE_FLAGS_LONG RESPONSE_HEADERS_BYTES RESPONSE_TRAILERS_BYTES
    RESPONSE_TX_DURATION ROUNDTRIP_DURATION ROUTE_NAME ROUTE_RESOLUTION_COUNT ROUTE_RESOLUTION_TIME_US
    SPAN_ID STREAM_ID TLS_JA3_FINGERPRINT TLS_JA4_FINGERPRINT TRACE_ID UNIQUE_ID UPSTREAM_CLUSTER
    UPSTREAM_CLUSTER_RAW UPSTREAM_CONNECTION_ID UPSTREAM_CONNECTION_IDS_ATTEMPTED
    UPSTREAM_CONNECTION_POOL_READY_DURATION UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED
    UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT UPSTREAM_DETECTED_CLOSE_TYPE UPSTREAM_HEADER_BYTES_RECEIVED
    UPSTREAM_HEADER_BYTES_SENT UPSTREAM_HOST UPSTREAM_HOSTS_ATTEMPTED UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT
    UPSTREAM_HOST_NAME UPSTREAM_HOST_NAMES_ATTEMPTED UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT
    UPSTREAM_HOST_NAME_WITHOUT_PORT UPSTREAM_LOCAL_ADDRESS UPSTREAM_LOCAL_CLOSE_REASON
    UPSTREAM_LOCAL_DNS_SAN UPSTREAM_LOCAL_IP_SAN UPSTREAM_LOCAL_PORT UPSTREAM_LOCAL_URI_SAN
    UPSTREAM_PEER_CERT UPSTREAM_PEER_DNS_SAN UPSTREAM_PEER_IP_SAN UPSTREAM_PEER_ISSUER UPSTREAM_PEER_SUBJECT
    UPSTREAM_PEER_URI_SAN UPSTREAM_PROTOCOL UPSTREAM_REMOTE_ADDRESS UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID
    UPSTREAM_REMOTE_PORT UPSTREAM_REQUEST_ATTEMPT_COUNT UPSTREAM_SERVER_NAME UPSTREAM_TLS_CIPHER
    UPSTREAM_TLS_GROUP UPSTREAM_TLS_SESSION_ID UPSTREAM_TLS_VERSION UPSTREAM_TRANSPORT_FAILURE_REASON
    UPSTREAM_WIRE_BYTES_RECEIVED UPSTREAM_WIRE_BYTES_SENT VIRTUAL_CLUSTER_NAME
"""
_WITH_OPTION = """
    DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT
    DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT DOWNSTREAM_PEER_CERT_V_END DOWNSTREAM_PEER_CERT_V_START
    DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT EMIT_TIME EMIT_TIME_LOCAL RESPONSE_CODE_DETAILS START_TIME
    START_TIME_LOCAL UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT UPSTREAM_PEER_CERT_V_END UPSTREAM_PEER_CERT_V_START
    UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT
"""
_OF_HEADERS = """
    REQ REQUEST_HEADER REQ_WITHOUT_QUERY RESP RESPONSE_HEADER RESPONSE_TRAILER STREAM_INFO_REQ TRAILER
"""


@dataclass(frozen=True, slots=True)
class _Syntax:
    """What may follow the name of an operator."""

    parameters: str = ""  # a pattern; "": none
    required: bool = False
    length: bool = False


_OPERATORS: dict[str, _Syntax] = {
    **dict.fromkeys(_PLAIN.split(), _Syntax()),
    **dict.fromkeys(_WITH_OPTION.split(), _Syntax(_ANY)),
    **dict.fromkeys(_OF_HEADERS.split(), _Syntax(rf"{_HEADER}(?:\?{_HEADER})?", required=True, length=True)),
    **dict.fromkeys(
        ("DYNAMIC_METADATA", "ENVIRONMENT", "QUERY_PARAM"), _Syntax(_ANY, required=True, length=True)
    ),
    **dict.fromkeys(("CLUSTER_METADATA", "UPSTREAM_METADATA"), _Syntax(_ANY, required=True)),
    **dict.fromkeys(
        ("FILTER_STATE", "UPSTREAM_FILTER_STATE"),
        _Syntax(r"[^:]+(?::(?:PLAIN|TYPED|FIELD:.+))?", required=True, length=True),
    ),
    "METADATA": _Syntax(_METADATA, required=True, length=True),
    "COMMON_DURATION": _Syntax(r"[^:]*:[^:]*(?::(?:ms|us|ns))?", required=True),
    "PATH": _Syntax(_PATH, length=True),
    "QUERY_PARAMS": _Syntax("ORIG|DECODED", length=True),
}


def wrong_format(text: str, *, extended: bool = False) -> str:
    """What Envoy would not take of the format `text`; "" when it takes all of it. `extended`: `WITHOUT_QUERY` is one
    of its operators."""
    at = text.find("%")
    while at >= 0:
        if text.startswith("%%", at):
            end = at + 2
        elif (cel := _CEL.match(text, at)) is not None:
            if wrong := wrong_expression(cel[1]):
                return f"%CEL% holds an expression that Envoy does not take: {wrong}"
            end = cel.end()
        elif (found := _OPERATOR.match(text, at)) is None:
            return f"at {text[at : at + 20]!r}: a percent sign begins an operator such as %DURATION%; %% is the sign"
        elif found[1] == WITHOUT_QUERY and not extended:
            return f"%{WITHOUT_QUERY}% is not taken here"
        elif wrong := _wrong_operator(found[1], found[2] or "", has_length=found[3] is not None):
            return wrong
        else:
            end = found.end()
        at = text.find("%", end)
    return ""


def _wrong_operator(name: str, parameters: str, *, has_length: bool) -> str:
    syntax = _OPERATORS.get(name)
    if syntax is None:
        return f"there is no operator %{name}%"
    if not parameters and syntax.required:
        return f"%{name}% needs parameters in parentheses"
    if parameters and not (syntax.parameters and re.fullmatch(syntax.parameters, parameters)):
        return f"%{name}% does not take ({parameters})"
    if has_length and not syntax.length:
        return f"%{name}% takes no length"
    return ""
