"""One backend, and how its endpoints are found, chosen and spared."""

from datetime import timedelta
from typing import assert_never

from mizzen._api import pb
from mizzen.envoy.endpoints import cluster_load_assignment
from mizzen.envoy.http_protocol_options import NAME as HTTP_PROTOCOL_OPTIONS
from mizzen.envoy.http_protocol_options import http_protocol_options
from mizzen.envoy.parts import NO_TIMEOUT, ads, duration, extension, packed, uint32
from mizzen.envoy.upstream_transport import transport_socket, transport_socket_matches
from mizzen.model.backend import BLACK_HOLE, Backend, Balancing, Discovery, Limits, Outliers, Pool, Service
from mizzen.model.listener import HeaderCase

_UNLIMITED = 2**32 - 1
_DNS_JITTER = timedelta(milliseconds=100)
_CONNECT_TIMEOUT = timedelta(seconds=10)
_POLICIES = {
    "round_robin": pb.Cluster.ROUND_ROBIN,
    "least_request": pb.Cluster.LEAST_REQUEST,
    "random": pb.Cluster.RANDOM,
    "ring_hash": pb.Cluster.RING_HASH,
    "maglev": pb.Cluster.MAGLEV,
    "given": pb.Cluster.CLUSTER_PROVIDED,
}
_FAMILIES = {"v4": pb.Cluster.V4_ONLY, "v6": pb.Cluster.V6_ONLY, "all": pb.Cluster.ALL}


def cluster(backend: Backend, header_case: HeaderCase = HeaderCase.LOWER) -> pb.Cluster:
    out = pb.Cluster(
        name=backend.name,
        # Envoy would cut the name at each dot that it takes for a tag; the semicolon ends it (Istio's way).
        alt_stat_name=backend.stat_name or f"{backend.name};",
        connect_timeout=duration(backend.pool.connect_timeout),
        circuit_breakers=circuit_breakers(backend.limits),
        transport_socket=transport_socket(backend),
        transport_socket_matches=transport_socket_matches(backend),
    )
    out.common_lb_config.healthy_panic_threshold.value = backend.balancing.panic_percent
    if backend.balancing.weigh_localities:
        out.common_lb_config.locality_weighted_lb_config.SetInParent()
    _add_balancing(backend.balancing, out)
    _add_discovery(backend, out)
    if backend.service is not None:
        _add_metadata(backend.service, out)
    if backend.source:
        source = out.upstream_bind_config.source_address
        source.address, source.port_value = backend.source, 0
    if backend.outliers is not None:
        out.outlier_detection.CopyFrom(outlier_detection(backend.outliers))
    if backend.pool.keepalive:
        out.upstream_connection_options.tcp_keepalive.CopyFrom(tcp_keepalive(backend.pool))
    options = http_protocol_options(backend, header_case)
    if options is not None:
        out.typed_extension_protocol_options[HTTP_PROTOCOL_OPTIONS].CopyFrom(packed(options))
    return out


def black_hole() -> pb.Cluster:
    """A backend without endpoints that is always there."""
    return pb.Cluster(name=BLACK_HOLE, type=pb.Cluster.STATIC, connect_timeout=duration(_CONNECT_TIMEOUT))


# --- finding endpoints ------------------------------------------------------------------------------


def is_told_endpoints(backend: Backend) -> bool:
    """Its endpoints go to Envoy as a resource of their own (EDS)."""
    return backend.discovery is Discovery.ENDPOINTS and not _is_unusable(backend)


def _is_unusable(backend: Backend) -> bool:
    return backend.tls is not None and bool(backend.tls.unusable)


def _add_discovery(backend: Backend, out: pb.Cluster) -> None:
    if _is_unusable(backend):
        # TLS was asked for and cannot be. Without endpoints every request fails; in plaintext none goes out.
        out.type = pb.Cluster.STATIC
        return
    match backend.discovery:
        case Discovery.ENDPOINTS:
            out.type = pb.Cluster.EDS
            out.eds_cluster_config.eds_config.CopyFrom(ads(NO_TIMEOUT))
            out.eds_cluster_config.service_name = backend.endpoints_name
        case Discovery.FIXED:
            out.type = pb.Cluster.STATIC
            out.load_assignment.CopyFrom(cluster_load_assignment(backend))
        case Discovery.DNS:
            out.type = pb.Cluster.STRICT_DNS
            _add_dns(backend, out)
        case Discovery.DNS_ONE:
            out.type = pb.Cluster.LOGICAL_DNS
            _add_dns(backend, out)
        case Discovery.DNS_WILDCARD:
            out.cluster_type.name = "envoy.clusters.dynamic_forward_proxy"
            out.cluster_type.typed_config.CopyFrom(packed(dns_cache(backend)))
            out.lb_policy = pb.Cluster.CLUSTER_PROVIDED
        case Discovery.CONNECTION:
            out.type = pb.Cluster.ORIGINAL_DST
            out.lb_policy = pb.Cluster.CLUSTER_PROVIDED
        case Discovery.NONE:
            out.type = pb.Cluster.STATIC
        case other:
            assert_never(other)


def _add_dns(backend: Backend, out: pb.Cluster) -> None:
    resolver = pb.CaresDnsResolverConfig(udp_max_queries=uint32(100))
    out.load_assignment.CopyFrom(cluster_load_assignment(backend))
    out.dns_lookup_family = _FAMILIES[backend.dns_families]
    out.dns_refresh_rate.CopyFrom(duration(backend.dns_refresh))
    out.dns_jitter.CopyFrom(duration(_DNS_JITTER))
    out.respect_dns_ttl = True
    out.typed_dns_resolver_config.CopyFrom(extension("envoy.network.dns_resolver.cares", resolver))


def dns_cache(backend: Backend) -> pb.ClusterConfig:
    """A cluster whose endpoints are the names that requests ask for, kept in a cache of its own."""
    cache = pb.DnsCacheConfig(
        name=backend.name,
        dns_lookup_family=_FAMILIES[backend.dns_families],
        dns_refresh_rate=duration(backend.dns_refresh),
    )
    # Whether certificates are verified has been decided before; Envoy would refuse the whole cluster.
    return pb.ClusterConfig(dns_cache_config=cache, allow_insecure_cluster_options=backend.tls is not None)


# --- choosing and sparing them ----------------------------------------------------------------------


def _add_balancing(balancing: Balancing, out: pb.Cluster) -> None:
    out.lb_policy = _POLICIES[balancing.policy]
    match balancing.policy:
        case "ring_hash" if balancing.ring_size is not None:
            out.ring_hash_lb_config.minimum_ring_size.value = balancing.ring_size
        case "maglev" if balancing.table_size is not None:
            out.maglev_lb_config.table_size.value = balancing.table_size
        case "round_robin" if balancing.warmup is not None:
            out.round_robin_lb_config.slow_start_config.CopyFrom(slow_start(balancing, balancing.warmup))
        case "least_request" if balancing.warmup is not None:
            out.least_request_lb_config.slow_start_config.CopyFrom(slow_start(balancing, balancing.warmup))


def slow_start(balancing: Balancing, window: timedelta) -> pb.Cluster.SlowStartConfig:
    out = pb.Cluster.SlowStartConfig(slow_start_window=duration(window))
    if balancing.warmup_min_percent is not None:
        out.min_weight_percent.value = balancing.warmup_min_percent
    if balancing.warmup_aggression is not None:
        out.aggression.default_value = balancing.warmup_aggression
        out.aggression.runtime_key = "("  # Envoy demands one; nobody sets it
    return out


def circuit_breakers(limits: Limits) -> pb.CircuitBreakers:
    """Envoy's own limits are 1024 and 3 retries; a gateway has none that nobody asked for, as in Istio."""

    def bound(limit: int | None) -> pb.UInt32Value:
        return uint32(_UNLIMITED if limit is None else limit)

    thresholds = pb.CircuitBreakers.Thresholds(
        max_connections=bound(limits.connections),
        max_pending_requests=bound(limits.pending_requests),
        max_requests=bound(limits.requests),
        max_retries=bound(limits.retries),
    )
    if limits.retry_budget_percent is not None:
        thresholds.retry_budget.budget_percent.value = limits.retry_budget_percent
        thresholds.retry_budget.min_retry_concurrency.value = limits.retry_budget_min
        if limits.retry_budget_interval is not None:
            thresholds.retry_budget.budget_interval.CopyFrom(duration(limits.retry_budget_interval))
    return pb.CircuitBreakers(thresholds=[thresholds])


def outlier_detection(outliers: Outliers) -> pb.OutlierDetection:
    """Success rates never count, as in Istio; what the user counts is enforced."""
    out = pb.OutlierDetection(enforcing_success_rate=uint32(0))
    if outliers.consecutive_5xx is not None:
        out.consecutive_5xx.value = outliers.consecutive_5xx
        out.enforcing_consecutive_5xx.value = 100 if outliers.consecutive_5xx else 0
    if outliers.consecutive_gateway_errors is not None:
        out.consecutive_gateway_failure.value = outliers.consecutive_gateway_errors
        out.enforcing_consecutive_gateway_failure.value = 100 if outliers.consecutive_gateway_errors else 0
    if outliers.interval is not None:
        out.interval.CopyFrom(duration(outliers.interval))
    if outliers.base_ejection is not None:
        out.base_ejection_time.CopyFrom(duration(outliers.base_ejection))
    if outliers.max_ejection_percent is not None:
        out.max_ejection_percent.value = outliers.max_ejection_percent
    if outliers.split_local_errors:
        out.split_external_local_origin_errors = True
        out.enforcing_local_origin_success_rate.value = 0
        if outliers.consecutive_local_failures is not None:
            out.consecutive_local_origin_failure.value = outliers.consecutive_local_failures
            out.enforcing_consecutive_local_origin_failure.value = 100
    return out


def tcp_keepalive(pool: Pool) -> pb.TcpKeepalive:
    """Envoy takes whole seconds, and the kernel no zero."""
    out = pb.TcpKeepalive()
    if pool.keepalive_probes is not None:
        out.keepalive_probes.value = pool.keepalive_probes
    if pool.keepalive_time is not None:
        out.keepalive_time.value = max(1, int(pool.keepalive_time.total_seconds()))
    if pool.keepalive_interval is not None:
        out.keepalive_interval.value = max(1, int(pool.keepalive_interval.total_seconds()))
    return out


# --- for people -------------------------------------------------------------------------------------


def _add_metadata(service: Service, out: pb.Cluster) -> None:
    """What istioctl's tables and the statistics read."""
    fields = out.metadata.filter_metadata["istio"].fields
    entry = fields["services"].list_value.values.add().struct_value.fields
    entry["host"].string_value = service.host
    entry["name"].string_value = service.name
    entry["namespace"].string_value = service.namespace
    if service.external:
        fields["external"].bool_value = True
    if service.policy:
        fields["config"].string_value = service.policy
    if service.subset:
        fields["subset"].string_value = service.subset
