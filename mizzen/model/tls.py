"""TLS as a server or a client of it shall do it, and the certificates themselves."""

from dataclasses import field
from enum import Enum

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass

# SDS names of what a proxy is to the mesh: its own certificate, and the roots that others of the mesh are
# verified against. They do not come from the control plane but from who keeps the proxy's key beside it.
WORKLOAD = "default"
MESH_ROOTS = "ROOTCA"
# The roots that the machine of a proxy trusts, by Istio's name. They come from beside the proxy, too: its machine
# may be another than that of the control plane.
SYSTEM_ROOTS = "file-root:system"
BESIDE_PROXY = frozenset({WORKLOAD, MESH_ROOTS, SYSTEM_ROOTS})
# The SDS name of the keys of session tickets, which QUIC listeners give.
SESSION_TICKETS = "session-tickets"
# Istio's names of what is in files beside a proxy of another machine: "file-cert:CHAIN~KEY", "file-root:CA".
FILE_CERT, FILE_ROOT = "file-cert:", "file-root:"


def is_beside_proxy(name: str) -> bool:
    """Does the proxy ask for a secret where it runs, not at the control plane?"""
    return name in BESIDE_PROXY or name.startswith((FILE_CERT, FILE_ROOT))


class ClientAuth(Enum):
    """Whether a client must show a certificate."""

    NONE = "none"
    OPTIONAL = "optional"  # verified when shown
    REQUIRED = "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """How a peer's certificate is judged. `ca` None: only the other rules bind (no chain is checked)."""

    ca: str | None  # name of a TrustedCa
    subject_alt_names: tuple[str, ...] = ()  # one of them must be in the certificate, exactly
    subject_alt_name_prefixes: tuple[str, ...] = ()  # or one that begins so
    spki_pins: tuple[str, ...] = ()  # base64 SHA-256 of the public key
    certificate_hashes: tuple[str, ...] = ()  # hex SHA-256 of the certificate
    accept_untrusted: bool = False
    crl: bytes = b""  # PEM
    crl_file: str = ""  # instead of `crl`: a file that Envoy reads itself


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsPolicy:
    """Versions and algorithms, as a user restricted them; "" and () leave Envoy's defaults."""

    min_version: str = ""  # "1.0" .. "1.3"
    max_version: str = ""
    ciphers: tuple[str, ...] = ()
    curves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """How TLS ends at the gateway."""

    certificates: tuple[str, ...]  # names of Certificates, the order is the user's
    client_auth: ClientAuth
    verification: Verification | None
    alpn: tuple[str, ...]
    policy: TlsPolicy

    @property
    def judges_clients(self) -> bool:
        """Are the certificates of clients looked at? Then no session is resumed over QUIC: a ticket would stand in for one."""
        return self.client_auth is not ClientAuth.NONE or self.verification is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTls:
    """How TLS begins towards a backend."""

    certificate: str | None  # our own, name of a Certificate
    verification: Verification | None  # None: the backend's certificate is not verified
    sni: str = ""  # "": the request's authority, after rewriting
    check_san_of_sni: bool = False  # the certificate must be for the SNI that was sent
    alpn: tuple[str, ...] = ()
    policy: TlsPolicy = field(default_factory=TlsPolicy)
    unusable: str = ""  # why no connection may be made (a key pair is missing); never plaintext instead


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A key pair that goes to Envoy by SDS under `name` ("kubernetes://httpbin-cred")."""

    name: str
    chain: bytes  # PEM, leaf first
    key: bytes = field(repr=False)  # PEM; never printed
    ocsp_staple: bytes = field(default=b"", repr=False)
    origin: ResourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedCa:
    """Roots that peers are verified against, by SDS under `name` ("kubernetes://httpbin-cred-cacert")."""

    name: str
    roots: bytes = b""  # PEM
    crl: bytes = b""
    origin: ResourceRef
