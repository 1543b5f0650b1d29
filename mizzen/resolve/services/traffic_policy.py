"""How a backend is treated, out of the blocks of a DestinationRule: balancing, limits, connections, outliers."""

from collections.abc import Iterable
from datetime import timedelta

from mizzen.model.backend import Balancing, Limits, Outliers, Pool
from mizzen.resolve.context import Context
from mizzen.resolve.services.policies import Policy
from mizzen.resources.istio.destination_rule import ConnectionPoolSettings, HTTPSettings, TCPSettings

_DEFAULT_RING = 1024
_DEFAULT_BUDGET = 20.0
_DEFAULT_CONCURRENCY = 3
_SIMPLE = {"ROUND_ROBIN": "round_robin", "RANDOM": "random", "PASSTHROUGH": "given"}


def balancing(policy: Policy, *, weigh_localities: bool, panic: bool) -> Balancing:
    """`panic`: whether a share of unhealthy endpoints that is too large makes all count again."""
    found = policy.load_balancer
    outliers = policy.outlier_detection
    percent = float(outliers.min_health_percent or 0) if outliers and panic else 0.0
    if found is None:
        return Balancing(weigh_localities=weigh_localities, panic_percent=percent)
    hashed = found.consistent_hash
    if hashed is not None:
        ring = hashed.ring_hash.minimum_ring_size if hashed.ring_hash else 0
        if not hashed.ring_hash:
            ring = hashed.minimum_ring_size or _DEFAULT_RING
        return Balancing(
            policy="maglev" if hashed.maglev else "ring_hash",
            ring_size=None if hashed.maglev else ring or None,
            table_size=(hashed.maglev.table_size or None) if hashed.maglev else None,
            weigh_localities=weigh_localities,
            panic_percent=percent,
        )
    warmup = found.warmup
    return Balancing(
        policy=_SIMPLE.get(found.simple or "", "least_request"),
        warmup=warmup.duration if warmup else found.warmup_duration_secs,
        warmup_min_percent=_or(warmup.minimum_percent, 10.0) if warmup else None,
        warmup_aggression=_or(warmup.aggression, 1.0) if warmup else None,
        weigh_localities=weigh_localities,
        panic_percent=percent,
    )


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def limits(policy: Policy) -> Limits:
    """Circuit breakers; a zero asks for none."""
    tcp, http, budget = (
        tcp_settings(policy.connection_pool),
        http_settings(policy.connection_pool),
        policy.retry_budget,
    )
    return Limits(
        connections=tcp.max_connections or None,
        pending_requests=http.http1_max_pending_requests or None,
        requests=http.http2_max_requests or None,
        retries=http.max_retries or None,
        retry_budget_percent=_or(budget.percent, _DEFAULT_BUDGET) if budget else None,
        retry_budget_min=(budget.min_retry_concurrency if budget else 0) or _DEFAULT_CONCURRENCY,
        retry_budget_interval=budget.budget_interval if budget else None,
    )


def pool(ctx: Context, policy: Policy) -> Pool:
    """Connections; the mesh's keepalive is overlaid field by field by the rule's."""
    tcp, http = tcp_settings(policy.connection_pool), http_settings(policy.connection_pool)
    mesh, own = ctx.mesh.tcp_keepalive, tcp.tcp_keepalive
    alive = [one for one in (own, mesh) if one is not None]
    ping = http.http2_keep_alive
    idle = tcp.idle_timeout if http.idle_timeout is None else http.idle_timeout
    return Pool(
        connect_timeout=tcp.connect_timeout or ctx.mesh.connect_timeout,
        idle_timeout=idle,
        max_connection_duration=tcp.max_connection_duration,
        max_requests_per_connection=http.max_requests_per_connection or None,
        max_concurrent_streams=http.max_concurrent_streams or None,
        http2_ping_interval=ping.interval if ping else None,
        http2_ping_timeout=ping.timeout if ping else None,
        keepalive=bool(alive),
        keepalive_probes=next((one.probes for one in alive if one.probes), None),
        keepalive_time=_first(one.time for one in alive),
        keepalive_interval=_first(one.interval for one in alive),
    )


def _first(values: Iterable[timedelta | None]) -> timedelta | None:
    return next((value for value in values if value is not None), None)


def outliers(policy: Policy) -> Outliers | None:
    """When an endpoint that answers badly is left out; None when nobody asked."""
    found = policy.outlier_detection
    if found is None:
        return None
    return Outliers(
        consecutive_5xx=found.consecutive_5xx_errors,
        consecutive_gateway_errors=found.consecutive_gateway_errors,
        split_local_errors=found.split_external_local_origin_errors,
        consecutive_local_failures=found.consecutive_local_origin_failures or None,
        interval=found.interval,
        base_ejection=found.base_ejection_time,
        max_ejection_percent=found.max_ejection_percent or None,
        error_statuses=found.outlier_detection_http_error_codes,
    )


def tcp_settings(settings: ConnectionPoolSettings | None) -> TCPSettings:
    """What is said of connections; the defaults where nothing is."""
    return (settings.tcp if settings else None) or TCPSettings()


def http_settings(settings: ConnectionPoolSettings | None) -> HTTPSettings:
    """What is said of requests; the defaults where nothing is."""
    return (settings.http if settings else None) or HTTPSettings()
