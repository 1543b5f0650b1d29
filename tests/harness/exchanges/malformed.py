"""Requests that are malformed, each between two others on one connection, over HTTP/2 and HTTP/3."""

import contextlib

from tests.harness.exchanges import Asked, End
from tests.harness.exchanges.exchange import Fields
from tests.harness.exchanges.observed import Observed
from tests.harness.exchanges.rows import Script, Talk


def _raw(*pairs: tuple[str | bytes, str | bytes]) -> Fields:
    return tuple(
        (
            name.encode() if isinstance(name, str) else name,
            value.encode() if isinstance(value, str) else value,
        )
        for name, value in pairs
    )


def _plain(
    *more: tuple[str, str], path: str = "/echo", method: str = "GET", authority: str = "HOST"
) -> Fields:
    return _raw((":method", method), (":scheme", "https"), (":authority", authority), (":path", path), *more)


METHOD, SCHEME, PATH, AUTHORITY = (
    (":method", "GET"),
    (":scheme", "https"),
    (":path", "/echo"),
    (":authority", "HOST"),
)

# RFC 9113 and RFC 9114: sections 8.2 and 8.3, 4.2 and 4.3. HOST stands for the host that is asked.
MALFORMED: dict[str, tuple[Fields, bytes]] = {
    "a connection header": (_plain(("connection", "close")), b""),
    "keep-alive": (_plain(("keep-alive", "timeout=5")), b""),
    "proxy-connection": (_plain(("proxy-connection", "close")), b""),
    "te other than trailers": (_plain(("te", "gzip")), b""),
    "transfer-encoding": (_plain(("transfer-encoding", "chunked")), b""),
    "upgrade": (_plain(("upgrade", "h2c")), b""),
    "a name in capitals": (_plain(("X-User", "1")), b""),
    "a slash in a name": (_plain(("x/user", "1")), b""),
    "a newline in a value": (_plain(("x-user", "a\r\nx-admin: 1")), b""),
    "a NUL in a value": (_plain(("x-user", "a\0b")), b""),
    "a host that differs": (_plain(("host", "other.test")), b""),
    "the same host beside the authority": (_plain(("host", "HOST")), b""),
    "a host alone": (_raw(METHOD, SCHEME, PATH, ("host", "HOST")), b""),
    "no authority": (_raw(METHOD, SCHEME, PATH), b""),
    "two authorities": (_raw(METHOD, SCHEME, AUTHORITY, AUTHORITY, PATH), b""),
    "no method": (_raw(SCHEME, AUTHORITY, PATH), b""),
    "no path": (_raw(METHOD, SCHEME, AUTHORITY), b""),
    "no scheme": (_raw(METHOD, AUTHORITY, PATH), b""),
    "an empty path": (_plain(path=""), b""),
    "a path without a slash": (_plain(path="echo"), b""),
    "a pseudo-header nobody knows": (_plain((":user", "1")), b""),
    "a pseudo-header of answers": (_plain((":status", "200")), b""),
    "a pseudo-header after others": (_raw(METHOD, SCHEME, ("x-user", "1"), AUTHORITY, PATH), b""),
    "two lengths": (_plain(("content-length", "2"), ("content-length", "3"), method="POST"), b"ab"),
    "a length that is none": (_plain(("content-length", "-2"), method="POST"), b"ab"),
    "less than its length": (_plain(("content-length", "5"), method="POST"), b"ab"),
    "more than its length": (_plain(("content-length", "1"), method="POST"), b"ab"),
    "a blank in its host": (_plain(authority="sh op.test"), b""),
    "a user in its host": (_plain(authority="me@HOST"), b""),
    "a comma in its host": (_plain(authority="HOST,HOST"), b""),
    "CONNECT": (_raw((":method", "CONNECT"), (":authority", "HOST:443")), b""),
    "CONNECT to another host": (_raw((":method", "CONNECT"), (":authority", "127.0.0.1:15000")), b""),
    "CONNECT for UDP": (_plain((":protocol", "connect-udp"), method="CONNECT"), b""),
    "CONNECT for another protocol": (_plain((":protocol", "webtransport"), method="CONNECT"), b""),
    "a protocol without CONNECT": (_plain((":protocol", "websocket")), b""),
}


def between(head: Fields, body: bytes) -> Script:
    """It may be reset or refused, and reaches nobody; those before and after are answered, on the same connection."""

    async def does(talk: Talk) -> Observed:
        host = talk.host.encode()
        named = (
            *((name, value.replace(b"HOST", host)) for name, value in head),
            (b"x-row", talk.row.encode()),
        )
        async with talk.connect() as connection:
            statuses = []
            for asked in (Asked(path="/echo"), None, Asked(path="/echo")):
                if asked is None:
                    odd = await connection.ask(Asked(raw=named), end=not body)
                    with contextlib.suppress(ConnectionError):
                        if body:
                            await odd.send(body, end=True)
                    answer = await odd.until(lambda got: got.status >= 400 or got.end is not End.OPEN)
                else:
                    exchange = await connection.ask(talk.asked(asked, row=f"{talk.row} beside"))
                    statuses.append((await exchange.whole()).status)
            refused = answer.end is End.CUT or 400 <= answer.status < 500
            taken = [one for one in talk.backend.requests.get(talk.row, ()) if one.end is End.WHOLE]
            return {"refused": refused, "others": statuses, "taken": bool(taken)}

    return does
