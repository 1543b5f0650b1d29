"""What judges requests (authorizers, tokens, refusals, permissions) as one filter of every chain, whose content is a resource of its own.

So a policy comes, changes and goes without a word about listeners, which would let go of their connections. The resource
is a chain of filters; without any policy it is empty, and requests meet nothing. Listeners wait for it: who is not judged
yet is not let in. All chains of a proxy share it, since policies are for a proxy.
"""

from mizzen._api import pb
from mizzen.envoy import ext_authz
from mizzen.envoy.filters import header_limits, jwt_authn, plugins, rbac
from mizzen.envoy.filters.meeting import Meeting
from mizzen.envoy.parts import NO_TIMEOUT, ads, packed
from mizzen.model.listener import AccessPolicies
from mizzen.model.plugin import Phase

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
    """The resource: what authorizers say, tokens, refusals, then permissions, as Istio has them, and plugins in their
    phases. So an authorizer may bring the token that is read."""
    filters: list[pb.TypedExtensionConfig] = []
    if policies.judges_hosts and (policies.tokens or policies.access):
        filters.append(header_limits.judge_of_hosts())
    for access in policies.access:
        if access.authorizer is not None:
            filters.extend(ext_authz.http_filters(access, access.authorizer))
    filters += _plugins(policies, Phase.AUTHN)
    if policies.tokens:
        filters.append(jwt_authn.filter_of(policies.tokens))
    filters += _plugins(policies, Phase.AUTHZ)
    own = (access for access in policies.access if access.authorizer is None)
    filters.extend(rbac.filter_of(access) for access in sorted(own, key=lambda access: not access.deny))
    filters += _plugins(policies, Phase.STATS, Phase.UNSPECIFIED)
    config = pb.HttpFilterChainConfig()
    if filters:
        config.default_filter_chain.filters.extend(filters)
    return pb.TypedExtensionConfig(name=NAME, typed_config=packed(config))


def _plugins(policies: AccessPolicies, *phases: Phase) -> list[pb.TypedExtensionConfig]:
    return [plugins.filter_of(plugin) for plugin in policies.plugins if plugin.phase in phases]
