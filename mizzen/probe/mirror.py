"""Proof that a UDP port serves HTTP/3 with one certificate and no other.

An announcement (alt-svc) is made only of what has been proven, by a real request through the listener.
What counts is the identity of the certificate: the server must show exactly the configured leaf, and TLS 1.3
makes it prove that it holds the key (CertificateVerify, RFC 8446 section 4.4.3). Whether clients trust the
certificate, or whether it has expired, is the same over TCP and no fault of the mirror.
"""

from datetime import timedelta

from mizzen.lazy import dataclass
from mizzen.probe.client import Answer, Protocol, Request, fetch, fingerprint

PATIENCE = timedelta(seconds=1)
# Nobody has this name (RFC 2606): the gateway answers it itself, unless a server takes every host.
NOBODY = "probe.mizzen.invalid"


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether the mirror serves, and one sentence of how that is known."""

    ok: bool
    detail: str


def prove_mirror(
    address: str,
    port: int,
    server_name: str,
    leaf_pem: str,
    *,
    demands_certificate: bool | None = None,
    timeout: timedelta = PATIENCE,
) -> Proof:
    """Make one HTTP/3 request (HEAD /) to address:port; blocks for `timeout` at most.

    The TLS name is `server_name`, the request's authority one that no backend has: no user sees the probe.

    `leaf_pem` is the certificate the server shall show (a chain may follow it); "": any. `demands_certificate` says
    whether clients must bring one of their own: True makes a server that answers without it a failure (its
    mirror would be weaker than its TCP listener), False one that refuses; None takes either.
    A wildcard host needs a name it matches. ValueError when `leaf_pem` is a text without a certificate.
    """
    wanted = fingerprint(leaf_pem) if leaf_pem else ""
    request = Request(
        host=server_name,
        port=port,
        address=address,
        method="HEAD",
        headers=(("Host", NOBODY), ("User-Agent", "mizzen-probe")),
        protocol=Protocol.H3,
        verify=False,  # the leaf is compared below, and that is stricter
        timeout=timeout,
    )
    return judge(fetch(request), wanted, demands_certificate)


def judge(answer: Answer, wanted: str, demands_certificate: bool | None) -> Proof:
    """What an answer proves. `wanted` is the SHA-256 of the leaf in hex; "": any."""
    if not answer.chain:
        return Proof(False, f"no QUIC handshake: {answer.error or 'no certificate was shown'}")
    if wanted and answer.fingerprint != wanted:
        return Proof(False, f"another certificate is served: {answer.fingerprint}, not {wanted}")
    if answer.error is None:
        if demands_certificate:
            return Proof(False, f"it answered {answer.status} without asking for a client certificate")
        return Proof(True, f"{Protocol.H3.value} {answer.status} with certificate {answer.fingerprint}")
    if answer.error.is_timeout:
        return Proof(False, f"the handshake came through, but no answer: {answer.error}")
    # A server that wants a client certificate closes after the handshake, with certificate_required (QUIC
    # error 0x174); libcurl says only that the peer closed. Silence and refusal look different (above).
    if demands_certificate is False:
        return Proof(False, f"the handshake came through, then it closed the connection: {answer.error}")
    return Proof(True, f"certificate {answer.fingerprint}, and it refuses clients without a certificate")
