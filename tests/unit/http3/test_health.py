"""What of Envoy's counters is bad, and what is not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mizzen.http3.health import RX, TX, UNSEEN, Counters, Health, Verdict, judge, total
from mizzen.model.announcement import StepBack

WANTED = StepBack()
GOOD = Counters(
    connections=100,
    closes={(RX, "QUIC_NO_ERROR"): 90, (TX, "QUIC_NETWORK_IDLE_TIMEOUT"): 10},
    requests=1000,
    errors=10,
    tcp_requests=1000,
    tcp_errors=10,
)


def closing(close: tuple[str, str], count: int) -> Counters:
    return replace(GOOD, closes={**GOOD.closes, close: count})


@pytest.mark.parametrize(
    ("seen", "bad"),
    [
        (GOOD, ""),
        (Counters(), ""),
        (replace(GOOD, errors=100), "10% of 1000 requests over HTTP/3 failed with 5xx, 1% over TCP"),
        (replace(GOOD, errors=100, tcp_errors=100), ""),  # the backend fails
        (replace(GOOD, errors=19, requests=19), ""),  # too few to say
        (replace(GOOD, errors=20, requests=20, tcp_requests=0, tcp_errors=0), "100% of 20 requests"),
        (closing((TX, "QUIC_HANDSHAKE_FAILED"), 50), "50% of 100 HTTP/3 handshakes failed"),
        (replace(closing((TX, "QUIC_HANDSHAKE_FAILED"), 50), refused=50), ""),  # of hosts that nobody has
        (closing((TX, "QUIC_TLS_CERTIFICATE_REQUIRED"), 90), ""),  # the client brings none
        (closing((RX, "QUIC_TLS_CERTIFICATE_UNKNOWN"), 30), "30% of 100 HTTP/3 handshakes failed"),
        (replace(closing((TX, "QUIC_HANDSHAKE_TIMEOUT"), 9), connections=9), ""),
        (
            closing((TX, "QUIC_PACKET_WRONG_VERSION"), 100),
            "50% of 200 HTTP/3 connections were closed for an error, most with QUIC_PACKET_WRONG_VERSION",
        ),
        (closing((TX, "QUIC_TOO_MANY_RTOS"), 10), ""),
    ],
)
def test_an_interval_is_bad_where_enough_of_it_is(seen: Counters, bad: str) -> None:
    found = judge(seen, WANTED).bad
    assert found.startswith(bad)
    assert bool(found) == bool(bad)


def test_what_is_not_asked_for_is_not_judged() -> None:
    deaf = StepBack(errors_above_tcp=1, handshake_failures=1, abnormal_closes=1)
    awful = replace(
        GOOD, errors=1000, closes={(RX, "QUIC_TLS_BAD_CERTIFICATE"): 100, (RX, "QUIC_INTERNAL_ERROR"): 100}
    )
    assert judge(awful, deaf) == Verdict()


def test_round_trips_are_judged_where_somebody_says_how_long_they_may_be() -> None:
    seen = replace(GOOD, round_trips={1000.0: 10, 300_000.0: 40, 600_000.0: 100, float("inf"): 100})
    assert judge(seen, WANTED) == Verdict()
    slow = judge(seen, StepBack(round_trip=timedelta(milliseconds=300)))
    assert slow.bad == "the round trip of 60% of 100 HTTP/3 connections is above 300 ms"
    assert judge(seen, StepBack(round_trip=timedelta(milliseconds=600))) == Verdict()


def test_what_came_between_two_looks_is_judged_and_a_new_envoy_begins_at_zero() -> None:
    later = Counters(
        connections=130,
        refused=3,
        closes={(RX, "QUIC_NO_ERROR"): 100, (TX, "NEW"): 2},
        requests=1100,
        errors=15,
        tcp_requests=1001,
        tcp_errors=10,
        round_trips={1.0: 5},
    )
    assert later.since(GOOD) == Counters(
        connections=30,
        refused=3,
        closes={(RX, "QUIC_NO_ERROR"): 10, (TX, "NEW"): 2},
        requests=100,
        errors=5,
        tcp_requests=1,
        round_trips={1.0: 5},
    )
    assert GOOD.since(later) is GOOD


def test_an_envoy_is_not_new_where_connections_turned_out_to_be_to_none_of_the_servers() -> None:
    before = replace(GOOD, refused=0)
    later = replace(GOOD, connections=97, refused=3, requests=1001)
    assert later.since(before) == Counters(refused=3, requests=1, closes=dict.fromkeys(GOOD.closes, 0))


def test_envoys_are_summed_up() -> None:
    both = total([GOOD, closing((TX, "A"), 1)])
    assert both.requests == 2000
    assert both.closes == {(RX, "QUIC_NO_ERROR"): 180, (TX, "QUIC_NETWORK_IDLE_TIMEOUT"): 20, (TX, "A"): 1}
    assert total([]) == Counters()


def test_intervals_are_counted_one_after_the_other() -> None:
    health = Health()
    for verdict in (Verdict(), Verdict(bad="a"), UNSEEN, Verdict(bad="b")):
        health = health.after(verdict)
    assert health == Health(bad=2, reason="b")
    assert health.after(Verdict()) == Health(good=1, reason="b")


def test_clients_that_name_no_code_of_envoys_library_have_left_well() -> None:
    seen = Counters(connections=90, closes={(RX, "QUIC_IETF_GQUIC_ERROR_MISSING"): 90})
    assert judge(seen, StepBack()).bad == ""
