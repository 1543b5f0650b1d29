"""Certificate signing requests (PKCS #10, RFC 2986): made by a proxy, checked by the authority."""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mizzen.authority.root import CURVES, MIN_RSA_BITS, Key, digest

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

_MAX_BYTES = 64 * 1024
# Verifying with a huge key is work that a caller could give us for nothing.
_MAX_RSA_BITS = 8192


class RequestError(ValueError):
    """A signing request that is refused. The message is a sentence for the caller; it quotes nothing."""


def signing_request(key: Key) -> str:
    """A request (PEM) for a certificate of this key. It names nobody: the authority knows who asks."""
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .sign(key, digest(key))
        .public_bytes(Encoding.PEM)
        .decode()
    )


def requested_key(csr: bytes) -> PublicKey:
    """The public key in a request (PEM or DER), once its holder is proven and the key found strong.

    Nothing else is taken from a request: names, usages and extensions in it are not even read.
    Raises RequestError.
    """
    if len(csr) > _MAX_BYTES:
        raise RequestError("the signing request is too long")
    is_pem = csr.lstrip().startswith(b"-----BEGIN")
    try:
        request = (x509.load_pem_x509_csr if is_pem else x509.load_der_x509_csr)(csr)
        key = request.public_key()
        algorithm = request.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        raise RequestError("the signing request cannot be read") from None
    if isinstance(key, rsa.RSAPublicKey):
        if not MIN_RSA_BITS <= key.key_size <= _MAX_RSA_BITS:
            raise RequestError(f"RSA keys must have {MIN_RSA_BITS} to {_MAX_RSA_BITS} bits")
        if key.public_numbers().e < 65537:
            raise RequestError("the exponent of the RSA key is less than 65537")
    elif not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in CURVES:
        raise RequestError("the key must be RSA, or ECDSA on P-256 or P-384")
    if not isinstance(algorithm, hashes.SHA256 | hashes.SHA384 | hashes.SHA512):
        raise RequestError("the signing request must be signed with SHA-256, SHA-384 or SHA-512")
    if not request.is_signature_valid:
        raise RequestError("the signing request was not signed with the key in it")
    return key


def key_digest(key: PublicKey) -> str:
    """SHA-256 of the public key (SubjectPublicKeyInfo) in hex: tells two keys apart."""
    sha = hashes.Hash(hashes.SHA256())
    sha.update(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return sha.finalize().hex()
