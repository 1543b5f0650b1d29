"""CORS: on routes that have a policy."""

from mizzen._api import pb
from mizzen.envoy.filters.meeting import Meeting, inline
from mizzen.envoy.parts import EVERYTHING, boolean, runtime_fraction, string_matcher
from mizzen.model.route import Cors

NAME = "envoy.filters.http.cors"


def http_filter(meeting: Meeting) -> pb.HttpFilter:
    return inline(NAME, pb.Cors(), disabled=not meeting.scoped)


def cors_policy(cors: Cors) -> pb.CorsPolicy:
    """What one route has."""
    out = pb.CorsPolicy(
        allow_origin_string_match=[string_matcher(origin) for origin in cors.origins],
        allow_methods=",".join(cors.methods),
        allow_headers=",".join(cors.allow_headers),
        expose_headers=",".join(cors.expose_headers),
        filter_enabled=runtime_fraction(EVERYTHING),
        forward_not_matching_preflights=boolean(cors.forward_unmatched_preflights),
    )
    if cors.max_age is not None:
        out.max_age = str(int(cors.max_age.total_seconds()))
    if cors.credentials is not None:
        out.allow_credentials.value = cors.credentials
    return out
