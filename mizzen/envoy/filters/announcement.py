"""What answers say about HTTP/3 (the alt-svc header, RFC 7838): a filter whose content is a resource of its own.

So a promise is made and taken back within milliseconds, and neither listener nor routes are sent again: a
changed listener would drain the very connections that the promise is about.
"""

from datetime import timedelta

from mizzen._api import pb
from mizzen.envoy.filters.meeting import Meeting
from mizzen.envoy.parts import ads, packed

# How long a listener waits for its announcement before it serves without one. The control plane sends both
# together, so this is only ever felt when it dies in between.
PATIENCE = timedelta(seconds=1)

_NOTHING = pb.HeaderMutation()


def http_filter(meeting: Meeting) -> pb.HttpFilter | None:
    if meeting.service.announcement is None:
        return None
    return pb.HttpFilter(
        name=meeting.service.announcement,
        config_discovery=pb.ExtensionConfigSource(
            config_source=ads(PATIENCE),
            type_urls=[f"type.googleapis.com/{_NOTHING.DESCRIPTOR.full_name}"],
            # What holds when the resource is not there, or Envoy refused it: say nothing.
            default_config=packed(_NOTHING),
        ),
    )


def typed_extension_config(name: str, alt_svc: str | None) -> pb.TypedExtensionConfig:
    """The announcement `name`: `alt_svc` is the header's value, None for no header.

    An upstream's own alt-svc is replaced: it would send clients past the gateway.
    """
    config = pb.HeaderMutation()
    if alt_svc is not None:
        config.mutations.response_mutations.add(
            append=pb.HeaderValueOption(
                header=pb.HeaderValue(key="alt-svc", value=alt_svc),
                append_action=pb.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
            )
        )
    return pb.TypedExtensionConfig(name=name, typed_config=packed(config))
