"""How the processes of one machine prove to each other who they are, with a key that an instance makes at its start.

A peer on a Unix socket cannot be judged by its user or process: whoever writes a route can make Envoy itself
connect. So the key makes a proof for each Envoy (in its bootstrap, sent with each stream), which nothing that
Envoy passes on can hold, and each answer of the control plane carries one for the question that was asked. Pure.

Between machines a certificate alone proves as little: a route can make Envoy show its own, to whomever. So the
certificate of a proxy names the digest of a proof that the proxy made (`named_proof`), and who asks a control plane
with that certificate shows the proof as well.
"""

import hashlib
import hmac

HEADER = "x-mizzen-proof"
NONCE_HEADER = "x-mizzen-nonce"
DIGEST_HEADER = "x-mizzen-proof-digest"  # of the proof that a certificate shall name, in hexadecimal digits
KEY_BYTES = 32
# Easy to find again, wherever it may have been written.
_MARK = "mizzen-proof-"  # by which it is known where nobody may see it (mizzen.redaction)


def proof_of_proxy(key: bytes, proxy: str) -> str:
    """What the Envoy of a proxy ("name.namespace") shows when it asks for its configuration and its keys."""
    return _proof(key, b"proxy", proxy.encode())


def proof_of_question(key: bytes, nonce: str) -> str:
    """What somebody shows who asks the control plane for its status; `nonce` is new each time."""
    return _proof(key, b"question", nonce.encode())


def proof_of_answer(key: bytes, nonce: str, body: bytes) -> str:
    """What the control plane shows with its answer to the question of that `nonce`."""
    return _proof(key, b"answer", nonce.encode(), body)


def proof_of(random: bytes) -> str:
    """A proof of a proxy's own, of KEY_BYTES random bytes."""
    return _proof(random)


def digest(proof: str) -> bytes:
    """What may be told of a proof."""
    return hashlib.sha256(proof.encode()).digest()


def holds(shown: str, wanted: str) -> bool:
    """Whether a proof is the one that is wanted. Takes the same time whatever was shown."""
    return hmac.compare_digest(shown.encode(), wanted.encode())


def name_of_secret(key: bytes, of: str) -> str:
    """Twelve letters that nobody can guess who has not the key: for names of files."""
    return _digest(key, b"name", of.encode())[:12]


def _proof(key: bytes, *parts: bytes) -> str:
    return _MARK + _digest(key, *parts)


def _digest(key: bytes, *parts: bytes) -> str:
    """Each part with its length before it, so that no two lists of parts are alike."""
    message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    return hmac.new(key, message, "sha256").hexdigest()
