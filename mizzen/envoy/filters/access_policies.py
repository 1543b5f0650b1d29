"""What judges requests (tokens, refusals, permissions) as one filter of every chain, whose content is a resource of its own.

So a policy comes, changes and goes without a word about listeners, which would let go of their connections. The resource
is a chain of filters; without any policy it is empty, and requests meet nothing. Listeners wait for it: who is not judged
yet is not let in. All chains of a proxy share it, since policies are for a proxy.
"""

from mizzen._api import pb
from mizzen.envoy.filters import header_limits, jwt_authn, rbac
from mizzen.envoy.filters.meeting import Meeting
from mizzen.envoy.parts import NO_TIMEOUT, ads, packed
from mizzen.model.listener import AccessPolicies

NAME = "mizzen.access_policies"


def http_filter(meeting: Meeting) -> pb.HttpFilter | None:
    if not meeting.service.judged:
        return None
    source = pb.ExtensionConfigSource(
        config_source=ads(NO_TIMEOUT),
        type_urls=[f"type.googleapis.com/{pb.HttpFilterChainConfig.DESCRIPTOR.full_name}"],
    )
    return pb.HttpFilter(name=NAME, config_discovery=source)


def typed_extension_config(policies: AccessPolicies) -> pb.TypedExtensionConfig:
    """The resource: tokens, then refusals, then permissions, as Istio has them."""
    config = pb.HttpFilterChainConfig()
    if policies.judges_hosts and (policies.tokens or policies.access):
        config.default_filter_chain.filters.append(header_limits.judge_of_hosts())
    if policies.tokens:
        config.default_filter_chain.filters.append(jwt_authn.filter_of(policies.tokens))
    for access in sorted(policies.access, key=lambda access: not access.deny):
        config.default_filter_chain.filters.append(rbac.filter_of(access))
    return pb.TypedExtensionConfig(name=NAME, typed_config=packed(config))
