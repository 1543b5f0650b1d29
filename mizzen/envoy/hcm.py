"""The HTTP connection manager: how HTTP is spoken with clients."""

from datetime import timedelta

from mizzen._api import pb
from mizzen.envoy.access_log import access_log
from mizzen.envoy.filters import WEBSOCKET_FILTERS, early_data, header_limits, http_filters
from mizzen.envoy.filters.meeting import Meeting
from mizzen.envoy.http_protocol_options import http1_protocol_options
from mizzen.envoy.parts import NO_TIMEOUT, ads, boolean, duration, extension, uint32
from mizzen.envoy.scoped_route import collection
from mizzen.envoy.tracing import request_id, tracing
from mizzen.model.http2 import CLIENT_CONNECTION_WINDOW, CLIENT_STREAM_WINDOW
from mizzen.model.listener import (
    LIMIT_HEADERS,
    LIMIT_KIB,
    Edge,
    HeaderLimits,
    HttpService,
    Transport,
)
from mizzen.model.quic import KEEPALIVE
from mizzen.model.telemetry import AccessLog

_HCM = pb.HttpConnectionManager

_CLIENT_CERT_HEADERS = {
    "sanitize": _HCM.SANITIZE,
    "sanitize_set": _HCM.SANITIZE_SET,
    "append_forward": _HCM.APPEND_FORWARD,
    "forward_only": _HCM.FORWARD_ONLY,
    "always_forward_only": _HCM.ALWAYS_FORWARD_ONLY,
}
_ESCAPED_SLASHES = {
    "keep_unchanged": _HCM.KEEP_UNCHANGED,
    "reject_request": _HCM.REJECT_REQUEST,
    "unescape_and_redirect": _HCM.UNESCAPE_AND_REDIRECT,
    "unescape_and_forward": _HCM.UNESCAPE_AND_FORWARD,
}
# What clients offer over HTTP/1.1 and are content without: TLS within the connection (RFC 2817; Apache HttpClient offers it
# with every plain request), another version of HTTP. A server may ignore it (RFC 9110 section 7.8); Envoy answers 403 to
# all that it does not know. Of what is no WebSocket the rest is refused: its bytes would mean nothing to us.
_IGNORED_UPGRADES = (
    pb.StringMatcher(prefix="TLS/", ignore_case=True),
    pb.StringMatcher(prefix="HTTP/", ignore_case=True),
    pb.StringMatcher(exact="h2", ignore_case=True),
    pb.StringMatcher(exact="h2c", ignore_case=True),
)
_UNDERSCORES = {
    "allow": pb.CoreHttpProtocolOptions.ALLOW,
    "reject_request": pb.CoreHttpProtocolOptions.REJECT_REQUEST,
    "drop_header": pb.CoreHttpProtocolOptions.DROP_HEADER,
}


def http_connection_manager(
    service: HttpService,
    edge: Edge,
    transport: Transport,
    logs: tuple[AccessLog, ...],
    *,
    keepalive: timedelta = KEEPALIVE,
    scoped: bool = False,
) -> pb.HttpConnectionManager:
    """The same over TCP and QUIC but for the codec. Unset fields are Envoy's defaults.

    `keepalive`: how often clients are pinged over QUIC while a request runs. `scoped`: the route table is told host by
    host.
    """
    meeting = Meeting(service=service, edge=edge, scoped=scoped)
    out = pb.HttpConnectionManager(
        codec_type=_HCM.HTTP3 if transport is Transport.QUIC else _HCM.AUTO,
        stat_prefix=service.stat_prefix,
        http_filters=http_filters(meeting),
        local_reply_config=header_limits.local_reply(),
        use_remote_address=boolean(edge.remote_address),
        xff_num_trusted_hops=edge.trusted_hops,
        http_protocol_options=http1_protocol_options(edge.header_case),
        proxy_100_continue=True,
        normalize_path=boolean(edge.normalize_path),
        merge_slashes=edge.merge_slashes,
        path_with_escaped_slashes_action=_ESCAPED_SLASHES[edge.escaped_slashes],
        append_x_forwarded_port=edge.forwarded_port,
        # "x." is the host x (RFC 3986, section 3.2.2), to routes, to rules and to backends.
        strip_trailing_host_dot=True,
        access_log=[access_log(log) for log in logs],
    )
    # For ever: a listener that serves without its routes would answer 404 to everybody.
    if scoped:
        out.scoped_routes.CopyFrom(scoped_routes(service.route_table))
    else:
        out.rds.CopyFrom(pb.Rds(config_source=ads(NO_TIMEOUT), route_config_name=service.route_table))
    out.http_protocol_options.accept_http_10 = edge.accept_http_10
    out.http_protocol_options.ignore_http_11_upgrade.extend(_IGNORED_UPGRADES)
    if not edge.request_id:
        out.generate_request_id.value = False
    _add_server_header(edge, out)
    _add_client_certificate(edge, out)
    _add_timeouts(edge, out)
    _add_header_limits(edge, out)
    _add_http2(edge, out)
    _add_http3(transport, keepalive, out)
    _add_upgrades(meeting, out)
    if edge.tracer is not None:
        out.tracing.CopyFrom(tracing(edge.trace_percent, edge.tracer))
        if (told := request_id(edge.tracer)) is not None:
            out.request_id_extension.CopyFrom(told)
    _add_internal_networks(edge, out)
    _add_early_data(meeting, out)
    return out


def scoped_routes(table: str) -> pb.ScopedRoutes:
    """The hosts of a table, each a resource of its own, found by the host of a request without its port."""
    host = pb.ScopedRoutes.ScopeKeyBuilder.FragmentBuilder.HeaderValueExtractor(
        name=":authority", element_separator=":", index=0
    )
    out = pb.ScopedRoutes(name=table, rds_config_source=ads(NO_TIMEOUT))
    out.scope_key_builder.fragments.add(header_value_extractor=host)
    out.scoped_rds.scoped_rds_config_source.CopyFrom(ads(NO_TIMEOUT))
    out.scoped_rds.srds_resources_locator = collection(table)
    return out


def _add_header_limits(edge: Edge, out: pb.HttpConnectionManager) -> None:
    """Those of the codecs, where they are not Envoy's own. After `_add_timeouts`, which writes the same message."""
    kib, headers = header_limits.codec_limits(edge)
    if kib != LIMIT_KIB:
        out.max_request_headers_kb.value = kib
    if headers != LIMIT_HEADERS:
        out.common_http_protocol_options.max_headers_count.value = headers


def _add_internal_networks(edge: Edge, out: pb.HttpConnectionManager) -> None:
    for network in edge.internal_networks:
        address, _, length = network.partition("/")
        out.internal_address_config.cidr_ranges.add(address_prefix=address, prefix_len=uint32(int(length)))
    if edge.internal_networks and not edge.believes_internal:
        config = pb.EarlyHeaderMutation()
        theirs = pb.StringMatcher(prefix="x-envoy-", ignore_case=True)
        config.mutations.add().remove_on_match.key_matcher.CopyFrom(theirs)
        forged = extension("envoy.http.early_header_mutation.header_mutation", config)
        out.early_header_mutation_extensions.append(forged)


def _add_early_data(meeting: Meeting, out: pb.HttpConnectionManager) -> None:
    """What keeps clients from saying themselves whether a request came early, and answers 425 to those that did and may not."""
    if not meeting.service.early_data:
        return
    if not early_data.is_believed(meeting.edge):
        out.early_header_mutation_extensions.append(early_data.sent_by_clients())
    out.local_reply_config.mappers.append(early_data.local_reply())


def _add_server_header(edge: Edge, out: pb.HttpConnectionManager) -> None:
    if edge.server_header is None:
        out.server_header_transformation = _HCM.PASS_THROUGH
    else:
        out.server_name = edge.server_header
        out.server_header_transformation = _HCM.OVERWRITE


def _add_client_certificate(edge: Edge, out: pb.HttpConnectionManager) -> None:
    """What becomes of x-forwarded-client-cert, and what we write into it where we do."""
    out.forward_client_cert_details = _CLIENT_CERT_HEADERS[edge.client_cert_header]
    if edge.client_cert_header in ("sanitize_set", "append_forward"):
        details = out.set_current_client_cert_details
        details.subject.value = "subject" in edge.cert_details
        details.cert, details.dns = "cert" in edge.cert_details, "dns" in edge.cert_details
        details.uri, details.chain = "uri" in edge.cert_details, "chain" in edge.cert_details


def _add_timeouts(edge: Edge, out: pb.HttpConnectionManager) -> None:
    common = pb.CoreHttpProtocolOptions(headers_with_underscores_action=_UNDERSCORES[edge.underscores])
    _set(common.idle_timeout, edge.idle_timeout)
    _set(common.max_connection_duration, edge.max_connection_duration)
    _set(common.max_stream_duration, edge.max_stream_duration)
    out.common_http_protocol_options.CopyFrom(common)
    out.stream_idle_timeout.CopyFrom(duration(edge.stream_idle_timeout))
    _set(out.request_timeout, edge.request_timeout)
    _set(out.request_headers_timeout, edge.request_headers_timeout)
    _set(out.drain_timeout, edge.drain_timeout)


def _set(field: pb.Duration, value: timedelta | None) -> None:
    if value is not None:
        field.CopyFrom(duration(value))


def _add_http2(edge: Edge, out: pb.HttpConnectionManager) -> None:
    """A malformed request costs its own stream (RFC 9113 section 8.1.1), as over HTTP/3: a connection may have many clients."""
    limits = edge.http2
    options = pb.Http2ProtocolOptions()
    if limits.max_concurrent_streams is not None:
        options.max_concurrent_streams.CopyFrom(uint32(limits.max_concurrent_streams))
    options.initial_stream_window_size.CopyFrom(uint32(limits.stream_window or CLIENT_STREAM_WINDOW))
    options.initial_connection_window_size.CopyFrom(
        uint32(limits.connection_window or CLIENT_CONNECTION_WINDOW)
    )
    if edge.header_limits is HeaderLimits.FILTER:
        options.max_header_field_size_kb.value = header_limits.CODEC_HTTP2_FIELD_KIB
    options.allow_connect = True  # for WebSockets (RFC 8441)
    options.override_stream_error_on_invalid_http_message.value = True
    out.http2_protocol_options.CopyFrom(options)


def _add_http3(transport: Transport, keepalive: timedelta, out: pb.HttpConnectionManager) -> None:
    """A malformed request costs its own stream (RFC 9114 section 4.1.2), as over HTTP/1.1 its own connection.

    Bytes above 127 in values (obs-text, RFC 9110 section 5.5) pass, as they do over HTTP/1.1 and HTTP/2.
    """
    if transport is Transport.QUIC:
        out.http3_protocol_options.allow_extended_connect = True  # for WebSockets (RFC 9220)
        out.http3_protocol_options.override_stream_error_on_invalid_http_message.value = True
        out.http3_protocol_options.disallow_obs_text.value = False
        pings = out.http3_protocol_options.quic_protocol_options.connection_keepalive
        pings.max_interval.CopyFrom(duration(keepalive))
        pings.initial_interval.CopyFrom(duration(keepalive))


def _add_upgrades(meeting: Meeting, out: pb.HttpConnectionManager) -> None:
    """WebSockets on every route, over HTTP/2 (RFC 8441) and HTTP/3 (RFC 9220) by extended CONNECT."""
    websocket = out.upgrade_configs.add(upgrade_type="websocket")
    websocket.filters.extend(http_filters(meeting, WEBSOCKET_FILTERS))
