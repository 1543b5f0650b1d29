"""The load generator over HTTP/1.1 without TLS; the other protocols are tested end to end."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from mizzen.httpbin.server import listen, running
from mizzen.probe.client import Protocol, Request
from mizzen.probe.load import MOST_DETAILS, Load, Tally


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with running() as url:
        yield urlsplit(url).port or 0


def ip(port: int, path: str = "/ip") -> Request:
    return Request(host="127.0.0.1", scheme="http", protocol=Protocol.H1, port=port, path=path)


def test_a_count_is_kept_exactly(port: int) -> None:
    tally = Load(ip(port), in_flight=4).run(count=50)

    assert (tally.ok, tally.failed, tally.connections) == (50, 0, 4)
    assert tally.statuses == {200: 50}
    assert tally.protocols == {Protocol.H1: 50}
    assert tally.rate > 0


def test_no_more_connections_than_requests(port: int) -> None:
    assert Load(ip(port), in_flight=4).run(count=1).connections == 1


def test_another_status_is_a_failure_with_its_reason(port: int) -> None:
    tally = Load(ip(port, "/status/503")).run(count=20)

    assert (tally.ok, tally.failed, tally.reasons) == (0, 20, {"status 503": 20})
    assert Load(ip(port, "/status/503"), statuses=frozenset({503})).run(count=5).ok == 5


def test_every_failure_is_counted_and_the_first_ones_told() -> None:
    with listen("127.0.0.1", 0) as listener:
        closed = listener.getsockname()[1]
    tally = Load(ip(closed)).run(count=MOST_DETAILS + 10)

    assert (tally.ok, tally.failed, tally.connections) == (0, MOST_DETAILS + 10, 0)
    assert len(tally.first_failures) == MOST_DETAILS
    assert "curl error 7" in str(tally)


def test_it_runs_in_a_thread_while_a_block_does(port: int) -> None:
    with Load(ip(port), in_flight=2) as load:
        load.wait_for_more(10)
        before = load.answers
        load.wait_for_more(10)
        assert load.answers >= before + 10 >= 20

    assert load.tally.ok == load.answers
    assert load.tally.failed == 0


def test_a_block_that_is_over_at_once_ends_the_load(port: int) -> None:
    with Load(ip(port)) as load:
        pass

    assert load.tally.failed == 0


def test_answers_that_do_not_come_are_not_waited_for_forever() -> None:
    with listen("127.0.0.1", 0) as listener:
        request = ip(listener.getsockname()[1])
        load = Load(request)
        with pytest.raises(TimeoutError, match="0 of 1 answers"):
            load.wait_for_more(1, timeout=0.01)


def test_the_rate_is_not_exceeded(port: int) -> None:
    tally = Load(ip(port), in_flight=4, rate=100).run(count=11)

    assert tally.ok == 11
    assert tally.rate <= 111  # the eleventh begins a tenth of a second after the first


def test_an_empty_tally_has_no_rate() -> None:
    assert Tally().rate == 0.0
