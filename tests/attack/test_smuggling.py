"""Bytes that a proxy and a backend might read as different requests (RFC 9112 section 11.2).

Each attack hides a request for /admin/smuggled, which a policy refuses. Should the gateway see it as a request of its own,
it answers 403; should the backend ever see it, it was smuggled.
"""

import pytest
from attacked_site import PORT, WWW, Site

from tests.harness.h3_raw import RawRequest, converse, plain
from tests.harness.raw_clients import Raw, ask, exchange

pytestmark = [pytest.mark.e2e, pytest.mark.attack]

HIDDEN = f"GET /admin/smuggled HTTP/1.1\r\nHost: {WWW}\r\n\r\n"
CHUNKED = f"0\r\n\r\n{HIDDEN}"

# Between "Host" and the empty line; then what follows it.
HTTP_1 = {
    "length, then chunked": ("Content-Length: 4\r\nTransfer-Encoding: chunked", CHUNKED),
    "chunked, then length": ("Transfer-Encoding: chunked\r\nContent-Length: 4", CHUNKED),
    "a length beyond": (f"Content-Length: {len(CHUNKED)}\r\nTransfer-Encoding: chunked", CHUNKED),
    "a blank before the colon": ("Transfer-Encoding : chunked\r\nContent-Length: 4", CHUNKED),
    "a tab before the value": ("Transfer-Encoding:\tchunked\r\nContent-Length: 4", CHUNKED),
    "a folded line": ("Transfer-Encoding:\r\n chunked\r\nContent-Length: 4", CHUNKED),
    "a vertical tab": ("Transfer-Encoding: \x0bchunked\r\nContent-Length: 4", CHUNKED),
    "quotes": ('Transfer-Encoding: "chunked"\r\nContent-Length: 4', CHUNKED),
    "chunked twice": ("Transfer-Encoding: chunked, chunked\r\nContent-Length: 4", CHUNKED),
    "identity": ("Transfer-Encoding: identity\r\nContent-Length: 4", CHUNKED),
    "chunked and something": ("Transfer-Encoding: chunked, gzip\r\nContent-Length: 4", CHUNKED),
    "something and chunked": ("Transfer-Encoding: xchunked\r\nContent-Length: 4", CHUNKED),
    "two transfer-encodings": (
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\nContent-Length: 4",
        CHUNKED,
    ),
    "a bare line feed": ("X-A: b\nTransfer-Encoding: chunked\r\nContent-Length: 4", CHUNKED),
    "a bare carriage return": ("X-A: b\rTransfer-Encoding: chunked\r\nContent-Length: 4", CHUNKED),
    "a NUL": ("Transfer-Encoding: chunked\0\r\nContent-Length: 4", CHUNKED),
    "two lengths": ("Content-Length: 0\r\nContent-Length: 60", HIDDEN),
    "two lengths in a line": ("Content-Length: 0, 60", HIDDEN),
    "a length with a sign": ("Content-Length: +0", HIDDEN),
    "a length below zero": ("Content-Length: -60", HIDDEN),
    "a length in hexadecimals": ("Content-Length: 0x3c", HIDDEN),
    "a length with a blank": ("Content-Length: 6 0", HIDDEN),
    "a length with an underscore": ("Content_Length: 60", HIDDEN),
    "a chunk size that overflows": ("Transfer-Encoding: chunked", f"10000000000000000\r\n{CHUNKED}"),
    "a chunk size with a sign": ("Transfer-Encoding: chunked", f"+0\r\n\r\n{HIDDEN}"),
    "a chunk extension with a line feed": ("Transfer-Encoding: chunked", f"0;a\n\r\n\r\n{HIDDEN}"),
    "a chunk without its end": ("Transfer-Encoding: chunked", f"1\r\naa0\r\n\r\n{HIDDEN}"),
    "a trailer of framing": ("Transfer-Encoding: chunked", f"0\r\nContent-Length: 60\r\n\r\n{HIDDEN}"),
    "an upgrade that nobody knows": (
        "Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
        HIDDEN,
    ),
    "a websocket that is none": (
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 99",
        HIDDEN,
    ),
    "two hosts": ("Host: other.test", HIDDEN),
    "expect": ("Expect: 100-continue\r\nContent-Length: 0", HIDDEN),
}
FIRST_LINES = {
    "HTTP/0.9": f"GET /admin/smuggled\r\n\r\n{HIDDEN}",
    "HTTP/1.0 and chunked": f"POST / HTTP/1.0\r\nHost: {WWW}\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNKED}",
    "an absolute target": f"GET https://{WWW}/admin/smuggled HTTP/1.1\r\nHost: other.test\r\n\r\n",
    "an absolute target of another scheme": f"GET ftp://{WWW}/admin/smuggled HTTP/1.1\r\nHost: {WWW}\r\n\r\n",
    "a blank in the target": f"GET / /admin/smuggled HTTP/1.1\r\nHost: {WWW}\r\n\r\n",
    "a version of its own": f"GET /admin/smuggled HTTP/1.1\x0b\r\nHost: {WWW}\r\n\r\n",
    "CONNECT": f"CONNECT {WWW}:443 HTTP/1.1\r\nHost: {WWW}\r\n\r\n{HIDDEN}",
    "a blank line first": f"\r\n\r\nPOST / HTTP/1.1\r\nHost: {WWW}\r\nContent-Length: 0\r\n\r\n{HIDDEN}",
}


def assert_nothing_was_smuggled(site: Site) -> None:
    """Also that whoever comes next gets an answer of their own."""
    for protocol in ("h1", "h2", "h3"):
        (got,) = ask(protocol, PORT, WWW, [Raw(host=WWW.encode(), path=f"/next/{protocol}".encode())])
        assert (got.status, got.body.decode()) == (200, f"/next/{protocol}")
    smuggled = [
        seen for seen in site.backend.take() if "smuggled" in seen.target or "smuggled" in str(seen.headers)
    ]
    assert smuggled == []


@pytest.mark.parametrize("name", HTTP_1)
def test_nothing_is_smuggled_over_http_1(site: Site, name: str) -> None:
    headers, rest = HTTP_1[name]
    sent = f"POST / HTTP/1.1\r\nHost: {WWW}\r\n{headers}\r\n\r\n{rest}"
    exchange(PORT, WWW, sent.encode("latin-1"), timeout=0.3)
    assert_nothing_was_smuggled(site)


@pytest.mark.parametrize("name", FIRST_LINES)
def test_nothing_is_smuggled_by_a_first_line(site: Site, name: str) -> None:
    exchange(PORT, WWW, FIRST_LINES[name].encode("latin-1"), timeout=0.3)
    assert_nothing_was_smuggled(site)


def odd(
    *more: tuple[bytes, bytes],
    method: bytes = b"POST",
    path: bytes = b"/",
    host: bytes = WWW.encode(),
    body: bytes = b"",
) -> RawRequest:
    head = ((b":method", method), (b":scheme", b"https"), (b":authority", host), (b":path", path))
    return RawRequest(headers=(*head, *more), body=body)


_HIDDEN = HIDDEN.encode()
# The same over HTTP/2 and HTTP/3, where lengths are those of frames (RFC 9113 section 8.1.1, RFC 9114 section 4.1.2).
FRAMED = {
    "a length that is too small": odd((b"content-length", b"0"), body=_HIDDEN),
    "a length that is too large": odd((b"content-length", b"500"), body=_HIDDEN),
    "two lengths": odd((b"content-length", b"0"), (b"content-length", b"60"), body=_HIDDEN),
    "transfer-encoding": odd((b"transfer-encoding", b"chunked"), body=CHUNKED.encode()),
    "a line break in a value": odd((b"x-a", b"b\r\ntransfer-encoding: chunked"), body=CHUNKED.encode()),
    "a line feed in a value": odd((b"x-a", b"b\ntransfer-encoding: chunked"), body=CHUNKED.encode()),
    "a request in a value": odd((b"x-a", b"b\r\n\r\n" + _HIDDEN)),
    "a line break in a name": odd((b"x-a: b\r\ntransfer-encoding", b"chunked"), body=CHUNKED.encode()),
    "a colon in a name": odd((b"transfer-encoding: x", b"chunked"), body=CHUNKED.encode()),
    "a line break in the path": odd(path=b"/ HTTP/1.1\r\nx: y\r\n\r\n" + _HIDDEN, method=b"GET"),
    "a blank in the path": odd(path=b"/ HTTP/1.1", method=b"GET"),
    "a line break in the method": odd(method=b"GET / HTTP/1.1\r\nx: y\r\n\r\n" + _HIDDEN),
    "a blank in the method": odd(method=b"GET /admin/smuggled"),
    "a line break in the host": odd(host=WWW.encode() + b"\r\nx: y"),
    "a path in the host": odd(host=WWW.encode() + b"/admin/smuggled"),
    "a user in the host": odd(host=b"admin@" + WWW.encode()),
    "an upgrade": odd((b"connection", b"upgrade"), (b"upgrade", b"h2c"), body=_HIDDEN),
    "CONNECT with a path": odd(method=b"CONNECT", path=b"/admin/smuggled"),
    "an absolute path": odd(path=f"https://{WWW}/admin/smuggled".encode(), method=b"GET"),
    "two paths": odd((b":path", b"/admin/smuggled"), method=b"GET"),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMED)
def test_nothing_is_smuggled_over_http_2(site: Site, name: str) -> None:
    request = FRAMED[name]
    ask("h2", PORT, WWW, [Raw(head=request.headers, body=request.body)], timeout=0.3)
    assert_nothing_was_smuggled(site)


@pytest.mark.parametrize("name", FRAMED)
def test_nothing_is_smuggled_over_http_3(site: Site, name: str) -> None:
    after = plain(WWW, "/after")
    outcomes = converse(WWW, PORT, [FRAMED[name], after], ca_pem=site.authority.pem, timeout=1.0)
    assert outcomes[1].status == 200  # and the connection is still good
    assert_nothing_was_smuggled(site)
