"""How HTTP is spoken to a backend."""

from mizzen._api import pb
from mizzen.envoy.parts import boolean, duration, extension, uint32
from mizzen.model.backend import Backend, Http3, Outliers, Pool, Protocol
from mizzen.model.http2 import CONNECTION_WINDOW, STREAM_WINDOW, STREAMS
from mizzen.model.listener import HeaderCase
from mizzen.model.tls import ClientTls

_LARGEST_QUIC_WINDOW = 24 * 2**20  # that Envoy takes for a connection
NAME = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def http1_protocol_options(header_case: HeaderCase) -> pb.Http1ProtocolOptions:
    """The same towards clients and backends: header names keep their case only if both sides keep it."""
    out = pb.Http1ProtocolOptions()
    if header_case is HeaderCase.PRESERVE:
        formatter = extension("preserve_case", pb.PreserveCaseFormatterConfig())
        out.header_key_format.stateful_formatter.CopyFrom(formatter)
    return out


def http_protocol_options(backend: Backend, header_case: HeaderCase) -> pb.HttpProtocolOptions | None:
    """None when there is nothing to say: Envoy then speaks HTTP/1.1."""
    out = pb.HttpProtocolOptions()
    _add_common(backend.pool, out)
    if backend.tls is not None:
        _add_sni(backend.tls, out)
    if backend.outliers is not None:
        _add_error_matcher(backend.outliers, out)
    http1 = http1_protocol_options(header_case)
    if backend.http3 is not Http3.NONE:
        _add_http3(backend, http1, out)
        return out
    match backend.protocol:
        case Protocol.HTTP2:
            out.explicit_http_config.http2_protocol_options.CopyFrom(http2_protocol_options(backend.pool))
        case Protocol.AS_CLIENT:
            out.use_downstream_protocol_config.http_protocol_options.CopyFrom(http1)
            out.use_downstream_protocol_config.http2_protocol_options.CopyFrom(
                http2_protocol_options(backend.pool)
            )
        case Protocol.NEGOTIATED:
            out.auto_config.http_protocol_options.CopyFrom(http1)
            http2 = http2_protocol_options(backend.pool)
            http2.max_concurrent_streams.value = backend.pool.max_concurrent_streams or STREAMS
            out.auto_config.http2_protocol_options.CopyFrom(http2)
        case Protocol.HTTP1 | Protocol.UNKNOWN:
            if out == pb.HttpProtocolOptions() and header_case is HeaderCase.LOWER:
                return None
            out.explicit_http_config.http_protocol_options.CopyFrom(http1)
    return out


def _add_http3(backend: Backend, http1: pb.Http1ProtocolOptions, out: pb.HttpProtocolOptions) -> None:
    """Alone, or before what TCP offers. Envoy tries it at once with whom it is told to know it, and goes to TCP when it
    has no answer in time."""
    http3 = http3_protocol_options(backend.pool)
    if backend.http3 is Http3.ONLY:
        out.explicit_http_config.http3_protocol_options.CopyFrom(http3)
        return
    auto = out.auto_config
    auto.http_protocol_options.CopyFrom(http1)
    auto.http2_protocol_options.CopyFrom(http2_protocol_options(backend.pool))
    auto.http3_protocol_options.CopyFrom(http3)
    cache = auto.alternate_protocols_cache_options
    # Envoy keeps a cache by its name, and refuses another of that name that begins with other entries.
    cache.name = "/".join((backend.name, *(f"{host}:{port}" for host, port in backend.http3_known)))
    for host, port in backend.http3_known:
        cache.prepopulated_entries.add(hostname=host, port=port)


def http3_protocol_options(pool: Pool) -> pb.Http3ProtocolOptions:
    """As over HTTP/2: a malformed answer costs its own stream (RFC 9114, section 4.1.2)."""
    quic = pb.CoreQuicProtocolOptions(
        initial_stream_window_size=uint32(STREAM_WINDOW),
        initial_connection_window_size=uint32(min(CONNECTION_WINDOW, _LARGEST_QUIC_WINDOW)),
    )
    if pool.max_concurrent_streams is not None:
        quic.max_concurrent_streams.value = pool.max_concurrent_streams
    return pb.Http3ProtocolOptions(
        quic_protocol_options=quic, override_stream_error_on_invalid_http_message=boolean(True)
    )


def http2_protocol_options(pool: Pool) -> pb.Http2ProtocolOptions:
    """Towards a backend; the number of streams is Envoy's own where nobody says one.

    A malformed answer costs its own stream (RFC 9113, section 8.1.1), not those of other clients.
    """
    out = pb.Http2ProtocolOptions(
        override_stream_error_on_invalid_http_message=boolean(True),
        initial_stream_window_size=uint32(STREAM_WINDOW),
        initial_connection_window_size=uint32(CONNECTION_WINDOW),
    )
    if pool.max_concurrent_streams is not None:
        out.max_concurrent_streams.value = pool.max_concurrent_streams
    if pool.http2_ping_interval is not None:
        out.connection_keepalive.interval.CopyFrom(duration(pool.http2_ping_interval))
    if pool.http2_ping_timeout is not None:
        out.connection_keepalive.timeout.CopyFrom(duration(pool.http2_ping_timeout))
    return out


def _add_common(pool: Pool, out: pb.HttpProtocolOptions) -> None:
    common = pb.CoreHttpProtocolOptions()
    if pool.idle_timeout is not None:
        common.idle_timeout.CopyFrom(duration(pool.idle_timeout))
    if pool.max_connection_duration is not None:
        common.max_connection_duration.CopyFrom(duration(pool.max_connection_duration))
    if pool.max_requests_per_connection is not None:
        common.max_requests_per_connection.CopyFrom(uint32(pool.max_requests_per_connection))
    if common != pb.CoreHttpProtocolOptions():
        out.common_http_protocol_options.CopyFrom(common)


def _add_sni(tls: ClientTls, out: pb.HttpProtocolOptions) -> None:
    if not tls.sni:
        out.upstream_http_protocol_options.auto_sni = True
        out.upstream_http_protocol_options.auto_san_validation = tls.check_san_of_sni


def _add_error_matcher(outliers: Outliers, out: pb.HttpProtocolOptions) -> None:
    """Which answers speak against an endpoint, when only some do."""
    rules = [_status_is(status) for status in outliers.error_statuses]
    if len(rules) == 1:
        out.outlier_detection.error_matcher.CopyFrom(rules[0])
    elif rules:
        out.outlier_detection.error_matcher.or_match.rules.extend(rules)


def _status_is(status: int) -> pb.MatchPredicate:
    matcher = pb.HeaderMatcher(name=":status", string_match=pb.StringMatcher(exact=str(status)))
    return pb.MatchPredicate(http_response_headers_match=pb.HttpHeadersMatch(headers=[matcher]))
