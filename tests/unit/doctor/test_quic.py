"""Visits of ports that do not speak QUIC; those of real ones are in tests/e2e/test_doctor.py."""

import socket

from mizzen.doctor.measured import Where
from mizzen.doctor.quic import Plan, request, visit

PLAN = Plan(sni="shop.test", patience=0.1, headers=request("shop.test", "/"))


def test_a_request_has_its_pseudo_headers_first() -> None:
    head = request("shop.test", "/a", method="POST", more=(("x-a", "1"),))
    assert head[:4] == (
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "shop.test"),
        (":path", "/a"),
    )
    assert head[-1] == ("x-a", "1")


def test_a_port_where_nobody_listens() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        where = Where("127.0.0.1", one.getsockname()[1])
    seen = visit(where, PLAN)
    assert seen.refused and not seen.connected and seen.datagrams == 0


def test_a_silent_port() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        seen = visit(Where("127.0.0.1", one.getsockname()[1]), PLAN)
        assert len(one.recv(2048)) == 1200
    assert not seen.refused and not seen.connected and seen.close_code is None


def test_an_address_that_cannot_be_reached() -> None:
    assert visit(Where("240.0.0.1", 443), PLAN).error
