"""Who may come, and come back."""

import pytest

from mizzen.doctor.measured import Early, Parity, Visit, Walk
from mizzen.doctor.verdicts.sessions import client_certificate, early_data, migration, resumption
from tests.harness.small_walk import OTHER, healthy, visit, without_quic

REFUSED = visit(status=0, asked_for_certificate=True, close_code=0x174, tickets=0)
OPEN = visit()


def parity(quic: Visit, *, tcp: int = 0, asks: bool | None = True, **more: object) -> Walk:
    return healthy(parity=Parity(tcp_status=tcp, tcp_asks=asks, quic=quic, **more))  # type: ignore[arg-type]


def test_without_a_handshake_nothing_is_known() -> None:
    for verdict in (client_certificate, resumption, early_data, migration):
        assert verdict(without_quic()).ok is None


@pytest.mark.parametrize(
    ("walk", "said"),
    [
        (healthy(), "neither TCP nor QUIC asks for one"),
        (parity(REFUSED), "both refuse a client without one (QUIC: code 0x174)"),
        (parity(visit(asked_for_certificate=True), tcp=200), "both ask for one and serve clients without"),
        (parity(REFUSED, resumed=REFUSED), "both refuse a client without one, also when it comes back"),
    ],
)
def test_the_same_over_both(walk: Walk, said: str) -> None:
    link = client_certificate(walk)
    assert link.ok and said in link.said


@pytest.mark.parametrize(
    ("walk", "said"),
    [
        (parity(OPEN), "over QUIC (192.0.2.1:443) it is answered 200"),
        (parity(REFUSED, others=(visit(OTHER),)), "over QUIC ([2001:db8::1]:443) it is answered 200"),
        (parity(visit(status=0)), "does not"),
        (parity(OPEN, tcp=200), "TCP asks for a client certificate, QUIC (192.0.2.1:443) does not"),
        (parity(REFUSED, stranger_tcp=False, stranger_quic=True), "unknown issuer"),
        (parity(REFUSED, resumed=visit(resumed=True)), "comes back over QUIC with a session ticket"),
        (parity(REFUSED, tcp=200), "TCP answers 200, QUIC refuses"),
    ],
)
def test_more_or_less_over_quic_is_broken(walk: Walk, said: str) -> None:
    link = client_certificate(walk)
    assert link.ok is False and said in link.said and link.remedy


def test_without_tcp_there_is_nothing_to_compare() -> None:
    assert client_certificate(parity(OPEN, asks=None)).ok is None


def came_back(count: int) -> Walk:
    return healthy(resumed=tuple(visit(resumed=index < count) for index in range(8)))


def test_visits_that_come_back_are_counted() -> None:
    assert resumption(came_back(8)).said == "8 of 8 visits resumed with a ticket"
    some = resumption(came_back(3))
    assert some.ok and some.said.startswith("3 of 8") and "ticket keys" in some.remedy
    assert resumption(came_back(0)).ok is False


def test_without_tickets_nobody_comes_back() -> None:
    assert resumption(healthy(resumed=())).remedy == "give session tickets"
    asked = healthy(resumed=(), quic=(REFUSED,))
    assert resumption(asked).ok and "as it must be" in resumption(asked).said


EARLY = visit(early=True)


@pytest.mark.parametrize(
    ("early", "ok"),
    [
        (Early(), True),
        (Early(had_ticket=True), True),
        (Early(had_ticket=True, get=visit()), True),
        (Early(had_ticket=True, get=EARLY, post=visit(early=True, status=425)), True),
        (Early(had_ticket=True, get=EARLY, post=visit(early=True, status=200)), False),
        (Early(had_ticket=True, get=EARLY, post=visit(early=True, status=404)), False),
        (Early(had_ticket=True, get=EARLY, post=visit(seconds=None)), None),
        (Early(had_ticket=True, get=EARLY), False),
    ],
)
def test_early_data_are_refused_or_guarded(early: Early, ok: bool | None) -> None:
    assert early_data(healthy(early=early)).ok is ok


@pytest.mark.parametrize(("moved", "ok"), [(True, True), (False, False), (None, None)])
def test_a_client_that_moves(moved: bool | None, ok: bool | None) -> None:
    assert migration(healthy(migration=visit(moved=moved))).ok is ok
