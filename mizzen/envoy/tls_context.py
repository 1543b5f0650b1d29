"""What TLS contexts of servers and of clients have alike."""

from mizzen._api import pb
from mizzen.envoy.parts import sds
from mizzen.model.tls import TlsPolicy, Verification

_VERSIONS = {
    "": pb.TlsParameters.TLS_AUTO,
    "1.0": pb.TlsParameters.TLSv1_0,
    "1.1": pb.TlsParameters.TLSv1_1,
    "1.2": pb.TlsParameters.TLSv1_2,
    "1.3": pb.TlsParameters.TLSv1_3,
}
_SAN_TYPES = (
    pb.SubjectAltNameMatcher.DNS,
    pb.SubjectAltNameMatcher.URI,
    pb.SubjectAltNameMatcher.EMAIL,
    pb.SubjectAltNameMatcher.IP_ADDRESS,
)


def tls_parameters(policy: TlsPolicy) -> pb.TlsParameters | None:
    """None when the user restricts nothing, and Envoy's defaults hold."""
    if policy == TlsPolicy():
        return None
    return pb.TlsParameters(
        tls_minimum_protocol_version=_VERSIONS[policy.min_version],
        tls_maximum_protocol_version=_VERSIONS[policy.max_version],
        cipher_suites=policy.ciphers,
        ecdh_curves=policy.curves,
    )


def add_validation(
    verification: Verification, rules: pb.CertificateValidationContext, to: pb.CommonTlsContext
) -> None:
    """Say how the peer is judged: by `rules`, and by the CA that comes by SDS when there is one."""
    if verification.ca is None:
        to.validation_context.CopyFrom(rules)
    else:
        to.combined_validation_context.default_validation_context.CopyFrom(rules)
        to.combined_validation_context.validation_context_sds_secret_config.CopyFrom(sds(verification.ca))


def certificate_validation_context(verification: Verification) -> pb.CertificateValidationContext:
    """All rules but the CA."""
    out = pb.CertificateValidationContext(
        match_typed_subject_alt_names=[
            # A name says not of which type it is: one of any type will do, as in Istio.
            pb.SubjectAltNameMatcher(san_type=kind, matcher=pb.StringMatcher(exact=name))
            for name in verification.subject_alt_names
            for kind in _SAN_TYPES
        ]
        + [
            pb.SubjectAltNameMatcher(
                san_type=pb.SubjectAltNameMatcher.URI, matcher=pb.StringMatcher(prefix=start)
            )
            for start in verification.subject_alt_name_prefixes
        ],
        verify_certificate_spki=verification.spki_pins,
        verify_certificate_hash=verification.certificate_hashes,
    )
    if verification.accept_untrusted:
        out.trust_chain_verification = pb.CertificateValidationContext.ACCEPT_UNTRUSTED
    return out
