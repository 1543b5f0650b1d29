"""Who is on the other side of a gRPC call: join tokens and client certificates, and TLS for both.

gRPC for Python either requires a client certificate or does not ask for one; it has no "verify if given" as
Istio's port 15012. So a server that wants both has two ports: one with `require_client=True` for those who
have a certificate, and one without for those who join.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from datetime import datetime

import grpc
from cryptography import x509

from mizzen.authority.identity import Identity, IdentityError, parse
from mizzen.authority.named_proof import named_in
from mizzen.authority.proof import HEADER, digest
from mizzen.authority.root import AuthorityError, Certificates, anchor_of
from mizzen.lazy import dataclass

# What gRPC calls the parts of a TLS peer.
_TRANSPORT = "transport_security_type"
_LEAF = "x509_pem_cert"
_CHAIN = "x509_pem_cert_chain"

AuthContext = Mapping[str, Iterable[bytes]]


class Refused(Exception):
    """A call that is refused: the gRPC status, and a sentence for the caller without secrets."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """A server's certificate chain, its key (PEM), and the roots that clients are verified with (PEM)."""

    chain: str
    key: str = field(repr=False)
    client_roots: str


def server_credentials(current: Callable[[], ServerTls], *, require_client: bool) -> grpc.ServerCredentials:
    """TLS for a gRPC server. `current` is asked at every handshake, from a thread of gRPC, so that renewed
    certificates and roots hold for the next connection. `require_client`: see the module."""

    def configuration() -> grpc.ServerCertificateConfiguration:
        tls = current()
        return grpc.ssl_server_certificate_configuration(
            [(tls.key.encode(), tls.chain.encode())], tls.client_roots.encode()
        )

    return grpc.dynamic_ssl_server_credentials(
        configuration(), configuration, require_client_authentication=require_client
    )


def address(peer: str) -> str:
    """Where a call comes from without its port, for limits and logs: "ipv4:10.0.0.1", "unix:"."""
    family, _, rest = peer.partition(":")
    return f"{family}:{rest.rpartition(':')[0]}" if family in ("ipv4", "ipv6") else f"{family}:"


def is_private(auth_context: AuthContext, peer: str) -> bool:
    """Whether nobody can listen in: TLS, or a Unix socket."""
    return _first(auth_context, _TRANSPORT) in (b"ssl", b"tls") or peer.startswith("unix:")


def bearer(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """The token of `authorization: Bearer ...`; "" without one."""
    for name, value in metadata:
        if name == "authorization" and isinstance(value, str):
            scheme, _, token = value.partition(" ")
            if scheme.lower() == "bearer":
                return token.strip()
    return ""


def client_identity(
    auth_context: AuthContext, *, roots: Certificates, trust_domain: str, now: datetime
) -> Identity | None:
    """Who the client is by its certificate; None when it showed none.

    TLS verified the certificate when the connection began, which may be long ago: it must still be within
    its time, and lead to one of `roots`. Raises Refused.
    """
    pem = _first(auth_context, _LEAF)
    if not pem:
        return None
    try:
        leaf = x509.load_pem_x509_certificate(pem)
        above = x509.load_pem_x509_certificates(_first(auth_context, _CHAIN) or pem)
        anchor_of(leaf, tuple(each for each in above if each != leaf and each not in roots), roots)
        uris = _uris(leaf)
        if len(uris) != 1:
            raise IdentityError("it does not have exactly one URI")
        identity = parse(uris[0])
    except (ValueError, x509.UnsupportedGeneralNameType, x509.DuplicateExtension) as error:
        reason = error if isinstance(error, AuthorityError | IdentityError) else "it cannot be read"
        raise Refused(
            grpc.StatusCode.UNAUTHENTICATED, f"the client certificate is not taken: {reason}"
        ) from None
    if not leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc:
        raise Refused(grpc.StatusCode.UNAUTHENTICATED, "the client certificate has ended")
    require_trust_domain(identity, trust_domain)
    return identity


def require_proof(auth_context: AuthContext, metadata: Iterable[tuple[str, str | bytes]]) -> bytes:
    """The digest of the proof that the client's certificate names, and that is in the call; b"" when it names none.

    Raises Refused: a route may have made a proxy show its certificate for somebody else.
    """
    pem = _first(auth_context, _LEAF)
    named = named_in(x509.load_pem_x509_certificate(pem)) if pem else b""
    shown = dict(metadata).get(HEADER, "")
    if named and not (isinstance(shown, str) and hmac.compare_digest(digest(shown), named)):
        message = "the proof that goes with the client certificate is missing"
        raise Refused(grpc.StatusCode.UNAUTHENTICATED, message)
    return named


def require_trust_domain(identity: Identity, trust_domain: str) -> None:
    """Raises Refused for an identity of another mesh."""
    if identity.trust_domain != trust_domain:
        message = f"{identity} is not of the trust domain {trust_domain}"
        raise Refused(grpc.StatusCode.PERMISSION_DENIED, message)


def _uris(leaf: x509.Certificate) -> list[str]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.UniformResourceIdentifier)


def _first(auth_context: AuthContext, key: str) -> bytes:
    return next(iter(auth_context.get(key) or ()), b"")
