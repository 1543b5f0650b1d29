"""Which parts of the names of Envoy's statistics are labels for Prometheus.

Envoy's own rules take a listener's name for one word without dots: of `udp_0.0.0.0_8443` they make the label `udp_0` and
leave the rest in the name, where nobody can sum it up. The rules here know our listeners' names; the others are Envoy's.
"""

from typing import Any

# Envoy's own rules (source/common/config/well_known_names.cc) but those for what is below.
_OWN = (
    *("clientssl_prefix", "cluster_name", "connection_limit_prefix", "dns_filter_prefix", "dynamo_operation"),
    *("dynamo_partition_id", "dynamo_table", "ext_authz_prefix", "fault_downstream_cluster"),
    *("google_grpc_client_prefix", "grpc_bridge_method", "grpc_bridge_service", "http_user_agent"),
    *("local_http_ratelimit_prefix", "local_listener_ratelimit_prefix", "local_network_ratelimit_prefix"),
    *(
        "mongo_callsite",
        "mongo_collection",
        "mongo_prefix",
        "proxy_protocol_prefix",
        "proxy_protocol_version",
    ),
    *(
        "ratelimit_prefix",
        "rbac_http_prefix",
        "rbac_policy_name",
        "rbac_prefix",
        "redis_prefix",
        "response_code",
    ),
    *(
        "response_code_class",
        "route",
        "scoped_rds_config",
        "ssl_cipher",
        "ssl_curve",
        "ssl_sigalg",
        "ssl_version",
    ),
    *("tcp_prefix", "thrift_prefix", "tls_certificate", "udp_prefix", "virtual_cluster", "virtual_host"),
    *("worker_id", "xds_resource_name"),
)
# Each begins with text that Envoy compares before it tries the whole. The first group leaves the name, the second is the label.
_RULES = (
    ("http_conn_manager_prefix", r"^http\.(((?:in|out)bound_.*?;|[^.]*)\.)"),
    ("http_conn_manager_prefix", r"^listener\..*?\.http\.(((?:in|out)bound_.*?;|[^.]*)\.)"),
    ("listener_address", r"^listener\.(((?:udp_)?[0-9a-fA-F.:_\[\]]*_[0-9]+|[^.]*)\.)"),
    ("worker_id", r"^listener\.udp_.*?_[0-9]+\.worker(_([0-9]+))\."),
)


def stats_config() -> dict[str, Any]:
    """The `stats_config` of a bootstrap."""
    own = [{"tag_name": f"envoy.{name}"} for name in _OWN]
    rules = [{"tag_name": f"envoy.{name}", "regex": regex} for name, regex in _RULES]
    return {"use_all_default_tags": False, "stats_tags": [*own, *rules]}
