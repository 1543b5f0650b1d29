"""Which requests a route is for."""

from typing import assert_never

from mizzen._api import pb
from mizzen.envoy.parts import regex, string_matcher, string_matcher_or_any
from mizzen.model.route import ClaimMatch, Exact, HeaderMatch, Prefix, Present, QueryMatch, Regex, RouteMatch

_NAMES_PORT = pb.HeaderMatcher(name=":authority", string_match=string_matcher(Regex(".*:[0-9]+")))
_JWT = "envoy.filters.http.jwt_authn"


def route_match(match: RouteMatch) -> pb.RouteMatch:
    out = pb.RouteMatch()
    match match.path:
        case Exact(value):
            out.path = value
        case Prefix(value):
            out.prefix = value
        case Regex(pattern):
            out.safe_regex.CopyFrom(regex(pattern))
        case other:
            assert_never(other)
    if match.case_sensitive is not None:
        out.case_sensitive.value = match.case_sensitive
    if match.headers:
        out.headers.extend(header_matcher(header) for header in match.headers)
    if match.names_port:
        out.headers.append(_NAMES_PORT)
    if match.query:
        out.query_parameters.extend(query_parameter_matcher(parameter) for parameter in match.query)
    if match.claims:
        out.dynamic_metadata.extend(metadata_matcher(claim) for claim in match.claims)
    return out


def header_matcher(header: HeaderMatch) -> pb.HeaderMatcher:
    if isinstance(header.how, Present):
        return pb.HeaderMatcher(name=header.name, present_match=True, invert_match=header.invert)
    return pb.HeaderMatcher(
        name=header.name,
        string_match=string_matcher(header.how),
        invert_match=header.invert,
        # Without it Envoy lets an inverted match fail on a request that has no such header.
        treat_missing_header_as_empty=header.invert,
    )


def query_parameter_matcher(parameter: QueryMatch) -> pb.QueryParameterMatcher:
    if isinstance(parameter.how, Present):
        return pb.QueryParameterMatcher(name=parameter.name, present_match=True)
    return pb.QueryParameterMatcher(name=parameter.name, string_match=string_matcher(parameter.how))


def metadata_matcher(claim: ClaimMatch) -> pb.MetadataMatcher:
    """A claim, as the JWT filter leaves it under `payload`: a text, or a list with such a text in it."""
    text = string_matcher_or_any(claim.how)
    in_list = pb.ListMatcher(one_of=pb.ValueMatcher(string_match=text))
    either = (pb.ValueMatcher(list_match=in_list), pb.ValueMatcher(string_match=text))
    return pb.MetadataMatcher(
        filter=_JWT,
        path=[pb.MetadataMatcher.PathSegment(key=key) for key in ("payload", *claim.path)],
        value=pb.ValueMatcher(or_match=pb.OrMatcher(value_matchers=either)),
        invert=claim.invert,
    )
