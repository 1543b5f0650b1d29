"""The files of --cacert, --cert and --key."""

import pytest

from mizzen.demo import certificates
from mizzen.doctor.pem import Unreadable, authorities, client
from tests.harness.small_walk import AUTHORITY, NOW

PAIR = certificates.client("me", AUTHORITY, NOW)
CERTIFICATE, KEY = PAIR.certificate.decode(), PAIR.key.decode()
OTHER = certificates.client("you", AUTHORITY, NOW)


def test_authorities_are_taken_as_they_are() -> None:
    assert authorities(CERTIFICATE) == CERTIFICATE


def test_the_key_may_stand_beside_its_certificate() -> None:
    assert client(CERTIFICATE, KEY) == (CERTIFICATE, KEY)
    assert client(CERTIFICATE + KEY, "") == (CERTIFICATE + KEY, CERTIFICATE + KEY)


@pytest.mark.parametrize(
    ("certificate", "key", "why"),
    [
        ("", KEY, "no certificate"),
        (CERTIFICATE, "", "--cert: there is no private key"),
        (CERTIFICATE, "x", "--key: there is no private key"),
        (CERTIFICATE, OTHER.key.decode(), "does not belong"),
    ],
)
def test_what_does_not_fit_is_told(certificate: str, key: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        client(certificate, key)


def test_a_text_without_authorities_is_told() -> None:
    with pytest.raises(Unreadable, match="no certificate"):
        authorities(KEY)
