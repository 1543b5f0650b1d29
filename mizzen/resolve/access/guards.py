"""Which patches of an EnvoyFilter may keep requests out: what is not known to be harmless does.

A patch that is not applied opens a door where it would have refused something. So the tables below list what
plainly refuses nothing and hides nothing: limits of size and time, logs, statistics, traces, compression, headers
of answers, how a backend is connected to. Everything else guards: filters that judge requests (also by their
rate), code (Lua, Wasm), TLS, headers of requests (a backend may trust them), routes and hosts that would be
taken away or put before others, and every field or filter that no table knows.

Fields are those of Envoy's v3 API; they may be written in snake_case or in camelCase.
"""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from enum import IntEnum
from typing import Any

from mizzen.lazy import dataclass
from mizzen.resources.istio.envoy_filter import ConfigPatch

HCM = "envoy.filters.network.http_connection_manager"
TCP_PROXY = "envoy.filters.network.tcp_proxy"


_NEARLY = 0.9  # of 1: how like each other two names are of which one is a slip


class Verdict(IntEnum):
    """What it would mean that a patch is not applied; the greater is the worse."""

    HARMLESS = 0
    SIGHT = 1  # rules of access would see another address, host or path than they do
    GUARDS = 2


@dataclass(frozen=True, slots=True)
class Judgement:
    """`what`: the filter or field that decided, as its author wrote it. `runs`: it is code."""

    verdict: Verdict
    what: str
    runs: bool = False


HARMLESS = Judgement(Verdict.HARMLESS, "")
_CODE = Judgement(Verdict.GUARDS, "", runs=True)
Nested = Callable[[Any], "Judgement"]


def judge(patch: ConfigPatch) -> Judgement:
    """What becomes of traffic when a patch is not applied."""
    if patch.patch is None:
        return HARMLESS  # Istio drops it, too
    operation, kind, value = patch.patch.operation, patch.apply_to, patch.patch.value
    if "INVALID" in (operation, kind):
        return Judgement(Verdict.GUARDS, "a patch without a known applyTo and operation")
    if operation == "REMOVE":
        return _removed(patch)
    if operation in _ADDING and kind in _ADDED_AT_THE_END:
        return _ADDED_AT_THE_END[kind](value)
    if kind == "HTTP_ROUTE" and operation in _ADDING:
        at_the_end = operation == "ADD" or (operation == "INSERT_AFTER" and not _names_a_route(patch))
        return HARMLESS if at_the_end else Judgement(Verdict.GUARDS, "a route before others")
    if kind == "VIRTUAL_HOST" and operation == "REPLACE":
        return Judgement(Verdict.GUARDS, "another host in the place of one")
    return _BY_KIND[kind](value)


def _removed(patch: ConfigPatch) -> Judgement:
    """A filter that stays although it should go refuses more, not less; what else stays, serves on."""
    if patch.apply_to in ("HTTP_FILTER", "LISTENER_FILTER", "EXTENSION_CONFIG", "BOOTSTRAP"):
        return HARMLESS
    if patch.apply_to == "NETWORK_FILTER":
        chain = patch.match.listener.filter_chain if patch.match and patch.match.listener else None
        serves = chain is not None and chain.filter is not None and chain.filter.name in (HCM, TCP_PROXY)
        return Judgement(Verdict.GUARDS, "the filter that serves") if serves else HARMLESS
    what = patch.apply_to.lower().replace("_", " ")
    return Judgement(Verdict.GUARDS, f"a {what} that should be gone")


def _names_a_route(patch: ConfigPatch) -> bool:
    routes = patch.match.route_configuration if patch.match else None
    return bool(routes and routes.vhost and routes.vhost.route)


# --- values -----------------------------------------------------------------------------------------


def _worst(judgements: Iterator[Judgement]) -> Judgement:
    return max(judgements, key=lambda one: one.verdict, default=HARMLESS)


def _fields(
    harmless: str, *, sight: str = "", nested: Mapping[str, Nested] | None = None
) -> Callable[[Any], Judgement]:
    """Judges a message by its fields: names parted by blanks; `nested` fields are looked into."""
    calm, seen, deeper = frozenset(harmless.split()), frozenset(sight.split()), nested or {}
    known = (*calm, *seen, *deeper)

    def judged(value: Any) -> Judgement:
        if not isinstance(value, Mapping):
            return Judgement(Verdict.GUARDS, "something that is no message")
        return _worst(_field(_meant(snake(name), known), part) for name, part in value.items())

    def _field(name: str, part: Any) -> Judgement:
        if name in deeper:
            return deeper[name](part)
        if name in calm:
            return HARMLESS
        return Judgement(Verdict.SIGHT if name in seen else Verdict.GUARDS, f"the field {name}")

    return judged


def _meant(name: str, known: tuple[str, ...]) -> str:
    """A field that is written with a slip is the one that was meant."""
    if name in known:
        return name
    return next(iter(difflib.get_close_matches(name, known, 1, _NEARLY)), name)


def _each(inner: Nested) -> Nested:
    """Judges the items of a list, or the values of a map."""

    def judged(value: Any) -> Judgement:
        if not isinstance(value, list | Mapping):
            return Judgement(Verdict.GUARDS, "something that is no list")
        return _worst(inner(one) for one in (value.values() if isinstance(value, Mapping) else value))

    return judged


def snake(name: str) -> str:
    """A field's name as Envoy's .proto files have it."""
    return re.sub(r"(?<=[a-z0-9])[A-Z]", lambda found: f"_{found[0]}", name).lower()


def _typed(value: Any) -> tuple[str, Mapping[str, Any]]:
    """The message's name and its fields; a TypedStruct is looked into. ("", {}) for anything else."""
    config = value if isinstance(value, Mapping) else {}
    name = str(config.get("@type", "")).rpartition("/")[2]
    fields = {snake(str(key)): part for key, part in config.items() if key != "@type"}
    if name.endswith(".TypedStruct"):
        inner = fields.get("value")
        return str(fields.get("type_url", "")).rpartition("/")[2], inner if isinstance(inner, Mapping) else {}
    return name, fields


def _filter(table: Mapping[str, Nested]) -> Nested:
    """Judges a filter (or a filter's part of a route) by the type of its configuration, never by its name."""

    def judged(value: Any) -> Judgement:
        wrapped = value if isinstance(value, Mapping) else {}
        fields = {snake(str(key)): part for key, part in wrapped.items()}
        config = wrapped if "@type" in wrapped else fields.get("typed_config")
        name, inner = _typed(config)
        shown = str(fields.get("name") or name or "a filter without a type")
        if name == "envoy.config.route.v3.FilterConfig":
            return HARMLESS if inner.get("disabled") is True else judged(inner.get("config"))
        if "PerRoute" in name and set(inner) == {"disabled"} and inner["disabled"] is True:
            return HARMLESS  # it would have let in more
        found = table[name](inner) if name in table else Judgement(Verdict.GUARDS, shown)
        if found.verdict is Verdict.HARMLESS:
            return found
        return replace(found, what=_told(shown, found))

    return judged


def _told(shown: str, found: Judgement) -> str:
    return shown if found.what in ("", shown) else f"{found.what} of {shown}"


def _nothing(_: Any) -> Judgement:
    return HARMLESS


def _header_mutation(value: Any) -> Judgement:
    """Headers of answers may change; a backend may trust those of requests."""
    return _fields("", nested={"mutations": _fields("response_mutations response_trailers_mutations")})(value)


def _wasm(value: Any) -> Judgement:
    """Istio's own statistics, compiled into its Envoy (`runtime: envoy.wasm.runtime.null`); any other is code."""
    config = value.get("config") if isinstance(value, Mapping) else None
    machine = (config.get("vm_config") or config.get("vmConfig")) if isinstance(config, Mapping) else None
    if isinstance(machine, Mapping) and machine.get("runtime") == "envoy.wasm.runtime.null":
        source = machine.get("code")
        local = source.get("local") if isinstance(source, Mapping) else None
        inline = (
            (local.get("inline_string") or local.get("inlineString")) if isinstance(local, Mapping) else ""
        )
        if inline in _STATISTICS:
            return HARMLESS
    return _CODE


def _upgrades(value: Any) -> Judgement:
    allowed = isinstance(value, list) and all(
        isinstance(one, Mapping) and one.get("enabled") is not False for one in value
    )
    return HARMLESS if allowed else Judgement(Verdict.GUARDS, "the field upgrade_configs")


def _forwarded(value: Any) -> Judgement:
    keeps = value in ("SANITIZE_SET", "APPEND_FORWARD", "FORWARD_ONLY", "ALWAYS_FORWARD_ONLY")
    return HARMLESS if keeps else Judgement(Verdict.GUARDS, "the field forward_client_cert_details")


_STATISTICS = frozenset(
    {
        "envoy.wasm.stats",
        "envoy.wasm.metadata_exchange",
        "envoy.wasm.stackdriver",
        "envoy.wasm.null.stackdriver",
    }
)
_EXTENSIONS = "envoy.extensions.filters"
_ANSWERS = "response_headers_to_add response_headers_to_remove"

# --- tables -----------------------------------------------------------------------------------------

_HTTP_FILTER = _filter(
    {
        **dict.fromkeys(
            (
                f"{_EXTENSIONS}.http.compressor.v3.Compressor",
                f"{_EXTENSIONS}.http.compressor.v3.CompressorPerRoute",
                f"{_EXTENSIONS}.http.decompressor.v3.Decompressor",
                f"{_EXTENSIONS}.http.gzip.v3.Gzip",
                f"{_EXTENSIONS}.http.cors.v3.Cors",
                f"{_EXTENSIONS}.http.cors.v3.CorsPolicy",
                f"{_EXTENSIONS}.http.fault.v3.HTTPFault",
                f"{_EXTENSIONS}.http.grpc_http1_bridge.v3.Config",
                f"{_EXTENSIONS}.http.grpc_http1_reverse_bridge.v3.FilterConfig",
                f"{_EXTENSIONS}.http.grpc_stats.v3.FilterConfig",
                f"{_EXTENSIONS}.http.grpc_web.v3.GrpcWeb",
                f"{_EXTENSIONS}.http.router.v3.Router",
                f"{_EXTENSIONS}.http.stateful_session.v3.StatefulSession",
                f"{_EXTENSIONS}.http.stateful_session.v3.StatefulSessionPerRoute",
                f"{_EXTENSIONS}.http.tap.v3.Tap",
                "io.istio.http.peer_metadata.Config",
                "istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig",
                "stats.PluginConfig",
            ),
            _nothing,
        ),
        f"{_EXTENSIONS}.http.header_mutation.v3.HeaderMutation": _header_mutation,
        f"{_EXTENSIONS}.http.header_mutation.v3.HeaderMutationPerRoute": _header_mutation,
        f"{_EXTENSIONS}.http.wasm.v3.Wasm": _wasm,
        f"{_EXTENSIONS}.http.lua.v3.Lua": lambda _: _CODE,
        f"{_EXTENSIONS}.http.lua.v3.LuaPerRoute": lambda _: _CODE,
    }
)
_COMMON_HTTP = _fields(
    "idle_timeout max_connection_duration max_headers_count max_requests_per_connection max_response_headers_kb "
    "max_stream_duration"
)
_MANAGER = _fields(
    "access_log access_log_options add_user_agent always_set_request_id_in_response append_local_overload "
    "append_x_forwarded_port codec_type delayed_close_timeout drain_timeout generate_request_id "
    "http2_protocol_options http3_protocol_options http_protocol_options local_reply_config "
    "max_request_headers_kb preserve_external_request_id proxy_100_continue proxy_status_config "
    "request_headers_timeout request_id_extension request_timeout server_header_transformation server_name "
    "set_current_client_cert_details stat_prefix stream_flush_timeout stream_idle_timeout "
    "stream_error_on_invalid_http_message tracing via",
    sight="internal_address_config merge_slashes normalize_path original_ip_detection_extensions "
    "represent_ipv4_remote_address_as_ipv4_mapped_ipv6 scheme_header_transformation skip_xff_append "
    "strip_any_host_port strip_matching_host_port strip_trailing_host_dot use_remote_address "
    "xff_num_trusted_hops",
    nested={
        "http_filters": _each(_HTTP_FILTER),
        "common_http_protocol_options": _COMMON_HTTP,
        "upgrade_configs": _upgrades,
        "forward_client_cert_details": _forwarded,
    },
)
_NETWORK_FILTER = _filter(
    {
        f"{_EXTENSIONS}.network.http_connection_manager.v3.HttpConnectionManager": _MANAGER,
        f"{_EXTENSIONS}.network.tcp_proxy.v3.TcpProxy": _fields(
            "access_log access_log_options backoff_options hash_policy idle_timeout max_connect_attempts "
            "max_downstream_connection_duration stat_prefix"
        ),
        f"{_EXTENSIONS}.network.sni_cluster.v3.SniCluster": _nothing,
        f"{_EXTENSIONS}.network.wasm.v3.Wasm": _wasm,
        "envoy.tcp.metadataexchange.config.MetadataExchange": _nothing,
        "stats.PluginConfig": _nothing,
    }
)
_LISTENER_FILTER = _filter(
    {
        f"{_EXTENSIONS}.listener.tls_inspector.v3.TlsInspector": _nothing,
        f"{_EXTENSIONS}.listener.http_inspector.v3.HttpInspector": _nothing,
        f"{_EXTENSIONS}.listener.original_dst.v3.OriginalDst": _nothing,
        f"{_EXTENSIONS}.listener.proxy_protocol.v3.ProxyProtocol": lambda _: Judgement(Verdict.SIGHT, ""),
    }
)
_CHAIN = _fields(
    "metadata name transport_socket_connect_timeout",
    sight="use_proxy_proto",
    nested={"filters": _each(_NETWORK_FILTER)},
)
_LISTENER = _fields(
    "access_log additional_addresses connection_balance_config continue_on_listener_filters_timeout drain_type "
    "enable_mptcp enable_reuse_port freebind listener_filters_timeout max_connections_to_accept_per_socket_event "
    "metadata name per_connection_buffer_limit_bytes reuse_port socket_options stat_prefix tcp_backlog_size "
    "tcp_fast_open_queue_length traffic_direction transparent udp_listener_config",
    nested={
        "listener_filters": _each(_LISTENER_FILTER),
        "filter_chains": _each(_CHAIN),
        "default_filter_chain": _CHAIN,
    },
)
_FILTERS_OF_ROUTES = {"typed_per_filter_config": _each(_HTTP_FILTER)}
_ROUTE = _fields(
    f"decorator metadata name per_request_buffer_limit_bytes stat_prefix tracing {_ANSWERS}",
    nested={
        **_FILTERS_OF_ROUTES,
        "route": _fields(
            "append_x_forwarded_host cluster_not_found_response_code cors early_data_policy flush_timeout "
            "grpc_timeout_offset hash_policy hedge_policy idle_timeout include_vh_rate_limits "
            "internal_redirect_policy max_grpc_timeout max_stream_duration priority request_mirror_policies "
            "retry_policy retry_policy_typed_config timeout",
            nested={"upgrade_configs": _upgrades},
        ),
    },
)
_HOST = _fields(
    "cors domains hedge_policy include_attempt_count_in_response include_is_timeout_retry_header "
    "include_request_attempt_count metadata name per_request_buffer_limit_bytes request_mirror_policies "
    f"retry_policy retry_policy_typed_config virtual_clusters {_ANSWERS}",
    nested=_FILTERS_OF_ROUTES,
)
_TABLE = _fields(
    "max_direct_response_body_size_bytes metadata most_specific_header_mutations_wins name "
    f"request_mirror_policies validate_clusters {_ANSWERS}",
    sight="ignore_port_in_host_matching",
    nested={**_FILTERS_OF_ROUTES, "virtual_hosts": _each(_HOST)},
)
_PROTOCOL_OPTIONS = _fields(
    "@type auto_config common_http_protocol_options explicit_http_config idle_timeout outlier_detection "
    "upstream_http_protocol_options use_downstream_protocol_config",
    nested={"http_filters": _each(_HTTP_FILTER)},
)
_CLUSTER = _fields(
    "alt_stat_name circuit_breakers cleanup_interval close_connections_on_host_health_failure common_lb_config "
    "common_http_protocol_options connect_timeout connection_pool_per_downstream_connection "
    "dns_failure_refresh_rate dns_jitter dns_lookup_family dns_refresh_rate dns_resolution_config dns_resolvers "
    "health_checks http2_protocol_options http_protocol_options ignore_health_on_host_removal "
    "lb_policy lb_subset_config least_request_lb_config load_balancing_policy maglev_lb_config "
    "max_requests_per_connection metadata name outlier_detection per_connection_buffer_limit_bytes "
    "preconnect_policy protocol_selection respect_dns_ttl ring_hash_lb_config round_robin_lb_config "
    "track_cluster_stats track_timeout_budgets typed_dns_resolver_config upstream_bind_config "
    "upstream_connection_options upstream_http_protocol_options use_tcp_for_dns_lookups wait_for_warm_on_init",
    nested={"typed_extension_protocol_options": _each(_PROTOCOL_OPTIONS)},
)
_BOOTSTRAP = _fields(
    "admin application_log_config cluster_manager default_socket_interface dynamic_resources flags_path "
    "hds_config header_prefix node static_resources stats_config stats_flush_interval stats_flush_on_admin "
    "stats_server_version_override stats_sinks tracing typed_dns_resolver_config use_tcp_for_dns_lookups "
    "watchdog watchdogs"
)
_BY_KIND: Mapping[str, Nested] = {
    "LISTENER": _LISTENER,
    "FILTER_CHAIN": _CHAIN,
    "NETWORK_FILTER": _NETWORK_FILTER,
    "HTTP_FILTER": _HTTP_FILTER,
    "LISTENER_FILTER": _LISTENER_FILTER,
    "ROUTE_CONFIGURATION": _TABLE,
    "VIRTUAL_HOST": _HOST,
    "HTTP_ROUTE": _ROUTE,
    "CLUSTER": _CLUSTER,
    # It runs where a filter names it, and that is a patch of its own.
    "EXTENSION_CONFIG": _nothing,
    "BOOTSTRAP": _BOOTSTRAP,
}
_ADDING = frozenset({"ADD", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST"})
_ADDED_AT_THE_END: Mapping[str, Nested] = {
    # What is not opened, or asked by nobody, lets nobody in.
    "LISTENER": _nothing,
    "CLUSTER": _nothing,
    # The host takes requests that now meet a wider one.
    "VIRTUAL_HOST": lambda _: Judgement(Verdict.GUARDS, "a host of its own"),
}
