"""TCP ports that do not speak TLS; those that do are in tests/e2e/test_doctor.py."""

import socket
import threading
from dataclasses import replace
from datetime import timedelta

from mizzen.doctor import tcp
from mizzen.doctor.measured import Reply, Where
from mizzen.probe.client import Request

PAGE = Request(host="shop.test", address="127.0.0.1", timeout=timedelta(seconds=1))


def test_a_port_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = Where("127.0.0.1", server.getsockname()[1])
    seen = tcp.look(where, PAGE, PAGE, 1.0)
    assert seen.reply is Reply.REFUSED and seen.page is None and seen.handshake is None


def test_a_port_that_speaks_no_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = Where("127.0.0.1", server.getsockname()[1])
        threading.Thread(target=_greet, args=(server,), daemon=True).start()
        page = replace(PAGE, connect_port=where.port)
        seen = tcp.look(where, page, page, 1.0)
    assert seen.reply is Reply.ANSWERED
    assert seen.handshake and "wrong version" in seen.handshake.error
    assert seen.page and not seen.page.status and seen.nowhere is None


def _greet(server: socket.socket) -> None:
    """Answers a few connections as an HTTP server would."""
    for _ in range(3):
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.recv(2048)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_trust_is_taken_back() -> None:
    assert tcp.trusting(PAGE) == replace(PAGE, verify=False)
