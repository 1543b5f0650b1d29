"""What answers say about HTTP/3 (the alt-svc header, RFC 7838): a filter whose content is a resource of its own.

So a promise is made and taken back within milliseconds, and neither listener nor routes are sent again: a
changed listener would drain the very connections that the promise is about.
"""

from mizzen._api import pb
from mizzen.envoy.filters import early_data, trace_headers
from mizzen.envoy.filters.meeting import Meeting
from mizzen.envoy.parts import ads, packed
from mizzen.model.announcement import Announcement


def http_filter(meeting: Meeting) -> pb.HttpFilter | None:
    if meeting.service.announcement is None:
        return None
    nothing = pb.HeaderMutation()
    trace_headers.add(meeting.edge.trace_headers, nothing)
    return pb.HttpFilter(
        name=meeting.service.announcement,
        config_discovery=pb.ExtensionConfigSource(
            config_source=ads(),
            type_urls=[f"type.googleapis.com/{nothing.DESCRIPTOR.full_name}"],
            # Until the resource has come, say nothing. Without the second line a listener would wait for it, and
            # for ever when told that there is none: an initial_fetch_timeout does not help then.
            default_config=packed(nothing),
            apply_default_config_without_warming=True,
        ),
    )


def typed_extension_config(announcement: Announcement, alt_svc: str | None) -> pb.TypedExtensionConfig:
    """The resource of an announcement: `alt_svc` is the header's value, None for no header.

    An upstream's own alt-svc is replaced: it would send clients past the gateway.
    """
    config = pb.HeaderMutation()
    trace_headers.add(announcement.trace_headers, config)
    if announcement.strips_early_data:
        early_data.add_removal_over_tcp(config)
    if alt_svc is not None:
        config.mutations.response_mutations.add(append=_header(alt_svc))
    return pb.TypedExtensionConfig(name=announcement.name, typed_config=packed(config))


def _header(alt_svc: str) -> pb.HeaderValueOption:
    return pb.HeaderValueOption(
        header=pb.HeaderValue(key="alt-svc", value=alt_svc),
        append_action=pb.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
    )


def announcement_cleared() -> pb.HeaderMutationPerRoute:
    """What a host has that is not had over HTTP/3: it comes after what the announcement itself does."""
    out = pb.HeaderMutationPerRoute()
    out.mutations.response_mutations.add(append=_header("clear"))
    return out


def announcement_taken_back() -> pb.HeaderMutationPerRoute:
    """What a route has whose answers say nothing: it comes after what the announcement itself does."""
    out = pb.HeaderMutationPerRoute()
    out.mutations.response_mutations.add(remove="alt-svc")
    return out
