"""How a connection from a client is secured: TLS on TCP, and the TLS inside QUIC."""

from mizzen._api import pb
from mizzen.envoy.parts import boolean, packed, sds
from mizzen.envoy.tls_context import add_validation, certificate_validation_context, tls_parameters
from mizzen.model.tls import SESSION_TICKETS, ClientAuth, ServerTls

TLS = "envoy.transport_sockets.tls"
QUIC = "envoy.transport_sockets.quic"


def tls_transport_socket(tls: ServerTls) -> pb.TransportSocket:
    return pb.TransportSocket(name=TLS, typed_config=packed(downstream_tls_context(tls)))


def quic_transport_socket(tls: ServerTls, *, early_data: bool = False) -> pb.TransportSocket:
    """The same TLS inside QUIC, never weaker.

    Envoy's default is 0-RTT for every method, POST included: off, unless it is chosen for safe ones (`early_data`). Where client certificates are judged,
    no session is resumed: with a CA by SDS, a ticket would let its holder in without a certificate. Elsewhere tickets
    are made with keys that all workers and replicas have (`mizzen.http3.session_tickets`).
    """
    out = pb.QuicDownstreamTransport(
        downstream_tls_context=downstream_tls_context(tls),
        enable_early_data=boolean(early_data and not tls.judges_clients),
    )
    # On QUIC these are ignored. A server that depends on one has no mirror.
    out.downstream_tls_context.common_tls_context.ClearField("tls_params")
    if tls.judges_clients:
        out.enable_resumption.value = False
    else:
        out.downstream_tls_context.session_ticket_keys_sds_secret_config.CopyFrom(sds(SESSION_TICKETS))
    return pb.TransportSocket(name=QUIC, typed_config=packed(out))


def downstream_tls_context(tls: ServerTls) -> pb.DownstreamTlsContext:
    common = pb.CommonTlsContext(
        tls_params=tls_parameters(tls.policy),
        tls_certificate_sds_secret_configs=[sds(name) for name in tls.certificates],
        alpn_protocols=tls.alpn,
    )
    if tls.verification is not None:
        add_validation(tls.verification, certificate_validation_context(tls.verification), common)
    return pb.DownstreamTlsContext(
        common_tls_context=common,
        require_client_certificate=boolean(tls.client_auth is ClientAuth.REQUIRED),
    )
