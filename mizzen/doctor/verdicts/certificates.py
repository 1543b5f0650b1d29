"""The verdicts on certificates: trusted, for this host, small enough for QUIC, and the same over both."""

import ssl
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from mizzen.doctor.links import Link, Name
from mizzen.doctor.measured import Visit, Walk
from mizzen.doctor.verdicts.common import (
    broken,
    fine,
    first_connected,
    listed,
    no_quic,
    not_over_tcp,
    reached,
    unlooked,
)
from mizzen.lazy import dataclass

SOON = timedelta(days=7)
# RFC 9000, section 8.1: until a client's address is proven, a server sends three times what it received; a client's first
# flight is one datagram of 1,200 bytes.
LIMIT = 3 * 1200
# ServerHello, EncryptedExtensions, Finished, and what each of three datagrams costs (headers, AEAD tags).
_BESIDE = 520
_PER_CERTIFICATE = 5  # its length, and an empty list of extensions (RFC 8446, section 4.4.2)
_NEAR = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A chain as a server shows it."""

    leaf: x509.Certificate
    count: int
    size: int  # bytes in DER

    @property
    def _public_key(self) -> object:
        """None where it is of a kind, or on a curve, that nobody here knows."""
        try:
            return self.leaf.public_key()
        except (ValueError, UnsupportedAlgorithm):
            return None

    @property
    def key(self) -> str:
        key = self._public_key
        if key is None:
            return "a key of an unknown kind"
        if isinstance(key, rsa.RSAPublicKey):
            return f"RSA {key.key_size}"
        if isinstance(key, ec.EllipticCurvePublicKey):
            return f"ECDSA {key.curve.name}"
        return "Ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else type(key).__name__

    @property
    def names(self) -> tuple[str, ...]:
        try:
            names = self.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (x509.ExtensionNotFound, ValueError):
            return ()
        return tuple(str(one.value) for one in names)

    @property
    def flight(self) -> int:
        """About how many bytes a server sends over QUIC until a client can answer."""
        key = self._public_key
        signature = key.key_size // 8 if isinstance(key, rsa.RSAPublicKey) else 72
        return self.size + _PER_CERTIFICATE * self.count + signature + _BESIDE


def shown(ders: tuple[bytes, ...]) -> Shown | None:
    """None where there is no chain, or none that can be read."""
    try:
        leaf = x509.load_der_x509_certificate(ders[0]) if ders else None
    except ValueError:
        return None
    return Shown(leaf=leaf, count=len(ders), size=sum(map(len, ders))) if leaf else None


def over_tcp(walk: Walk) -> Shown | None:
    """The chain that TCP shows."""
    for one in walk.tcp:
        if one.page and one.page.chain:
            return shown(tuple(ssl.PEM_cert_to_DER_cert(pem) for pem in one.page.chain))
    return None


def certificate(walk: Walk) -> Link:
    """Trusted by this client, for this host, in date, and small enough for one round trip of QUIC."""
    seen, over_quic = over_tcp(walk), next(filter(None, (shown(one.chain) for one in walk.quic)), None)
    distrust = next((one.distrust for one in walk.tcp if one.distrust), "" if seen else walk.distrust_h3)
    chain = seen or over_quic
    if not chain:
        if distrust:
            return broken(Name.CERTIFICATE, distrust, _trust_remedy(walk, distrust))
        because = "there was no TLS handshake" if reached(walk) else not_over_tcp(walk)
        return unlooked(Name.CERTIFICATE, because)
    said = describe(chain, walk.now)
    if distrust:
        return broken(Name.CERTIFICATE, f"{distrust}; {said}", _trust_remedy(walk, distrust))
    if walk.insecure:
        said += "; not verified, as --insecure says"
    largest = max((one for one in (chain, over_quic) if one), key=lambda one: one.flight)
    if is_too_large(largest, first_connected(walk.quic)):
        said += (
            f"; with {'it' if largest.size == chain.size else f'the chain of QUIC ({largest.size:,} bytes)'} a server sends about {largest.flight:,} bytes in its QUIC handshake, more than the {LIMIT:,} that it "
            "may before a client has answered: each handshake takes a round trip more"
        )
        return broken(
            Name.CERTIFICATE,
            said,
            "show a smaller chain: no root, no cross-signed intermediate that clients do not need, an ECDSA key, fewer names",
        )
    left = chain.leaf.not_valid_after_utc - walk.now
    return fine(Name.CERTIFICATE, said, "renew it: it expires soon" if left < SOON else "")


def is_too_large(chain: Shown, visit: Visit | None) -> bool:
    """By its size; near the limit it counts whether the server was seen to wait."""
    stalled = visit is not None and visit.stalled_at > LIMIT - 1200
    return chain.flight > LIMIT or (stalled and chain.flight > _NEAR)


def describe(chain: Shown, now: datetime) -> str:
    """A chain in one sentence."""
    leaf = chain.leaf
    end = leaf.not_valid_after_utc
    days = (end - now).days
    until = f"until {end:%Y-%m-%d} ({days} days)" if end > now else f"expired on {end:%Y-%m-%d}"
    return (
        f"for {listed(chain.names[:4]) or leaf.subject.rfc4514_string()}, {chain.key}, {until}, "
        f"{chain.count} in the chain, {chain.size:,} bytes"
    )


def _trust_remedy(walk: Walk, distrust: str) -> str:
    text = distrust.lower()
    if "expired" in text:
        return "renew it"
    if "not yet valid" in text:
        return "see the clocks: it is not valid yet"
    if "subject name" in text or "hostname" in text or "does not match" in text:
        return f"serve a certificate that names {walk.target.host}: see credentialName of the server with this host"
    return "if a private CA issued it, name that with --cacert; else add the missing intermediate certificates to tls.crt"


def quic_certificate(walk: Walk) -> Link:
    """The same leaf as over TCP, or one of another kind that is trusted too."""
    if because := no_quic(walk):
        return unlooked(Name.QUIC_CERTIFICATE, because)
    wanted = over_tcp(walk)
    for visit in walk.quic:
        chain = shown(visit.chain)
        if chain and wanted and chain.leaf != wanted.leaf:
            return _other(walk, visit, chain, wanted)
    chain = next(filter(None, (shown(one.chain) for one in walk.quic)), None)
    if chain is None:
        return unlooked(Name.QUIC_CERTIFICATE, "no certificate could be read")
    if wanted is None:
        trusted = "" if walk.distrust_h3 else "trusted; "
        said = f"{trusted}{describe(chain, walk.now)}; none was seen over TCP"
        if walk.distrust_h3:
            return broken(
                Name.QUIC_CERTIFICATE, f"{walk.distrust_h3}; {said}", _trust_remedy(walk, walk.distrust_h3)
            )
        return fine(Name.QUIC_CERTIFICATE, said)
    return fine(Name.QUIC_CERTIFICATE, f"the same as over TCP ({chain.key}, {chain.size:,} bytes)")


def _other(walk: Walk, visit: Visit, chain: Shown, wanted: Shown) -> Link:
    said = f"{visit.where} shows another certificate over QUIC than over TCP: {describe(chain, walk.now)}"
    if walk.distrust_h3:
        said += f" ({walk.distrust_h3})"
    elif chain.key.split()[0] != wanted.key.split()[0]:
        return fine(Name.QUIC_CERTIFICATE, f"{said}; trusted too")
    return broken(
        Name.QUIC_CERTIFICATE,
        said,
        "give the QUIC listener the Secret of its TCP twin; where they have the same, the listener has not got the new one yet, or "
        "the UDP port leads to another gateway",
    )
