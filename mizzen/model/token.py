"""Tokens (JWT) that requests may bring: who issues them, where they are, what becomes of them."""

from datetime import timedelta

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySource:
    """Where an issuer publishes its keys (RFC 7517), and how it is asked."""

    url: str
    discovered: bool = False  # it is the issuer's own description, which names where the keys are
    timeout: timedelta = timedelta(seconds=5)
    refresh: timedelta = timedelta(minutes=20)  # the keys are asked for again so often
    blocked: tuple[str, ...] = ()  # networks that are not asked, beside those that never are
    verify: bool = True  # whose certificate is not trusted is not believed

    @property
    def key(self) -> str:
        """What tells it from others."""
        return f"discovery {self.url}" if self.discovered else self.url

    @property
    def is_asked_anew(self) -> bool:
        """Keys that are known may have been taken back."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRule:
    """Tokens of one issuer. One that does not verify is refused; a request without any goes on."""

    name: str
    issuer: str  # "": any
    audiences: tuple[str, ...] = ()  # one of them; () takes any
    keys: str  # JSON Web Key Set
    headers: tuple[
        tuple[str, str], ...
    ] = ()  # (header, prefix of its value); with parameters () the usual places
    parameters: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()
    forward: bool = False  # the backend sees the token too
    payload_header: str = ""  # gets the payload in base64
    claim_headers: tuple[tuple[str, str], ...] = ()  # (header, claim)
    listed_claims: tuple[str, ...] = ()  # texts with blanks in them that are lists
    origin: ResourceRef | None = None  # the RequestAuthentication
    at: str = ""  # field path of the rule
