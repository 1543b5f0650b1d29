"""Certificates: trusted, small enough, the same over both."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from mizzen.demo import certificates
from mizzen.doctor.verdicts.certificates import LIMIT, certificate, quic_certificate, shown
from tests.harness.small_walk import (
    AUTHORITY,
    DER,
    NOW,
    PEM,
    answer,
    closed,
    healthy,
    over_tcp,
    visit,
    without_quic,
)

ROOT = AUTHORITY.certificate.decode()


def der(pem: bytes) -> bytes:
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


OTHER = der(certificates.server("other.test", AUTHORITY, NOW).certificate)


def test_a_certificate_is_told() -> None:
    link = certificate(healthy())
    assert link.ok and link.remedy == ""
    assert (
        link.said
        == f"for shop.test, ECDSA secp256r1, until 2027-06-01 (365 days), 1 in the chain, {len(DER)} bytes"
    )


def test_without_tls_there_is_none() -> None:
    assert certificate(without_quic(tcp=(closed(),))).ok is None


@pytest.mark.parametrize(
    ("distrust", "remedy"),
    [
        ("SSL: no alternative certificate subject name matches target host name", "names shop.test"),
        ("SSL certificate problem: certificate has expired", "renew it"),
        ("SSL certificate problem: unable to get local issuer certificate", "--cacert"),
    ],
)
def test_a_certificate_that_is_not_trusted(distrust: str, remedy: str) -> None:
    link = certificate(healthy(tcp=(over_tcp(distrust=distrust),)))
    assert link.ok is False and link.said.startswith(distrust) and remedy in link.remedy


def test_a_chain_that_needs_another_round_trip_is_too_large() -> None:
    large = replace(answer(), chain=(PEM, *[ROOT] * 7))
    link = certificate(healthy(tcp=(over_tcp(page=large),)))
    assert link.ok is False and f"{LIMIT:,}" in link.said and "smaller chain" in link.remedy


def test_a_chain_that_is_too_large_over_quic_alone() -> None:
    link = certificate(healthy(quic=(visit(chain=(DER, *[der(AUTHORITY.certificate)] * 7)),)))
    assert link.ok is False and "the chain of QUIC" in link.said


def test_near_the_limit_it_counts_what_the_server_did() -> None:
    near = replace(answer(), chain=(PEM, *[ROOT] * 5))
    size = shown((DER, *[der(AUTHORITY.certificate)] * 5))
    assert size and 3000 < size.flight <= LIMIT
    tcp = (over_tcp(page=near),)
    assert certificate(healthy(tcp=tcp)).ok
    assert certificate(healthy(tcp=tcp, quic=(visit(stalled_at=3600),))).ok is False


def test_a_pause_alone_is_no_fault() -> None:
    assert certificate(healthy(quic=(visit(stalled_at=3600),))).ok


def test_one_that_ends_soon_is_told() -> None:
    link = certificate(healthy(now=NOW + timedelta(days=360)))
    assert link.ok and "renew" in link.remedy


def test_insecure_is_told() -> None:
    assert "--insecure" in certificate(healthy(insecure=True)).said


def test_the_same_over_quic() -> None:
    assert quic_certificate(healthy()).said == f"the same as over TCP (ECDSA secp256r1, {len(DER)} bytes)"
    assert quic_certificate(without_quic()).ok is None


def test_another_over_quic_is_broken() -> None:
    link = quic_certificate(healthy(quic=(visit(chain=(OTHER,)),), distrust_h3="no name matches"))
    assert link.ok is False and "for other.test" in link.said and "(no name matches)" in link.said


def test_without_tcp_it_is_verified_alone() -> None:
    alone = quic_certificate(healthy(tcp=(closed(),)))
    assert alone.ok and "none was seen over TCP" in alone.said
    assert quic_certificate(healthy(tcp=(closed(),), distrust_h3="expired")).ok is False


def test_what_is_no_certificate_is_none() -> None:
    assert shown(()) is None and shown((b"nonsense",)) is None


def test_a_key_on_a_curve_that_nobody_knows_is_told() -> None:
    p256, nobodys = bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d03017f")
    chain = shown((DER.replace(p256, nobodys),))
    assert chain is not None and chain.key == "a key of an unknown kind" and chain.flight > chain.size
