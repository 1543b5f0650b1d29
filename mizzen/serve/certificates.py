"""Istio's certificate service over gRPC: istio.v1.auth.IstioCertificateService/CreateCertificate.

The credential of the caller decides whose certificate it gets: the client certificate of the connection, or
else a join token or the token of a ServiceAccount (`authorization: Bearer ...`). Of the signing request only the public key is taken.

The answer is as Istio's: the leaf, each intermediate, and as the last element all roots to trust, in one
text: Istio's agent takes the last element for its trust, so a rotation must not spread it over several.

Status codes: UNAUTHENTICATED without a credential that holds, PERMISSION_DENIED for an identity of another
trust domain and for impersonation, INVALID_ARGUMENT for a bad signing request or lifetime,
RESOURCE_EXHAUSTED for too many calls, UNAVAILABLE when the authority cannot sign or read its state now.

Set GRPC_VERBOSITY=ERROR and GRPC_ENABLE_FORK_SUPPORT=0 before this module is imported (see `ads`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import grpc
import grpc.aio
from cryptography import x509

from mizzen.authority.identity import Identity
from mizzen.authority.issue import LifetimeError, Policy, SignerEndedError, issue
from mizzen.authority.limit import Limiter
from mizzen.authority.messages import (
    METHOD,
    SERVICE,
    IstioCertificateRequest,
    IstioCertificateResponse,
)
from mizzen.authority.proof import DIGEST_HEADER
from mizzen.authority.request import PublicKey, RequestError, key_digest, requested_key
from mizzen.authority.root import certificates_pem
from mizzen.authority.rotation import Roots
from mizzen.authority.store import StoreError, TokenStore
from mizzen.authority.tokens import Refusal, Token, is_token
from mizzen.lazy import dataclass
from mizzen.serve.credentials import (
    Refused,
    address,
    bearer,
    client_identity,
    is_private,
    require_proof,
    require_trust_domain,
)

_log = logging.getLogger(__name__)

_Context = grpc.aio.ServicerContext[Any, Any]

# Whose token this is; raises Refused.
Accounts = Callable[[str], Awaitable[Identity]]

# More seconds than any policy allows, and few enough for a timedelta.
_MOST_SECONDS = 10**10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Caller:
    identity: Identity
    token: str = ""  # to be redeemed; "" for who showed something else
    proof: str
    named: bytes = b""  # the digest of the proof that its certificate names


class CertificateService:
    """Signs for those who prove who they are. All methods are for the event loop's own thread."""

    def __init__(
        self,
        *,
        roots: Callable[[], Roots],
        trust_domain: str,
        clock: Callable[[], datetime],
        tokens: TokenStore | None = None,
        accounts: Accounts | None = None,
        policy: Policy | None = None,
        by_address: Limiter | None = None,
        by_identity: Limiter | None = None,
    ) -> None:
        """`roots` tells what is signed with now, `clock` the time (aware). `tokens`: who joins with a token of ours;
        `accounts`: with that of a ServiceAccount. Without both nobody can join.

        `by_address` limits calls before anything is known of the caller (many proxies may share an
        address), `by_identity` those of one workload (which may run many times)."""
        self._roots = roots
        self._trust_domain = trust_domain
        self._clock = clock
        self._tokens = tokens
        self._accounts = accounts
        self._policy = policy or Policy()
        self._by_address = by_address or Limiter(burst=200, per_second=20)
        self._by_identity = by_identity or Limiter(burst=50, per_second=5)

    def handler(self) -> "grpc.GenericRpcHandler[Any, Any]":
        """To be added to a server (`add_generic_rpc_handlers`)."""
        create = grpc.unary_unary_rpc_method_handler(
            self._create,
            request_deserializer=IstioCertificateRequest.FromString,
            response_serializer=IstioCertificateResponse.SerializeToString,
        )
        return grpc.method_handlers_generic_handler(SERVICE, {METHOD: create})

    async def _create(self, request: Any, context: _Context) -> Any:
        caller = address(context.peer())
        try:
            return await self._answer(request, context, caller)
        except Refused as error:
            # Who is refused for asking too often shall not fill the log as well.
            is_flood = error.code is grpc.StatusCode.RESOURCE_EXHAUSTED
            _log.log(
                logging.DEBUG if is_flood else logging.WARNING, "no certificate for %s: %s", caller, error
            )
            await context.abort(error.code, str(error))

    async def _answer(self, request: Any, context: _Context, place: str) -> Any:
        now, roots = self._clock(), self._roots()
        _require(self._by_address.allows(place, now))
        caller = await self._authenticate(context, roots, now)
        _require(self._by_identity.allows(caller.identity.uri, now))
        if "ImpersonatedIdentity" in request.metadata.fields:
            raise Refused(grpc.StatusCode.PERMISSION_DENIED, "nobody may ask for a certificate of another")
        key, lifetime = self._read(request)
        # A join token is used up last, so that a request that cannot be answered does not cost it.
        if roots.active.ends <= now:
            raise _unavailable("the CA certificate has ended")
        if caller.token:
            await self._redeem(caller, key, now)
        try:
            issued = issue(
                roots.active,
                key,
                identity=caller.identity,
                now=now,
                lifetime=lifetime,
                serial=x509.random_serial_number(),
                backdate=self._policy.backdate,
                proof=_digest(context) or caller.named,
            )
        except SignerEndedError as error:
            raise _unavailable(str(error)) from None
        _log.info(
            "certificate %x for %s at %s (%s) until %s",
            issued.certificate.serial_number,
            caller.identity,
            place,
            caller.proof,
            issued.certificate.not_valid_after_utc.isoformat(),
        )
        chain = [certificates_pem((each,)) for each in issued.chain]
        return IstioCertificateResponse(cert_chain=[*chain, roots.bundle_pem])

    async def _authenticate(self, context: _Context, roots: Roots, now: datetime) -> _Caller:
        auth_context: Any = context.auth_context()
        if not is_private(auth_context, context.peer()):
            raise Refused(grpc.StatusCode.UNAUTHENTICATED, "certificates are given over TLS only")
        identity = client_identity(auth_context, roots=roots.bundle, trust_domain=self._trust_domain, now=now)
        if identity:
            named = require_proof(auth_context, context.invocation_metadata() or ())
            return _Caller(identity=identity, proof="client certificate", named=named)
        text = bearer(context.invocation_metadata() or ())
        if not text:
            raise Refused(grpc.StatusCode.UNAUTHENTICATED, "neither a client certificate nor a join token")
        if self._accounts and not is_token(text):
            return _Caller(identity=await self._accounts(text), proof="token of its ServiceAccount")
        if not is_token(text) or not self._tokens:
            raise Refused(grpc.StatusCode.UNAUTHENTICATED, "the bearer token is no join token")
        token = _taken(await _on_disk(self._tokens.find, text, now))
        require_trust_domain(token.identity, self._trust_domain)
        return _Caller(identity=token.identity, token=text, proof="join token")

    async def _redeem(self, caller: _Caller, key: PublicKey, now: datetime) -> None:
        assert self._tokens
        result = await _on_disk(self._tokens.redeem, caller.token, key_digest(key), now)
        if result is Refusal.USED:
            _log.warning("a used join token of %s came again, with another key: stolen?", caller.identity)
        _taken(result)

    def _read(self, request: Any) -> tuple[PublicKey, timedelta]:
        try:
            asked = timedelta(seconds=max(min(request.validity_duration, _MOST_SECONDS), 0))
            return requested_key(request.csr.encode()), self._policy.lifetime(asked)
        except (RequestError, LifetimeError) as error:
            raise Refused(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from None


def _digest(context: _Context) -> bytes:
    """Of the proof that the certificate shall name; b"" when the caller says none."""
    said = dict(context.invocation_metadata() or ()).get(DIGEST_HEADER, "")
    try:
        found = bytes.fromhex(said) if isinstance(said, str) else b"?"
    except ValueError:
        found = b"?"
    if len(found) not in (0, 32):
        raise Refused(grpc.StatusCode.INVALID_ARGUMENT, f"{DIGEST_HEADER} is no SHA-256 digest")
    return found


def _require(is_allowed: bool) -> None:
    if not is_allowed:
        raise Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many requests; try again later")


def _taken(result: Token | Refusal) -> Token:
    if isinstance(result, Refusal):
        raise Refused(grpc.StatusCode.UNAUTHENTICATED, f"the join token {result.value}")
    return result


async def _on_disk(call: Callable[..., Token | Refusal], *args: Any) -> Token | Refusal:
    """Off the event loop: it waits for a lock and for the disk."""
    try:
        return await asyncio.to_thread(call, *args)
    except StoreError as error:
        _log.error("join tokens: %s", error)  # it names files, which are not for the caller
        raise _unavailable("join tokens cannot be read now") from None


def _unavailable(message: str) -> Refused:
    return Refused(grpc.StatusCode.UNAVAILABLE, message)
