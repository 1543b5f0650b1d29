"""How a connection to a backend is secured, and what is said before anything else on it."""

from mizzen._api import pb
from mizzen.envoy.endpoints import MESH_MATCH
from mizzen.envoy.parts import packed, sds
from mizzen.envoy.tls_context import add_validation, certificate_validation_context, tls_parameters
from mizzen.envoy.transport import QUIC, TLS
from mizzen.model.backend import Backend, Http3
from mizzen.model.tls import ClientTls

_RAW = "envoy.transport_sockets.raw_buffer"
_PROXY_PROTOCOL = "envoy.transport_sockets.upstream_proxy_protocol"


def transport_socket(backend: Backend) -> pb.TransportSocket | None:
    """None: plain bytes, Envoy's default."""
    if backend.http3 is not Http3.NONE and backend.tls is not None:
        quic = pb.QuicUpstreamTransport(upstream_tls_context=upstream_tls_context(backend.tls))
        # On TCP, to which it may fall back, it is the same TLS.
        return pb.TransportSocket(name=QUIC, typed_config=packed(quic))
    return _around(backend, _tls(backend.tls) if backend.tls is not None else None)


def transport_socket_matches(backend: Backend) -> list[pb.Cluster.TransportSocketMatch]:
    """The mesh's mutual TLS for endpoints that speak it, plain bytes for the others."""
    if backend.mesh_tls is None:
        return []
    kind = pb.Cluster.TransportSocketMatch
    mutual, plain = _around(backend, _tls(backend.mesh_tls)), _around(backend, None) or _raw()
    return [
        kind(name="tlsMode-istio", match=MESH_MATCH, transport_socket=mutual),
        kind(name="tlsMode-disabled", match=pb.Struct(), transport_socket=plain),
    ]


def _tls(tls: ClientTls) -> pb.TransportSocket:
    return pb.TransportSocket(name=TLS, typed_config=packed(upstream_tls_context(tls)))


def _raw() -> pb.TransportSocket:
    return pb.TransportSocket(name=_RAW, typed_config=packed(pb.RawBuffer()))


def _around(backend: Backend, inner: pb.TransportSocket | None) -> pb.TransportSocket | None:
    """With the PROXY line before everything else, where one is wanted."""
    if not backend.proxy_protocol:
        return inner
    version = pb.ProxyProtocolConfig.V2 if backend.proxy_protocol == "V2" else pb.ProxyProtocolConfig.V1
    around = pb.ProxyProtocolUpstreamTransport(
        config=pb.ProxyProtocolConfig(version=version),
        transport_socket=inner or _raw(),
    )
    return pb.TransportSocket(name=_PROXY_PROTOCOL, typed_config=packed(around))


def upstream_tls_context(tls: ClientTls) -> pb.UpstreamTlsContext:
    """Without a verification the backend's certificate is not looked at: somebody asked for that."""
    common = pb.CommonTlsContext(tls_params=_parameters(tls), alpn_protocols=tls.alpn)
    if tls.certificate is not None:
        common.tls_certificate_sds_secret_configs.append(sds(tls.certificate))
    if tls.verification is not None:
        rules = certificate_validation_context(tls.verification)
        add_validation(tls.verification, rules, common)
    # With an SNI of each request, the same check is an option of the cluster (auto_san_validation).
    checks_sni = tls.check_san_of_sni and bool(tls.sni)
    return pb.UpstreamTlsContext(common_tls_context=common, sni=tls.sni, auto_sni_san_validation=checks_sni)


def _parameters(tls: ClientTls) -> pb.TlsParameters:
    """Istio's: 1.2 or 1.3 unless something else is said."""
    out = tls_parameters(tls.policy) or pb.TlsParameters()
    if not tls.policy.min_version:
        out.tls_minimum_protocol_version = pb.TlsParameters.TLSv1_2
    if not tls.policy.max_version:
        out.tls_maximum_protocol_version = pb.TlsParameters.TLSv1_3
    return out
