"""What surprises in an EnvoyFilter, of what can be told without Envoy's messages (istio pkg/config/validation/envoyfilter).

What is refused of a patch costs that patch alone (resolve/access/patch_rules): nothing here refuses the object.
"""

from collections.abc import Mapping

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.istio.envoy_filter import ConfigPatch, EnvoyFilter

LONGEST_VERSION = 1024  # letters of a pattern of proxy versions; what has more fits nobody, as in Istio

_OF_FILTERS = frozenset({"HTTP_FILTER", "NETWORK_FILTER", "LISTENER_FILTER"})
_BRINGING = frozenset({"ADD", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST", "REPLACE"})
_CONFIGURED = frozenset({"typed_config", "typedConfig", "config_discovery", "configDiscovery"})
_HTTP, _NETWORK = "envoy.filters.http", "envoy.filters.network"
# Names that filters had before Envoy's v3 API (istio pkg/config/xds/deprecated.go): nothing is called so any more.
_RETIRED: Mapping[str, str] = {
    "envoy.buffer": f"{_HTTP}.buffer",
    "envoy.cors": f"{_HTTP}.cors",
    "envoy.csrf": f"{_HTTP}.csrf",
    "envoy.ext_authz": f"{_HTTP}.ext_authz",
    "envoy.fault": f"{_HTTP}.fault",
    "envoy.grpc_http1_bridge": f"{_HTTP}.grpc_http1_bridge",
    "envoy.grpc_json_transcoder": f"{_HTTP}.grpc_json_transcoder",
    "envoy.grpc_web": f"{_HTTP}.grpc_web",
    "envoy.gzip": f"{_HTTP}.gzip",
    "envoy.health_check": f"{_HTTP}.health_check",
    "envoy.http_connection_manager": f"{_NETWORK}.http_connection_manager",
    "envoy.ip_tagging": f"{_HTTP}.ip_tagging",
    "envoy.lua": f"{_HTTP}.lua",
    "envoy.mongo_proxy": f"{_NETWORK}.mongo_proxy",
    "envoy.rate_limit": f"{_HTTP}.ratelimit",
    "envoy.ratelimit": f"{_NETWORK}.ratelimit",
    "envoy.redis_proxy": f"{_NETWORK}.redis_proxy",
    "envoy.router": f"{_HTTP}.router",
    "envoy.tcp_proxy": f"{_NETWORK}.tcp_proxy",
}


def validate_envoy_filter(envoy_filter: EnvoyFilter, found: Findings) -> None:
    selector = envoy_filter.spec.workload_selector
    if selector is not None and not selector.labels:
        what = "a selector without labels is for every proxy of the namespace"
        found.warning("VAL-104", "spec.workloadSelector", what, "Name labels, or leave the selector out.")
    for patch in envoy_filter.spec.config_patches:
        _match(patch, found)
        _value(patch, found)


def _match(patch: ConfigPatch, found: Findings) -> None:
    match, at = patch.match, f"{patch.at}.match"
    if match is None:
        return
    if match.waypoint is not None or match.context == "WAYPOINT":
        found.info("VAL-103", at, "the patch is for waypoints, which are not there")
    if match.listener is not None and match.listener.port_name:
        found.info("VAL-103", f"{at}.listener.portName", "listeners are not matched by it, as in Istio")
    if match.proxy is not None and len(match.proxy.proxy_version) > LONGEST_VERSION:
        what = f"a pattern of more than {LONGEST_VERSION} letters fits no proxy"
        found.warning("VAL-103", f"{at}.proxy.proxyVersion", what)
    chain = match.listener.filter_chain if match.listener else None
    chosen = chain.filter if chain else None
    if chosen is None:
        return
    at = f"{at}.listener.filterChain.filter"
    if patch.apply_to in ("LISTENER", "FILTER_CHAIN"):
        found.warning("VAL-103", at, f"the match of a filter has no effect for {patch.apply_to}")
    names = [(chosen.name, f"{at}.name")]
    names += [(chosen.sub_filter.name, f"{at}.subFilter.name")] if chosen.sub_filter else []
    for name, where in names:
        if name in _RETIRED:
            found.warning(
                "VAL-103", where, f"no filter is called {name} any more", f"Write {_RETIRED[name]}."
            )


def _value(patch: ConfigPatch, found: Findings) -> None:
    if patch.patch is not None and patch.patch.filter_class != "UNSPECIFIED":
        found.info("VAL-103", f"{patch.at}.patch.filterClass", "it has no effect, as in Istio")
    if patch.patch is None or patch.apply_to not in _OF_FILTERS or patch.patch.operation not in _BRINGING:
        return
    if patch.patch.value and not _CONFIGURED & patch.patch.value.keys():
        what = "the filter has no typed_config: Envoy knows filters by the type of that, not by their name"
        found.warning("VAL-104", f"{patch.at}.patch.value", what)
