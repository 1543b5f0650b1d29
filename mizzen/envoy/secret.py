"""Key pairs and roots, as SDS sends them: content always inline, nothing of it touches the disk."""

from mizzen._api import pb
from mizzen.model.tls import Certificate, TrustedCa


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
