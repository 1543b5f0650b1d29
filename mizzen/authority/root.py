"""What signs: a root of our own, or a CA that the operator plugged in (Istio's `cacerts`).

Our own root is ECDSA on P-256, where Istio's default is RSA 2048: as strong or stronger (128 against 112
bits), it signs many times faster, and its chains are much smaller, which every handshake between two
proxies carries. Every Envoy, ztunnel and Istio verifies it. Plugged-in CAs may be either.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from mizzen.lazy import dataclass

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Certificates = tuple[x509.Certificate, ...]

ROOT_LIFETIME = timedelta(days=3650)  # Istio's CITADEL_SELF_SIGNED_CA_CERT_TTL
# How far clocks may differ. A certificate counts from that much before it was made.
SKEW = timedelta(minutes=5)
MIN_RSA_BITS = 2048  # what BoringSSL in Envoy takes
CURVES = ("secp256r1", "secp384r1")  # Istio's ECC_CURVE


class AuthorityError(ValueError):
    """CA certificates or a key that cannot be used. The message is a sentence for users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A CA certificate with its key and its way to the root."""

    certificate: x509.Certificate
    key: Key = field(repr=False, compare=False)
    chain: Certificates = ()  # what peers need between a leaf and the roots, `certificate` first; no root
    roots: Certificates  # what peers trust; the chain ends at one of them

    @property
    def ends(self) -> datetime:
        """When the first of the certificates that a leaf depends on ends (UTC)."""
        return min(each.not_valid_after_utc for each in (self.certificate, *self.chain, self.anchor))

    @property
    def anchor(self) -> x509.Certificate:
        """The root at which its chain ends. Raises AuthorityError where a link is missing."""
        return anchor_of(self.certificate, self.chain[1:], self.roots)


def self_signed(
    key: Key, *, trust_domain: str, serial: int, now: datetime, lifetime: timedelta = ROOT_LIFETIME
) -> Signer:
    """A new root that signs leaves itself, as Istio's: O is the trust domain, the key usage signs certificates.

    The common name holds part of `serial` (random, 64 to 159 bits), so that the roots before and after a
    rotation have different names and no verifier tries the wrong one."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, trust_domain[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, f"mizzen root {serial & 0xFFFFFFFFFFFFFFFF:016x}"),
        ]
    )
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - SKEW)
        .not_valid_after(now + lifetime)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, digest(key))
    )
    return Signer(certificate=certificate, key=key, roots=(certificate,))


def plugged_in(files: Mapping[str, bytes], now: datetime) -> Signer:
    """The CA in the files (name -> PEM) of a directory or Secret laid out as Istio's `cacerts`.

    Either ca-cert.pem, ca-key.pem, root-cert.pem and cert-chain.pem (may be missing or empty when the CA is
    the root), or tls.crt (CA and its chain), tls.key and ca.crt. The root file may hold several roots: that
    is how an operator changes them with an overlap. Raises AuthorityError.
    """
    if "ca-cert.pem" not in files and "tls.crt" in files:
        names = ("tls.crt", "tls.key", "ca.crt", "tls.crt")
    else:
        names = ("ca-cert.pem", "ca-key.pem", "root-cert.pem", "cert-chain.pem")
    missing = [name for name in names[:3] if not files.get(name, b"").strip()]
    if missing:
        raise AuthorityError(f"the CA certificates are not complete: {', '.join(missing)} missing or empty")
    certificate = read_certificates(files[names[0]], names[0])[0]
    key = read_key(files[names[1]], names[1])
    roots = read_certificates(files[names[2]], names[2])
    chain_text = files.get(names[3], b"")
    chain = read_certificates(chain_text, names[3]) if chain_text.strip() else ()
    # Istio's tools write the CA's own certificate, and often the root, into cert-chain.pem.
    between = tuple(each for each in dict.fromkeys(chain) if each != certificate and each not in roots)
    own = () if certificate in roots else (certificate,)
    signer = Signer(certificate=certificate, key=key, chain=own + between, roots=roots)
    check(signer, now)
    return signer


def check(signer: Signer, now: datetime) -> None:
    """Raises AuthorityError when leaves of this signer would not be accepted by anybody at `now`."""
    if signer.certificate.public_key() != signer.key.public_key():
        raise AuthorityError("the CA key does not belong to the CA certificate")
    _check_strength(signer.key)
    path = tuple(dict.fromkeys((signer.certificate, *signer.chain[1:], signer.anchor)))
    for depth, each in enumerate(path):
        _check_ca(each, depth)
        name = each.subject.rfc4514_string()
        begins, ends = each.not_valid_before_utc, each.not_valid_after_utc
        if ends <= now:
            raise AuthorityError(f"the CA certificate {name!r} ended at {ends:%Y-%m-%d %H:%MZ}")
        if begins > now + SKEW:
            raise AuthorityError(f"the CA certificate {name!r} begins only at {begins:%Y-%m-%d %H:%MZ}")


def anchor_of(certificate: x509.Certificate, above: Certificates, roots: Certificates) -> x509.Certificate:
    """The root that `certificate` leads to over the certificates `above` it, by their signatures alone: neither
    times nor usages are judged. Raises AuthorityError where a link is missing."""
    last = certificate
    for issuer in above:
        if not _is_issued(last, issuer):
            raise AuthorityError(
                f"the chain is broken: {last.subject.rfc4514_string()!r} was not signed by the next in it, "
                f"{issuer.subject.rfc4514_string()!r}"
            )
        last = issuer
    for root in roots:
        if last == root or _is_issued(last, root):
            return root
    raise AuthorityError(
        f"{last.subject.rfc4514_string()!r} was not signed by any certificate of the root file"
    )


def _is_issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _check_ca(certificate: x509.Certificate, depth: int) -> None:
    """It may sign certificates, with `depth` CA certificates between it and a leaf (RFC 5280, 4.2.1.9)."""
    name = certificate.subject.rfc4514_string()
    try:
        extensions = certificate.extensions
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        raise AuthorityError(f"{name!r} is no CA certificate: it has no basic constraints") from None
    except ValueError as error:
        raise AuthorityError(f"the certificate {name!r} is damaged: {error}") from None
    if not constraints.ca:
        raise AuthorityError(f"{name!r} is no CA certificate")
    if constraints.path_length is not None and constraints.path_length < depth:
        raise AuthorityError(
            f"{name!r} allows {constraints.path_length} CA certificates below it, and there are {depth}"
        )
    for extension in extensions:
        if isinstance(extension.value, x509.KeyUsage) and not extension.value.key_cert_sign:
            raise AuthorityError(f"the key usage of {name!r} does not allow it to sign certificates")


def _check_strength(key: Key) -> None:
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < MIN_RSA_BITS:
            raise AuthorityError(
                f"the RSA key of the CA has {key.key_size} bits, {MIN_RSA_BITS} is the least"
            )
    elif key.curve.name not in CURVES:
        raise AuthorityError(f"the CA key is on the curve {key.curve.name}; use P-256 or P-384")


def read_certificates(pem: bytes, name: str) -> Certificates:
    """All certificates in a PEM, at least one; `name` is for the message. Raises AuthorityError."""
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError:
        raise AuthorityError(f"{name} holds no PEM certificate, or a damaged one") from None


def read_key(pem: bytes, name: str) -> Key:
    """The private key in a PEM; the message of a failure never quotes it. Raises AuthorityError."""
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise AuthorityError(
            f"the key in {name} is encrypted; store it without a password, mode 0600"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise AuthorityError(f"{name} holds no PEM private key, or a damaged one") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise AuthorityError(f"the key in {name} is neither RSA nor ECDSA")
    return key


def certificates_pem(certificates: Certificates) -> str:
    """Certificates one after the other."""
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in certificates)


def key_pem(key: Key) -> str:
    """The private key, unencrypted: for a file of mode 0600 and nothing else."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def digest(key: Key) -> hashes.SHA256 | hashes.SHA384:
    """The hash that fits the key's strength."""
    is_p384 = isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size > 256
    return hashes.SHA384() if is_p384 else hashes.SHA256()


def key_usage(*, certificates: bool = False, encipherment: bool = False) -> x509.KeyUsage:
    """Of a CA (`certificates`), or of a leaf; `encipherment` only for RSA keys (RFC 8813)."""
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )
