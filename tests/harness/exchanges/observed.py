"""What can be said of an exchange in the same words whatever the version of HTTP was."""

from collections.abc import Mapping
from typing import Any

from tests.harness.exchanges.arrived import Arrived
from tests.harness.exchanges.exchange import Answer, Fields

Observed = dict[str, Any]

# What differs from request to request, or belongs to one connection of HTTP/1.1.
_ANSWER_VARIES = frozenset(
    {"date", "x-envoy-upstream-service-time", "server", "transfer-encoding", "connection", "keep-alive"}
)
_REQUEST_VARIES = frozenset({"x-request-id", "x-row", "transfer-encoding", "connection"})
_LONGEST = 200

# RFC 9113 section 7, RFC 9114 section 8.1.
CODES: Mapping[str, Mapping[int, str]] = {
    "h1": {},
    "h2": {
        0x0: "none",
        0x1: "protocol",
        0x2: "internal",
        0x5: "closed",
        0x7: "refused",
        0x8: "cancel",
        0xA: "connect",
        0xB: "calm",
        0xD: "1.1",
    },
    "h3": {
        0x100: "none",
        0x101: "protocol",
        0x102: "internal",
        0x10B: "refused",
        0x10C: "cancel",
        0x10D: "incomplete",
        0x10E: "protocol",
        0x107: "calm",
        0x10F: "connect",
        0x110: "1.1",
    },
}


def named(fields: Fields, but: frozenset[str] = frozenset()) -> dict[str, list[str]]:
    """Values by name, in the order in which they came; long ones by their length."""
    out: dict[str, list[str]] = {}
    for raw_name, raw_value in fields:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name.lower() not in but and not name.lower().startswith("x-b3-"):
            out.setdefault(name, []).append(value if len(value) < _LONGEST else f"{len(value)} bytes")
    return out


def of_answer(answer: Answer, protocol: str) -> Observed:
    body = bytes(answer.body)
    seen = {name.lower(): values for name, values in named(answer.fields, _ANSWER_VARIES).items()}
    if not body and seen.get("content-length") == ["0"]:
        del seen["content-length"]  # over HTTP/2 and 3 an answer without a body needs none
    return {
        "status": answer.status,
        "interim": [[status, named(fields)] for status, fields in answer.interim],
        "fields": seen,
        "body": body.decode("latin-1") if len(body) < _LONGEST else f"{len(body)} bytes",
        "trailers": named(answer.trailers),
        "end": answer.end.value,
        "code": CODES[protocol].get(answer.code or 0, answer.code) if answer.code is not None else None,
    }


def of_request(arrived: Arrived) -> Observed:
    return {
        "version": arrived.version,
        "method": arrived.method,
        "path": arrived.path if len(arrived.path) < _LONGEST else f"{len(arrived.path)} bytes",
        "authority": arrived.authority,
        "protocol": arrived.protocol,
        "fields": named(arrived.fields, _REQUEST_VARIES),
        "body": arrived.body,
        "trailers": named(arrived.trailers),
        "end": arrived.end.value,
        "code": CODES["h2"].get(arrived.code, arrived.code) if arrived.code is not None else None,
    }


def flat(value: Any, at: str = "") -> dict[str, Any]:
    """`{"a": {"b": 1}}` as `{"a b": 1}`."""
    if not isinstance(value, Mapping):
        return {at: value}
    out: dict[str, Any] = {}
    for key, inner in value.items():
        out |= flat(inner, f"{at} {key}".strip())
    return out
