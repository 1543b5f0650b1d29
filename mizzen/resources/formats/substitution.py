"""Commands in header values: %REQ(x-a)%, %PROTOCOL% ... Envoy replaces them for each request.

Envoy refuses the whole route table for one that it cannot read, and some of them read from the host that it runs
on (the environment of who started it). So a value is held to this list: what Envoy 1.40 takes (common/formatter,
substitution_formatter), less what does not come from the request, the connection or the answer.
"""

import re
from collections.abc import Mapping

from mizzen.lazy import dataclass

# Envoy: SubstitutionFormatParser::parse; the arguments are as short as they can be.
_COMMAND = re.compile(r"%(?P<name>[A-Z0-9_]+)(?P<args>\((?P<inner>[^\r\n]*?)\))?(:(?P<length>[0-9]{1,9}))?%")
_HEADER = r"[:]?[A-Za-z0-9!#$&'*+.^_`|~-]+"
_KEY = r"[^%():\r\n]+"
# strftime's, as Abseil has them, with Envoy's fractions of a second; %n would be a line feed.
_TIME = r"(?:[^%()\r\n]|%[aAbBcCdDeFgGhHIjklmMpPrRsSTuUVwWxXyYzZf]|%[1-9]f|%E[0-9*]?[fSTz])*"
# An attribute of the request, the connection or the answer; nothing of the host (xds.node).
_ROOTS = "request|response|connection|source|destination|upstream|metadata|filter_state"
_WORDS = (
    "in|true|false|null|as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return"
)
_FIELD = rf"\.(?!(?:{_WORDS}|var|void|while)\b)[a-z][a-z_]*"
_ATTRIBUTE = rf"(?:{_ROOTS})(?:{_FIELD}|\['[A-Za-z0-9._:-]+'\]|\[\"[A-Za-z0-9._:-]+\"\])*"


_OF_THE_HOST = frozenset({"ENVIRONMENT", "FILE_CONTENT", "SECRET"})


@dataclass(frozen=True, slots=True)
class _Takes:
    """What a command may be given."""

    arguments: str = ""  # a pattern; "": none
    needs: bool = False  # it cannot go without
    length: bool = False  # the result may be cut: %REQ(x-a):10%


_ONE_HEADER = _Takes(rf"{_HEADER}(?:\?{_HEADER})?", needs=True, length=True)
_PATHS = _Takes(rf"{_KEY}(?::{_KEY})*", needs=True)
_CUT_PATHS = _Takes(_PATHS.arguments, needs=True, length=True)
_STATE = _Takes(rf"{_KEY}(?::(?:PLAIN|TYPED|FIELD:{_KEY}))?", needs=True, length=True)
_MOMENT = _Takes(_TIME)
_MASK = _Takes("[0-9]{1,3}")
_CEL = _Takes(_ATTRIBUTE, needs=True, length=True)
_NOTHING = _Takes()

_PLAIN = (
    "ACCESS_LOG_TYPE BYTES_RECEIVED BYTES_RETRANSMITTED BYTES_SENT CONNECTION_ID "
    "CONNECTION_TERMINATION_DETAILS CUSTOM_FLAGS DOWNSTREAM_DETECTED_CLOSE_TYPE "
    "DOWNSTREAM_DIRECT_LOCAL_ADDRESS DOWNSTREAM_DIRECT_REMOTE_ADDRESS DOWNSTREAM_DIRECT_REMOTE_PORT "
    "DOWNSTREAM_HANDSHAKE_DURATION DOWNSTREAM_HEADER_BYTES_SENT DOWNSTREAM_LOCAL_ADDRESS "
    "DOWNSTREAM_LOCAL_CLOSE_REASON DOWNSTREAM_LOCAL_DNS_SAN DOWNSTREAM_LOCAL_PORT DOWNSTREAM_LOCAL_SUBJECT "
    "DOWNSTREAM_LOCAL_URI_SAN DOWNSTREAM_PEER_CERT DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256 "
    "DOWNSTREAM_PEER_CHAIN_SERIALS DOWNSTREAM_PEER_DNS_SAN DOWNSTREAM_PEER_EMAIL_SAN "
    "DOWNSTREAM_PEER_FINGERPRINT_1 DOWNSTREAM_PEER_FINGERPRINT_256 DOWNSTREAM_PEER_IP_SAN "
    "DOWNSTREAM_PEER_ISSUER DOWNSTREAM_PEER_OTHERNAME_SAN DOWNSTREAM_PEER_SERIAL DOWNSTREAM_PEER_SUBJECT "
    "DOWNSTREAM_PEER_URI_SAN DOWNSTREAM_REMOTE_ADDRESS DOWNSTREAM_REMOTE_PORT DOWNSTREAM_TLS_CIPHER "
    "DOWNSTREAM_TLS_SESSION_ID DOWNSTREAM_TLS_VERSION DOWNSTREAM_TRANSPORT_FAILURE_REASON "
    "DOWNSTREAM_WIRE_BYTES_RECEIVED DOWNSTREAM_WIRE_BYTES_SENT DURATION GRPC_STATUS GRPC_STATUS_NUMBER "
    "HOSTNAME LOCAL_REPLY_BODY PACKETS_RETRANSMITTED PROTOCOL REQUESTED_SERVER_NAME REQUEST_DURATION "
    "REQUEST_HEADERS_BYTES REQUEST_TX_DURATION RESPONSE_CODE RESPONSE_DURATION RESPONSE_FLAGS "
    "RESPONSE_FLAGS_LONG RESPONSE_HEADERS_BYTES RESPONSE_TRAILERS_BYTES RESPONSE_TX_DURATION "
    "ROUNDTRIP_DURATION ROUTE_NAME SPAN_ID STREAM_ID TLS_JA3_FINGERPRINT TLS_JA4_FINGERPRINT TRACE_ID "
    "UNIQUE_ID UPSTREAM_CLUSTER UPSTREAM_CLUSTER_RAW UPSTREAM_CONNECTION_ID UPSTREAM_CONNECTION_IDS_ATTEMPTED "
    "UPSTREAM_CONNECTION_POOL_READY_DURATION UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT "
    "UPSTREAM_DETECTED_CLOSE_TYPE UPSTREAM_HEADER_BYTES_RECEIVED UPSTREAM_HEADER_BYTES_SENT UPSTREAM_HOST "
    "UPSTREAM_HOSTS_ATTEMPTED UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT UPSTREAM_HOST_NAME "
    "UPSTREAM_HOST_NAMES_ATTEMPTED UPSTREAM_HOST_NAME_WITHOUT_PORT UPSTREAM_LOCAL_ADDRESS "
    "UPSTREAM_LOCAL_CLOSE_REASON UPSTREAM_LOCAL_PORT UPSTREAM_PEER_CERT UPSTREAM_PEER_ISSUER "
    "UPSTREAM_PEER_SUBJECT UPSTREAM_PEER_URI_SAN UPSTREAM_PROTOCOL UPSTREAM_REMOTE_ADDRESS "
    "UPSTREAM_REMOTE_PORT UPSTREAM_REQUEST_ATTEMPT_COUNT UPSTREAM_TLS_CIPHER UPSTREAM_TLS_SESSION_ID "
    "UPSTREAM_TLS_VERSION UPSTREAM_TRANSPORT_FAILURE_REASON UPSTREAM_WIRE_BYTES_RECEIVED "
    "UPSTREAM_WIRE_BYTES_SENT VIRTUAL_CLUSTER_NAME"
)
_COMMANDS: Mapping[str, _Takes] = {
    **dict.fromkeys(_PLAIN.split(), _NOTHING),
    **dict.fromkeys(
        ("REQ", "REQUEST_HEADER", "RESP", "RESPONSE_HEADER", "TRAILER", "RESPONSE_TRAILER"), _ONE_HEADER
    ),
    **dict.fromkeys(("START_TIME", "START_TIME_LOCAL", "EMIT_TIME", "EMIT_TIME_LOCAL"), _MOMENT),
    **dict.fromkeys(("DOWNSTREAM_PEER_CERT_V_START", "DOWNSTREAM_PEER_CERT_V_END"), _MOMENT),
    **dict.fromkeys(
        (
            "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT",
            "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
            "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
            "UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
            "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
        ),
        _MASK,
    ),
    **dict.fromkeys(("CLUSTER_METADATA", "UPSTREAM_METADATA"), _PATHS),
    "DYNAMIC_METADATA": _CUT_PATHS,
    "METADATA": _Takes(
        rf"(?:DYNAMIC|CLUSTER|ROUTE|UPSTREAM_HOST|LISTENER|LISTENER_FILTER_CHAIN|VIRTUAL_HOST):{_PATHS.arguments}",
        needs=True,
        length=True,
    ),
    **dict.fromkeys(("FILTER_STATE", "UPSTREAM_FILTER_STATE"), _STATE),
    **dict.fromkeys(("CEL", "TYPED_CEL"), _CEL),
    "PER_REQUEST_STATE": _Takes(_KEY, needs=True),
    "QUERY_PARAM": _Takes(r"[^%()\r\n]+", needs=True, length=True),
    "QUERY_PARAMS": _Takes("ORIG|DECODED", length=True),
    "PATH": _Takes("(?:WQ|NQ)?(?::(?:ORIG|PATH|ORIG_OR_PATH)?)?", length=True),
    "REQUESTED_SERVER_NAME": _Takes("SNI_ONLY|(?:SNI_FIRST|HOST_FIRST)(?::(?:ORIG|HOST|ORIG_OR_HOST))?"),
    "GRPC_STATUS": _Takes("CAMEL_STRING|SNAKE_STRING|NUMBER"),
    "RESPONSE_CODE_DETAILS": _Takes("ALLOW_WHITESPACES"),
    "COMMON_DURATION": _Takes("[A-Z_]+:[A-Z_]+(?::(?:ms|us|ns))?", needs=True),
}


def fault(value: str) -> str:
    """Why a value with commands cannot be used; "" when it can."""
    at = 0
    while (at := value.find("%", at)) >= 0:
        if value.startswith("%%", at):
            at += 2
            continue
        command = _COMMAND.match(value, at)
        if command is None:
            return "a percent sign begins a command such as %HOSTNAME%; write %% for the sign itself"
        if wrong := _wrong(command):
            return wrong
        at = command.end()
    return ""


def _wrong(command: re.Match[str]) -> str:
    name, inner = command["name"], command["inner"] or ""
    if name in _OF_THE_HOST:
        return f"%{name}% tells what is on the proxy's host, which is nobody else's business"
    takes = _COMMANDS.get(name)
    if takes is None:
        return f"%{name}% is no command that may be used in a header"
    if takes.needs and not inner:
        return f"%{name}% needs arguments in brackets"
    if inner and not re.fullmatch(takes.arguments, inner):
        return f"%{name}% does not take what is in its brackets"
    if command["length"] and not takes.length:
        return f"%{name}% cannot be cut to a length"
    return ""
