"""Who may have a mirror."""

from dataclasses import replace

import pytest

from mizzen.http3.eligibility import BY_CHOICE, Facts, Reason, why_not

GOOD = Facts(
    switched_on=True,
    unix_socket=False,
    has_tls=True,
    proxy_protocol=False,
    max_version="",
    curves=(),
    bound_port=8443,
    udp_targets=(8443,),
)


def test_a_server_that_quic_can_serve_alike_gets_a_mirror():
    assert why_not(GOOD) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"switched_on": False}, Reason.SWITCHED_OFF),
        ({"unix_socket": True}, Reason.UNIX_SOCKET),
        ({"has_tls": False}, Reason.NO_TLS),
        ({"proxy_protocol": True}, Reason.PROXY_PROTOCOL),
        ({"max_version": "1.2"}, Reason.MAX_VERSION),
        ({"curves": ("P-256", "X25519")}, Reason.CURVES),
        ({"udp_targets": ()}, Reason.NO_UDP_PORT),
        ({"udp_targets": (8444,)}, Reason.OTHER_UDP_TARGET),
    ],
)
def test_each_thing_that_quic_cannot_do_alike_is_a_reason(change, reason):
    assert why_not(replace(GOOD, **change)) is reason


@pytest.mark.parametrize(
    "change",
    [
        {"max_version": "1.3"},
        {"curves": ("X25519MLKEM768", "X25519", "P-256", "P-384", "P-521")},
        {"udp_targets": (8444, 8443)},
    ],
)
def test_what_quic_keeps_anyway_is_none(change):
    assert why_not(replace(GOOD, **change)) is None


def test_the_users_own_choice_is_named_before_anything_that_is_wrong():
    assert why_not(replace(GOOD, switched_on=False, udp_targets=())) is Reason.SWITCHED_OFF
    assert Reason.SWITCHED_OFF in BY_CHOICE
    assert Reason.NO_UDP_PORT not in BY_CHOICE
