"""When a rule applies: matches of a VirtualService -> RouteMatch."""

from collections.abc import Iterator, Mapping

from mizzen.model.route import (
    ClaimMatch,
    Exact,
    HeaderMatch,
    Prefix,
    Present,
    QueryMatch,
    Regex,
    RouteMatch,
    TextMatch,
)
from mizzen.resolve.context import Context
from mizzen.resolve.gateways.attach import gateway_key
from mizzen.resolve.selecting import fits
from mizzen.resources.formats.checks import claim_path
from mizzen.resources.istio.virtual_service import HTTPMatchRequest, StringMatch

_ANYTHING = RouteMatch()
Texts = Mapping[str, StringMatch | None]


def text_match(text: StringMatch) -> TextMatch | None:
    """None for one that says nothing."""
    if text.exact is not None:
        return Exact(text.exact)
    if text.prefix is not None:
        return Prefix(text.prefix)
    if text.regex is not None:
        return Regex(text.regex)
    return None


def _value_match(text: StringMatch | None) -> TextMatch | Present:
    """How a header or parameter must look; null, {} and the regex "*" ask only that it is there."""
    found = text_match(text) if text else None
    return Present() if found is None or found == Regex("*") else found


def applies(ctx: Context, match: HTTPMatchRequest, key: str, port: int, namespace: str) -> bool:
    """Is a match for this server at all? `key` is its Gateway, `port` the number that the Gateway writes.

    Labels and namespaces of the source are those of the gateway's own pods: it is the source here. They
    count only where no Gateway is named, as in Istio.
    """
    if match.port and match.port != port:
        return False
    if match.gateways:
        return key in {gateway_key(one, namespace) for one in match.gateways}
    own = match.source_namespace in ("", ctx.proxy.namespace)
    return own and fits(match.source_labels, ctx.proxy.labels)


def route_match(match: HTTPMatchRequest | None) -> RouteMatch:
    """What a request must be like; without a match, anything."""
    if match is None:
        return _ANYTHING
    path = text_match(match.uri) if match.uri else None
    return RouteMatch(
        path=path if path is not None else Prefix("/"),
        case_sensitive=not match.ignore_uri_case,
        headers=(*_headers(match), *_pseudo_headers(match)),
        query=tuple(
            QueryMatch(name=name, how=_value_match(text)) for name, text in sorted(match.query_params.items())
        ),
        claims=tuple(_claims(match)),
    )


def _headers(match: HTTPMatchRequest) -> tuple[HeaderMatch, ...]:
    found = [
        HeaderMatch(name=name, how=_value_match(text), invert=invert)
        for texts, invert in ((match.headers, False), (match.without_headers, True))
        for name, text in texts.items()
        if claim_path(name) is None
    ]
    return tuple(sorted(found, key=lambda header: (header.name, header.invert)))


def _pseudo_headers(match: HTTPMatchRequest) -> Iterator[HeaderMatch]:
    for name, text in ((":method", match.method), (":authority", match.authority), (":scheme", match.scheme)):
        if text is not None:
            yield HeaderMatch(name=name, how=_value_match(text))


def _claims(match: HTTPMatchRequest) -> Iterator[ClaimMatch]:
    for texts, invert in ((match.headers, False), (match.without_headers, True)):
        for name, text in sorted(texts.items()):
            path = claim_path(name)
            if path is not None:
                yield ClaimMatch(path=path, how=_value_match(text), invert=invert)
