"""What several verdicts need."""

import pytest

from mizzen.doctor.measured import Names, Reply
from mizzen.doctor.verdicts.common import is_out_of_reach, milliseconds, replied, wants_certificate
from tests.harness.small_walk import HERE, OTHER, closed, failed, healthy, over_tcp


@pytest.mark.parametrize(
    ("reply", "where", "given", "wanted"),
    [
        (Reply.UNREACHABLE, OTHER, False, True),  # this machine has no IPv6
        (Reply.UNREACHABLE, OTHER, True, False),  # somebody wants to know of this very address
        (Reply.UNREACHABLE, HERE, False, False),
        (Reply.REFUSED, OTHER, False, False),
        (Reply.UNLOOKED, OTHER, False, True),
    ],
)
def test_what_this_machine_cannot_reach(reply: Reply, where: object, given: bool, wanted: bool) -> None:
    walk = healthy(names=Names(addresses=("x",), is_given=given))
    assert is_out_of_reach(walk, where, reply) is wanted  # type: ignore[arg-type]


def test_one_ipv6_address_that_answers_shows_that_there_is_a_road() -> None:
    assert not is_out_of_reach(healthy(tcp=(over_tcp(OTHER),)), OTHER, Reply.UNREACHABLE)


def test_a_server_that_wants_a_certificate() -> None:
    refusing = over_tcp(page=failed(56, "alert"), asks=True)
    assert wants_certificate(healthy(tcp=(refusing,)))
    assert not wants_certificate(healthy(tcp=(refusing,), has_certificate=True))
    assert not wants_certificate(healthy(tcp=(closed(),)))


def test_words() -> None:
    assert (milliseconds(0.0123), milliseconds(0.0001)) == ("12 ms", "under 1 ms")
    assert replied(OTHER, Reply.SILENT) == "[2001:db8::1]:443 is silent"
