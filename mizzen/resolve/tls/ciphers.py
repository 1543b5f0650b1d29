"""Which cipher suites and curves Envoy knows."""

from collections.abc import Iterable

# What Envoy 1.40 takes (BoringSSL); one name that it does not know makes it refuse the whole listener.
CURVES = frozenset({"P-256", "P-384", "P-521", "X25519", "X25519MLKEM768"})
_AUTHENTICATED = ("ECDHE-ECDSA-", "ECDHE-RSA-")
_SUITE_ENDS = ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305", "AES128-SHA", "AES256-SHA")
CIPHERS = frozenset(
    {start + end for start in _AUTHENTICATED for end in _SUITE_ENDS}
    | {"AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA", "DES-CBC3-SHA", "ALL"}
)


def known_ciphers(suites: Iterable[str]) -> tuple[str, ...]:
    """The suites that Envoy takes, each once. Groups ("[A|B]") may hold what it takes."""
    return tuple(dict.fromkeys(suite for suite in suites if _is_known_cipher(suite)))


def _is_known_cipher(suite: str) -> bool:
    if suite.startswith("[") and suite.endswith("]"):
        return all(part in CIPHERS for part in suite[1:-1].split("|"))
    return suite in CIPHERS
