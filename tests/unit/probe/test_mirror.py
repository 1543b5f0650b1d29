"""What each answer proves; the handshakes themselves are tested end to end."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from mizzen.probe.client import Answer, Failure, Protocol, Timings, fingerprint
from mizzen.probe.mirror import judge

NO_TIME = Timings(connect=timedelta(0), tls=timedelta(0), first_byte=timedelta(0), total=timedelta(0))
TIMEOUT = Failure(28, "Connection timed out after 1000 milliseconds")
CLOSED = Failure(56, "ngtcp2_conn_writev_stream returned error: ERR_DRAINING")


@pytest.fixture(scope="module")
def leaf() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    name = x509.Name([])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def answer(leaf: str, error: Failure | None = None) -> Answer:
    status = 0 if error else 404
    return Answer(status=status, protocol=Protocol.H3, chain=(leaf,), timings=NO_TIME, error=error)


@pytest.mark.parametrize("told", [None, False])
def test_any_status_over_the_right_certificate_is_a_proof(leaf: str, told: bool | None) -> None:
    proof = judge(answer(leaf), fingerprint(leaf), told)

    assert proof.ok
    assert proof.detail.startswith("HTTP/3 404 ")


def test_a_handshake_that_never_was_is_no_proof() -> None:
    assert not judge(Answer(timings=NO_TIME, error=TIMEOUT), "ab", None).ok
    assert not judge(Answer(timings=NO_TIME), "ab", None).ok


def test_another_certificate_is_no_proof_whatever_is_answered(leaf: str) -> None:
    assert not judge(answer(leaf), "ab", None).ok
    assert not judge(answer(leaf, CLOSED), "ab", True).ok


@pytest.mark.parametrize(("told", "ok"), [(True, True), (None, True), (False, False)])
def test_a_refusal_after_the_handshake_proves_a_server_that_demands_certificates(
    leaf: str, told: bool | None, ok: bool
) -> None:
    assert judge(answer(leaf, CLOSED), fingerprint(leaf), told).ok is ok


@pytest.mark.parametrize("told", [True, None, False])
def test_silence_after_the_handshake_is_no_proof(leaf: str, told: bool | None) -> None:
    assert not judge(answer(leaf, TIMEOUT), fingerprint(leaf), told).ok


def test_an_answer_where_a_certificate_is_due_is_no_proof(leaf: str) -> None:
    assert not judge(answer(leaf), fingerprint(leaf), True).ok
