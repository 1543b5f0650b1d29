"""Requests whose headers are too large or too many are answered 431 (RFC 6585 section 5), whatever the protocol.

Envoy's codecs do that over HTTP/1.1 alone: over HTTP/2 they reset the stream with INTERNAL_ERROR, over HTTP/3 they
may end the whole connection with all its other requests. So the codecs let more pass (`CODEC_KIB`,
`CODEC_HEADERS`), and this filter judges by the limits (Envoy's usual ones, unless others are asked for), before all others. It is an RBAC filter, whose
refusal the connection manager answers with 431 in place of 403 (`local_reply`). To look at all headers costs a request 10 to
20 % of a bare Envoy's CPU: who would rather have resets may leave it to the codecs (`HeaderLimits.CODEC`).

It refuses with 400, too, an authority that is no host and that somebody may take for one: "x,x" (what Envoy makes of
two Host fields, and of `host` beside `:authority` over HTTP/3), "x..", "x:1:2", "[x]", "%78". The route of a wildcard
would take it, and no rule for the host x would.
"""

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus

from mizzen._api import pb
from mizzen.envoy.filters import trace_headers
from mizzen.envoy.filters.meeting import Meeting, inline
from mizzen.envoy.parts import extension, uint32
from mizzen.model.listener import LIMIT_HEADERS, LIMIT_KIB, Edge, HeaderLimits

NAME = "mizzen.request_header_limits"

# Of those that the filter counts, so many are not the client's: four pseudo-headers, and what the connection manager
# has added before filters run (x-forwarded-for, -proto, -port and -client-cert, x-request-id, x-envoy-external-address),
# and those of traces.
NOT_THE_CLIENTS = 10 + trace_headers.MOST_ADDED

# What a codec takes in before it gives up, or twice what the filter lets pass. A client may make a gateway hold
# that much for each of its streams.
CODEC_KIB = 256
CODEC_HEADERS = 1000
# Envoy takes no larger numbers: in all, and for a single header over HTTP/2.
MOST_KIB = 8192
CODEC_HTTP2_FIELD_KIB = 256

_HOSTS_NAME = "mizzen.request_host"
_TOO_LARGE = "request-headers-too-large"
_HOST = "request-host-malformed"
_PREFIX = "header_limits."
# A comma or a percent sign; a dot at the end (one has been taken away before); two ports; brackets around no address.
_NO_HOST = "|".join(
    (r"\C*[,%]\C*", r"\C*\.(?::\C*)?", r"[^\[\]]*:[^\[\]]*:\C*", r"\[[^:\]]*\]\C*", r"[^\[]\C*\]\C*")
)


def http_filter(meeting: Meeting) -> pb.HttpFilter | None:
    """The filter; it is the same for every connection manager of a proxy. None where the codecs shall judge."""
    edge = meeting.edge
    if edge.header_limits is HeaderLimits.CODEC:
        return None
    return filter_of(edge.most_header_kib, edge.most_headers)


@cache
def filter_of(kib: int = LIMIT_KIB, count: int = LIMIT_HEADERS) -> pb.HttpFilter:
    """The filter that takes so many KiB and so many headers of a client."""
    return inline(NAME, _rbac({_TOO_LARGE: _too_large(kib, count), _HOST: _no_host()}))


def codec_limits(edge: Edge) -> tuple[int, int]:
    """KiB and number of headers at which a codec gives up (431 over HTTP/1.1, a reset else)."""
    if edge.header_limits is HeaderLimits.CODEC:
        return edge.most_header_kib, edge.most_headers
    kib = max(CODEC_KIB, min(2 * edge.most_header_kib, MOST_KIB))
    return kib, max(CODEC_HEADERS, 2 * edge.most_headers)


def judge_of_hosts() -> pb.TypedExtensionConfig:
    """The part of it that rules of access rely on, where the codecs judge the rest."""
    return extension(_HOSTS_NAME, _rbac({_HOST: _no_host()}))


def _too_large(kib: int, count: int) -> pb.Policy:
    return pb.Policy(
        permissions=[pb.Permission(any=True)],
        principals=[pb.Principal(any=True)],
        condition=_call(
            "_||_",
            _call("_>_", _request("total_size"), _number(kib * 1024)),
            _call("_>_", _call("size", _request("headers")), _number(count + NOT_THE_CLIENTS)),
        ),
    )


def _no_host() -> pb.Policy:
    odd = pb.StringMatcher(safe_regex=pb.RegexMatcher(regex=_NO_HOST))
    return pb.Policy(
        permissions=[pb.Permission(header=pb.HeaderMatcher(name=":authority", string_match=odd))],
        principals=[pb.Principal(any=True)],
    )


def _rbac(policies: Mapping[str, pb.Policy]) -> pb.RBAC:
    rules = pb.RBACRules(action=pb.RBACRules.DENY, policies=policies)
    return pb.RBAC(rules=rules, rules_stat_prefix=_PREFIX)


@cache
def local_reply() -> pb.LocalReplyConfig:
    """What makes the refusals of the filter, and no others, a 431 or 400."""
    too_large = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    return pb.LocalReplyConfig(
        mappers=[
            mapper(_TOO_LARGE, too_large, "The headers of the request are too large.\n"),
            mapper(_HOST, HTTPStatus.BAD_REQUEST, "The host of the request is malformed.\n"),
        ]
    )


def mapper(policy: str, status: HTTPStatus, body: str) -> pb.ResponseMapper:
    """What makes the refusals by one policy of an RBAC filter an answer of its own."""
    details = f"rbac_access_denied_matched_policy[{policy}]"
    refused = extension(
        "envoy.access_loggers.extension_filters.cel",
        pb.ExpressionFilter(expression=f"response.code_details == '{details}'"),
    )
    mapper = pb.ResponseMapper(status_code=uint32(status))
    mapper.filter.extension_filter.name = refused.name
    mapper.filter.extension_filter.typed_config.CopyFrom(refused.typed_config)
    mapper.body.inline_string = body
    return mapper


def _request(attribute: str) -> pb.Expr:
    """`request.ATTRIBUTE` of Envoy's CEL attributes."""
    request = pb.Expr(ident_expr=pb.Expr.Ident(name="request"))
    return pb.Expr(select_expr=pb.Expr.Select(operand=request, field=attribute))


def _number(value: int) -> pb.Expr:
    return pb.Expr(const_expr=pb.Constant(int64_value=value))


def _call(function: str, *arguments: pb.Expr) -> pb.Expr:
    return pb.Expr(call_expr=pb.Expr.Call(function=function, args=arguments))
