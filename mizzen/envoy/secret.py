"""Key pairs and roots, as SDS sends them: content always inline, nothing of it touches the disk."""

from collections.abc import Sequence

from mizzen._api import pb
from mizzen.model.quic import ConnectionIdKey
from mizzen.model.tls import SESSION_TICKETS, Certificate, TrustedCa


def tls_secret(certificate: Certificate) -> pb.Secret:
    """A certificate chain and its key."""
    out = pb.Secret(name=certificate.name)
    out.tls_certificate.certificate_chain.inline_bytes = certificate.chain
    out.tls_certificate.private_key.inline_bytes = certificate.key
    if certificate.ocsp_staple:
        out.tls_certificate.ocsp_staple.inline_bytes = certificate.ocsp_staple
    return out


def ca_secret(ca: TrustedCa) -> pb.Secret:
    """Roots to verify peers against, and what they have revoked."""
    out = pb.Secret(name=ca.name)
    out.validation_context.trusted_ca.inline_bytes = ca.roots
    if ca.crl:
        out.validation_context.crl.inline_bytes = ca.crl
    return out


def session_ticket_keys(keys: Sequence[bytes]) -> pb.Secret:
    """Keys of session tickets, of 80 bytes each: tickets are made with the first, and read with all."""
    out = pb.Secret(name=SESSION_TICKETS)
    for key in keys:
        out.session_ticket_keys.keys.add(inline_bytes=key)
    return out


def connection_id_key(one: ConnectionIdKey) -> pb.Secret:
    """What connection ids are encrypted with, by the names that Envoy's quic_lb looks for."""
    out = pb.Secret(name=one.name)
    out.generic_secret.secrets["encryption_key"].inline_bytes = one.key
    out.generic_secret.secrets["configuration_version"].inline_bytes = bytes([one.version])
    return out
