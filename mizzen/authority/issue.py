"""Issuing: a signer, a key that was proven, an identity, and the time become an X.509-SVID.

Pure but for the nonce inside an ECDSA signature.
"""

from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from mizzen.authority.identity import Identity
from mizzen.authority.named_proof import extension
from mizzen.authority.request import PublicKey
from mizzen.authority.root import SKEW, Certificates, Signer, certificates_pem, digest, key_usage
from mizzen.lazy import dataclass


class LifetimeError(ValueError):
    """The asked lifetime is longer than the policy allows. The message is a sentence for the caller."""


class SignerEndedError(RuntimeError):
    """The CA's own certificates have ended: nothing can be issued until they are replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long certificates of workloads live (Istio: DEFAULT_ and MAX_WORKLOAD_CERT_TTL)."""

    default: timedelta = timedelta(hours=24)
    longest: timedelta = timedelta(days=90)
    backdate: timedelta = SKEW  # the clock of a peer may be that much behind

    def lifetime(self, asked: timedelta) -> timedelta:
        """The lifetime for an asked one; nothing or less asks for the default. Raises LifetimeError."""
        if asked > self.longest:
            raise LifetimeError(f"the longest lifetime is {int(self.longest.total_seconds())} s")
        return asked if asked > timedelta() else min(self.default, self.longest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A certificate for a workload."""

    certificate: x509.Certificate
    chain: Certificates  # what the workload shows: the leaf, then the intermediates

    @property
    def pem(self) -> str:
        """What goes into a file or an SDS secret, leaf first."""
        return certificates_pem(self.chain)


def issue(
    signer: Signer,
    key: PublicKey,
    *,
    identity: Identity,
    names: tuple[str, ...] = (),
    now: datetime,
    lifetime: timedelta,
    serial: int,
    backdate: timedelta = SKEW,
    proof: bytes = b"",
) -> Issued:
    """A certificate that says: who holds `key` is `identity`.

    As Istio's: an empty subject, the SPIFFE id as the one URI in a critical SAN (X.509-SVID), for servers
    and clients. `names` are DNS names and IP addresses of a control plane's own certificate. `key` comes
    from `requested_key`, `serial` is random (128 bits), `now` is aware. It ends `lifetime` after now, and
    not after the signer. `proof`: the digest of the proof that goes with it to a control plane (see `named_proof`); b"" for
    none. Raises SignerEndedError.
    """
    ends = min(now + lifetime, signer.ends)
    if ends <= now:
        raise SignerEndedError(f"the CA certificate ended at {signer.ends:%Y-%m-%d %H:%MZ}")
    alternative = x509.SubjectAlternativeName(
        [x509.UniformResourceIdentifier(identity.uri), *(_general_name(name) for name in names)]
    )
    usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = (
        x509.CertificateBuilder(issuer_name=signer.certificate.subject, subject_name=x509.Name([]))
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(now - backdate)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(encipherment=isinstance(key, rsa.RSAPublicKey)), critical=True)
        .add_extension(usages, critical=False)
        .add_extension(_authority_key(signer.certificate), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(alternative, critical=True)
    )
    if proof:
        builder = builder.add_extension(extension(proof), critical=False)
    certificate = builder.sign(signer.key, digest(signer.key))
    return Issued(certificate=certificate, chain=(certificate, *signer.chain))


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _authority_key(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """The issuer's own key id, which need not be the usual hash (RFC 5280, 4.2.1.1)."""
    try:
        own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        key = issuer.public_key()
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)  # type: ignore[arg-type]
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)
