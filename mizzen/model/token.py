"""Tokens (JWT) that requests may bring: who issues them, where they are, what becomes of them."""

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass


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
