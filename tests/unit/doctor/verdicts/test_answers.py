"""What HTTP/3 answers, and whether it is what HTTP/2 answers."""

import pytest

from mizzen.doctor.verdicts.answers import answers, differing, h3
from mizzen.probe.client import Answer, Failure, Protocol
from tests.harness.small_walk import answer, closed, failed, healthy, over_tcp, visit, without_quic

OVER_H3 = answer(protocol=Protocol.H3)


def test_an_answer_is_told() -> None:
    assert h3(healthy()).said == "HTTP/3 200 in 4 ms, 5 bytes"
    assert answers(healthy()).said == "the same as over HTTP/2: 200, 1 headers, body 2cf24dba5fb0 (5 bytes)"


def test_without_a_handshake_nothing_is_answered() -> None:
    assert h3(without_quic()).ok is None and answers(without_quic()).ok is None


def test_no_answer_is_broken() -> None:
    link = h3(healthy(h3=failed(56, "closed")))
    assert link.ok is False and "a request was not answered: closed (curl error 56)" in link.said
    assert answers(healthy(h3=failed(56, "closed"))).ok is None


def test_half_an_answer_is_broken() -> None:
    assert h3(healthy(h3=failed(28, "timed out", status=200))).ok is False


def test_who_has_no_certificate_cannot_look() -> None:
    walk = healthy(h3=failed(56, "x"), quic=(visit(status=0, asked_for_certificate=True),))
    assert h3(walk).ok is None
    assert h3(healthy(h3=walk.h3, quic=walk.quic, has_certificate=True)).ok is False


def test_without_an_answer_over_tcp_there_is_nothing_to_compare() -> None:
    assert answers(healthy(tcp=(closed(),))).ok is None


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (answer(404), "status 404, not 200"),
        (answer(body=b"other"), "body d9298a10d1b0 (5 bytes), not 2cf24dba5fb0 (5)"),
        (answer(server="x"), "server: only over HTTP/3"),
        (answer(**{"x-request-id": "2"}), ""),
        (answer(alt_svc="clear"), ""),  # judged elsewhere
    ],
)
def test_differences(other: Answer, difference: str) -> None:
    assert "; ".join(differing(answer(), answer(), other)) == difference


def test_a_header_that_is_lost_or_another() -> None:
    page = answer(**{"cache-control": "no-store"})
    assert differing(page, page, answer()) == ["cache-control: nothing, not no-store"]
    other = answer(**{"cache-control": "public"})
    assert differing(page, page, other) == ["cache-control: public, not no-store"]


def test_what_differs_by_itself_over_tcp_does_not_count() -> None:
    page = answer(body=b"1", etag="1")
    again = answer(body=b"2", etag="2")
    walk = healthy(tcp=(over_tcp(page=page),), again=again, h3=answer(body=b"3", etag="3"))
    assert answers(walk).ok and "another each time" in answers(walk).said
    assert differing(answer(200), answer(503), answer(503)) == []


def test_a_body_too_long_to_compare() -> None:
    cut = answer(error=Failure(63, "too long"))
    walk = healthy(tcp=(over_tcp(page=cut),), again=cut, h3=cut)
    assert h3(walk).ok and answers(walk).ok and "too long, or too slow" in answers(walk).said


def test_what_is_told_of_a_body_differs_with_it() -> None:
    page, again = answer(body=b"1", **{"content-length": "1"}), answer(body=b"2", **{"content-length": "1"})
    assert differing(page, again, answer(body=b"33", **{"content-length": "2"})) == []
    assert differing(page, page, answer(body=b"33", **{"content-length": "2"})) != []


def test_an_answer_that_never_ends_is_no_fault_of_http3() -> None:
    endless = answer(error=Failure(28, "timed out"))
    assert h3(healthy(tcp=(over_tcp(page=endless),), again=endless, h3=endless)).ok
    assert h3(healthy(h3=endless)).ok is False


def test_a_difference_breaks_the_link() -> None:
    link = answers(healthy(h3=answer(500)))
    assert link.ok is False and link.said == "HTTP/3 does not answer what HTTP/2 answers: status 500, not 200"
