"""The proof that goes with a certificate, which names its digest; what proofs are is in `proof`. Pure."""

from cryptography import x509

# Non-critical: a SHA-256 digest as an OCTET STRING. Anybody may use a UUID under this number, in parts of 16 and 24
# bits (oid-base.com/get/1.2.840.113556.1.8000.2554); of mizzen e552d604-fdd2-4247-815a-9c9a3caf596e. Under 2.25 it would
# be a single part (X.667): Go, and so an API server that calls a webhook, reads no certificate with a part over 31 bits.
EXTENSION = x509.ObjectIdentifier(
    "1.2.840.113556.1.8000.2554.58706.54788.64978.16967.33114.10263100.11491694"
)
_OCTETS = b"\x04\x20"  # DER: an OCTET STRING of 32 bytes


def extension(named: bytes) -> x509.UnrecognizedExtension:
    """Of a certificate with which a proof of that digest is to be shown."""
    return x509.UnrecognizedExtension(EXTENSION, _OCTETS + named)


def named_in(certificate: x509.Certificate) -> bytes:
    """The digest of the proof that goes with a certificate; b"" when it names none. Anything odd fits no proof."""
    try:
        found = certificate.extensions.get_extension_for_oid(EXTENSION).value
    except x509.ExtensionNotFound:
        return b""
    assert isinstance(found, x509.UnrecognizedExtension)
    return found.value.removeprefix(_OCTETS) or b"?"
