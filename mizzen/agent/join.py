"""A proxy's way to its certificate: with a join token once, then with the certificate it has."""

import secrets
from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from cryptography import x509

from mizzen.authority.identity import Identity
from mizzen.authority.messages import METHOD, SERVICE, IstioCertificateRequest, IstioCertificateResponse
from mizzen.authority.proof import DIGEST_HEADER, HEADER, KEY_BYTES, digest, proof_of
from mizzen.lazy import dataclass
from mizzen.model.tls import Certificate, TrustedCa
from mizzen.node import private_file
from mizzen.node.workload_certificates import Granted

_SECONDS = 10.0
KEY, CHAIN, ROOTS = "key.pem", "cert-chain.pem", "root-cert.pem"  # Istio's names (OUTPUT_CERTS)
PROOF = "proof"

Held = Callable[[Identity], tuple[Certificate, TrustedCa] | None]


class JoinError(RuntimeError):
    """No certificate was given. The message is a sentence for users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAuthority:
    """Asks a control plane on another machine."""

    secure: str  # HOST:PORT for those who have a certificate
    join: str  # HOST:PORT for those who have a token
    roots: Callable[[], bytes]  # PEM: whom to trust before anything was given
    token: Callable[[], str]  # a join token, or that of a ServiceAccount; "" when there is none
    held: Held
    proof: str = field(default="", repr=False)  # that it is this proxy which asks with its certificate

    async def sign(self, identity: Identity, request: str) -> Granted:
        """A certificate for the key of `request` (PEM). JoinError says why there is none."""
        found, token = self.held(identity), self.token()
        if found is not None:
            certificate, ca = found
            try:
                return await _ask(
                    self.secure, identity, request, ca.roots, certificate=certificate, proof=self.proof
                )
            except JoinError:
                if not token:
                    raise  # perhaps it was away for too long, and has a new token
        if not token:
            raise JoinError("there is neither a certificate that is valid nor a join token")
        return await self._join(identity, request, token, found[1].roots if found else b"")

    async def _join(self, identity: Identity, request: str, token: str, held: bytes) -> Granted:
        """With the roots that came with the last certificate, and then with those that are given from outside."""
        choices = dict.fromkeys(one for one in (held, self.roots()) if one) or {b"": None}
        for roots in choices:
            try:
                return await _ask(self.join, identity, request, roots, token=token, proof=self.proof)
            except JoinError as error:
                last = error
        raise last


async def _ask(
    where: str,
    identity: Identity,
    request: str,
    roots: bytes,
    *,
    certificate: Certificate | None = None,
    token: str = "",
    proof: str = "",
) -> Granted:
    credentials = grpc.ssl_channel_credentials(
        roots, certificate.key if certificate else None, certificate.chain if certificate else None
    )
    metadata = [("authorization", f"Bearer {token}")] if token else []
    if proof:
        metadata.append((DIGEST_HEADER, digest(proof).hex()))
        # Whoever gives the first certificate is told no more than the digest.
        metadata += [(HEADER, proof)] if certificate else []
    async with grpc.aio.secure_channel(where, credentials) as channel:
        create: Any = channel.unary_unary(
            f"/{SERVICE}/{METHOD}",
            request_serializer=IstioCertificateRequest.SerializeToString,
            response_deserializer=IstioCertificateResponse.FromString,
        )
        try:
            answer = await create(IstioCertificateRequest(csr=request), metadata=metadata, timeout=_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise JoinError(f"{where}: {error.details()}") from None
    *chain, bundle = answer.cert_chain
    granted = Granted(chain="".join(chain).encode(), roots=bundle.encode())
    check(granted, identity)
    return granted


def check(granted: Granted, identity: Identity) -> None:
    """JoinError when a certificate is for somebody else than was expected."""
    leaf = x509.load_pem_x509_certificate(granted.chain)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    given = names.get_values_for_type(x509.UniformResourceIdentifier)
    if given != [identity.uri]:
        raise JoinError(f"the credential is of {', '.join(given) or 'nobody'}, not of {identity}")


# --- between two runs -------------------------------------------------------------------------------


def store(folder: Path, certificate: Certificate, ca: TrustedCa) -> None:
    """Keep what was given, for the owner's eyes only. The key last: a pair that does not fit counts as none."""
    for name, content in ((ROOTS, ca.roots), (CHAIN, certificate.chain), (KEY, certificate.key)):
        private_file.write(folder / name, content)


class StoredPair:
    """The last key and certificate, written down when the disk takes them, and again when they are removed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: tuple[Certificate, TrustedCa] | None = None
        self._is_written = False

    def set(self, certificate: Certificate, ca: TrustedCa) -> None:
        """This is to be kept from now on; `restore` writes it."""
        self._held, self._is_written = (certificate, ca), False

    def restore(self) -> tuple[str, ...]:
        """Write what is not written yet, or was removed since: the names of what was. OSError when that fails."""
        if self._held is None:
            return ()
        gone = tuple(name for name in (ROOTS, CHAIN, KEY) if not (self._folder / name).exists())
        if self._is_written and not gone:
            return ()
        was_written, self._is_written = self._is_written, False
        store(self._folder, *self._held)
        self._is_written = True
        return gone if was_written else ()


def own_proof(folder: Path) -> str:
    """The proof that goes with the certificates that are kept in `folder`; made when there is none yet."""
    path = folder / PROOF
    try:
        return proof_of(path.read_bytes())
    except FileNotFoundError:
        random = secrets.token_bytes(KEY_BYTES)
        private_file.write(path, random)
        return proof_of(random)


def load(folder: Path, identity: Identity) -> tuple[bytes, Granted] | None:
    """Key and certificate of an earlier run; None when they are not there, not of `identity`, or no pair."""
    try:
        key = (folder / KEY).read_bytes()
        granted = Granted(chain=(folder / CHAIN).read_bytes(), roots=(folder / ROOTS).read_bytes())
        check(granted, identity)
        grpc.ssl_channel_credentials(granted.roots, key, granted.chain)
    except (OSError, ValueError, JoinError, x509.ExtensionNotFound):
        return None
    return key, granted
