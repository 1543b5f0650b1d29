"""What is in a PEM: whether Envoy will take it, and the facts that others judge by.

Parsing is remembered by content: a build looks at every certificate, and few change.
"""

from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from mizzen.lazy import dataclass

# BoringSSL's limits in Envoy ("only RSA certificates with 2048-bit or larger keys are supported").
_SMALLEST_RSA = 2048
_CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A certificate chain that can be used. Times are UTC."""

    algorithm: str  # "RSA", "ECDSA"
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]  # DNS names it is for, in lower case; the common name where there are none
    must_staple: bool
    public_key: bytes  # SubjectPublicKeyInfo of the leaf, DER


@dataclass(frozen=True, slots=True)
class Bad:
    """Why something cannot be used, as the rest of a sentence ("the private key is encrypted")."""

    why: str


@lru_cache(maxsize=4096)
def read_chain(pem: bytes) -> Chain | Bad:
    """The chain in a PEM, leaf first."""
    try:
        certificates = x509.load_pem_x509_certificates(pem)
    except ValueError:
        return Bad("this is no PEM certificate" if b"BEGIN CERT" not in pem else "the certificate is damaged")
    leaf = certificates[0]
    try:
        key = leaf.public_key()
        names, must_staple = _names(leaf), _must_staple(leaf)
    except (ValueError, UnsupportedAlgorithm, x509.UnsupportedGeneralNameType, x509.DuplicateExtension):
        return Bad("the certificate is damaged")
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < _SMALLEST_RSA:
            return Bad(f"the RSA key has {key.key_size} bits; Envoy takes {_SMALLEST_RSA} or more")
        algorithm = "RSA"
    elif isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        algorithm = "ECDSA"
    else:
        return Bad("Envoy takes RSA keys, and ECDSA keys on P-256, P-384 or P-521")
    return Chain(
        algorithm=algorithm,
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        names=names,
        must_staple=must_staple,
        public_key=key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    )


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        common = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return tuple(str(name.value).lower() for name in common)
    return tuple(name.lower() for name in extension.value.get_values_for_type(x509.DNSName))


def _must_staple(leaf: x509.Certificate) -> bool:
    try:
        features = leaf.extensions.get_extension_for_class(x509.TLSFeature)
    except x509.ExtensionNotFound:
        return False
    return x509.TLSFeatureType.status_request in features.value


@lru_cache(maxsize=4096)
def key_fault(key: bytes, chain: Chain) -> str:
    """Why a private key cannot be used with a chain; "" when it can."""
    try:
        private = load_pem_private_key(key, password=None)
    except TypeError:
        return "the private key is encrypted"
    except (ValueError, UnsupportedAlgorithm):
        return "this is no PEM private key" if b"PRIVATE KEY" not in key else "the private key is damaged"
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "" if public == chain.public_key else "the private key does not belong to the certificate"


@lru_cache(maxsize=1024)
def roots_fault(pem: bytes) -> str:
    """Why a bundle of roots cannot be used; "" when it can."""
    try:
        x509.load_pem_x509_certificates(pem)
    except ValueError:
        return "the CA certificates are damaged" if b"BEGIN CERT" in pem else "this is no PEM certificate"
    return ""


@lru_cache(maxsize=1024)
def crl_fault(pem: bytes) -> str:
    """Why a revocation list cannot be used; "" when it can."""
    try:
        x509.load_pem_x509_crl(pem)
    except ValueError:
        return "this is no PEM revocation list"
    return ""
