"""Requests that came as TLS early data (0-RTT, RFC 8470): those that change something are answered 425, the rest are marked.

Who can copy a client's first packets can send them again, and a server that forgets cannot tell. So it is only for methods
that are safe to be done twice, and backends are told by `early-data: 1`. Envoy sets that header, but leaves alone what
a client writes there: on the mirror it is taken away before Envoy looks (`early_header_mutation`), over TCP by the announcement,
which both share and which therefore asks over what a request came. Where proxies in front are trusted, they may have had a
request as early data themselves, and what they say stays (RFC 8470 section 5.1).

A WebSocket is no safe request, though Envoy has it as a GET.
"""

from http import HTTPStatus

from mizzen._api import pb
from mizzen.envoy.filters.header_limits import mapper
from mizzen.envoy.filters.meeting import Meeting, inline
from mizzen.envoy.parts import extension
from mizzen.model.listener import Edge

NAME = "mizzen.early_data"
HEADER = "early-data"
SAFE = ("GET", "HEAD", "OPTIONS")  # RFC 9110 section 9.2.1, less TRACE

_TOO_EARLY = "too-early"
_KEPT = "x-mizzen-early-data"  # while the header is taken away; nobody else sees it
_OVER_QUIC = f'%CEL(request.protocol == "HTTP/3" ? request.headers["{HEADER}"] : "")%'


def http_filter(meeting: Meeting) -> pb.HttpFilter | None:
    if not meeting.service.early_data:
        return None
    any_value = pb.Permission(header=pb.HeaderMatcher(name=HEADER, present_match=True))
    safe = pb.StringMatcher(safe_regex=pb.RegexMatcher(regex="|".join(SAFE)))
    unsafe = pb.Permission(header=pb.HeaderMatcher(name=":method", string_match=safe, invert_match=True))
    upgrade = pb.Permission(header=pb.HeaderMatcher(name="upgrade", present_match=True))
    either = pb.Permission(or_rules=pb.Permission.Set(rules=[unsafe, upgrade]))
    early = pb.Permission(and_rules=pb.Permission.Set(rules=[any_value, either]))
    policy = pb.Policy(permissions=[early], principals=[pb.Principal(any=True)])
    rules = pb.RBACRules(action=pb.RBACRules.DENY, policies={_TOO_EARLY: policy})
    return inline(NAME, pb.RBAC(rules=rules, rules_stat_prefix="early_data."))


def local_reply() -> pb.ResponseMapper:
    """What makes the refusal of the filter a 425 (RFC 8470 section 5.2): clients ask again after the handshake."""
    return mapper(_TOO_EARLY, HTTPStatus.TOO_EARLY, "Too early: ask again.\n")


def is_believed(edge: Edge) -> bool:
    """Does the header count that somebody sends? Only of proxies in front of us."""
    return edge.trusted_hops > 0


def sent_by_clients() -> pb.TypedExtensionConfig:
    """Takes the header away before Envoy sets it."""
    config = pb.EarlyHeaderMutation()
    config.mutations.add(remove=HEADER)
    return extension("envoy.http.early_header_mutation.header_mutation", config)


def add_removal_over_tcp(out: pb.HeaderMutation) -> None:
    """The same for an announcement, whose filter requests meet after Envoy has set it. A value that comes out empty changes
    nothing, and each line sees what those before it did."""
    mutations = out.mutations.request_mutations
    mutations.add(remove=_KEPT)
    mutations.add(append=_header(_KEPT, _OVER_QUIC))
    mutations.add(remove=HEADER)
    mutations.add(append=_header(HEADER, f"%REQ({_KEPT})%"))
    mutations.add(remove=_KEPT)


def _header(name: str, value: str) -> pb.HeaderValueOption:
    return pb.HeaderValueOption(
        header=pb.HeaderValue(key=name, value=value),
        append_action=pb.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
    )
