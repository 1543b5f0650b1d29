"""What the backend does with a request, by the last part of its path (`/any/where/trailers?x`): /echo unless another is named."""

from collections.abc import Awaitable, Callable

from tests.harness.exchanges.arrived import Reply

Behaviour = Callable[[Reply], Awaitable[None]]
PLAIN = (b"content-type", b"text/plain")
ENDLESS = 1 << 30
PIECE = bytes(65536)
LONG = bytes(1_000_000)


async def echo(reply: Reply) -> None:
    """Take all, then say how much it was."""
    await reply.answer(200, PLAIN, body=b"body of %d bytes" % await reply.whole())


async def status(reply: Reply) -> None:
    await reply.whole()
    await reply.answer(int(reply.arrived.first("x-status")), PLAIN, body=b"told")


async def none(reply: Reply) -> None:
    await reply.head(204, (b"x-kind", b"none"), end=True)


async def same(reply: Reply) -> None:
    await reply.head(304, (b"etag", b'"1"'), (b"content-length", b"10"), end=True)


async def length(reply: Reply) -> None:
    await reply.answer(200, PLAIN, body=b"0123456789")


async def chunked(reply: Reply) -> None:
    """A body without a length."""
    await reply.head(200, PLAIN)
    for piece in (b"one ", b"two ", b"three"):
        await reply.data(piece)
    await reply.end()


async def empty(reply: Reply) -> None:
    await reply.answer(200, PLAIN)


async def empty_chunked(reply: Reply) -> None:
    await reply.head(200, PLAIN)
    await reply.end()


async def close(reply: Reply) -> None:
    """A body that ends with its connection (HTTP/1.1)."""
    await reply.head(200, PLAIN, (b"connection", b"close"))
    await reply.data(b"until the end")
    await reply.end()


async def partial(reply: Reply) -> None:
    if reply.arrived.first("range") == "bytes=2-4":
        await reply.answer(206, PLAIN, (b"content-range", b"bytes 2-4/10"), body=b"234")
    else:
        await reply.answer(416, (b"content-range", b"bytes */10"))


async def fields(reply: Reply) -> None:
    """Fields that come several times, are empty, odd or large."""
    await reply.answer(
        200,
        (b"set-cookie", b"a=1; path=/"),
        (b"set-cookie", b"b=2"),
        (b"x-twice", b"1"),
        (b"x-twice", b"2"),
        (b"x-empty", b""),
        (b"x_under", b"1"),
        (b"x-high", b"caf\xc3\xa9"),
        (b"x-large", b"a" * 30_000),
        (b"vary", b"accept"),
    )


async def fat(reply: Reply) -> None:
    """So many KiB of fields."""
    count = int(reply.arrived.first("x-kib"))
    await reply.answer(200, *((b"x-%d" % number, b"a" * 1018) for number in range(count)))


async def hops(reply: Reply) -> None:
    """Fields of this connection alone (RFC 9110, section 7.6.1)."""
    await reply.answer(
        200,
        (b"keep-alive", b"timeout=5"),
        (b"proxy-connection", b"keep-alive"),
        (b"x-kept", b"1"),
        body=b"ok",
    )


async def early(reply: Reply) -> None:
    """Early hints (RFC 8297), twice."""
    await reply.interim(103, (b"link", b"</a.css>; rel=preload"))
    await reply.interim(103, (b"link", b"</b.css>; rel=preload"))
    await reply.answer(200, PLAIN, body=b"ok")


async def expect(reply: Reply) -> None:
    """Nothing is taken before it was asked for (RFC 9110, section 10.1.1)."""
    if reply.arrived.first("expect"):
        await reply.interim(100)
    await echo(reply)


async def unexpected(reply: Reply) -> None:
    """An expectation that is not met."""
    await reply.answer(417, PLAIN, body=b"no")


async def trailers(reply: Reply) -> None:
    await reply.whole()
    await reply.head(200, PLAIN, (b"trailer", b"x-sum"))
    await reply.data(b"body")
    await reply.end((b"x-sum", b"1"), (b"x-more", b"2"))


async def bare_trailers(reply: Reply) -> None:
    """Trailers after no body."""
    await reply.head(200, PLAIN)
    await reply.end((b"x-sum", b"1"))


async def events(reply: Reply) -> None:
    """Server-sent events, each when the test has seen the one before."""
    await reply.head(200, (b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"))
    for number in range(3):
        await reply.data(b"id: %d\ndata: hello\n\n" % number)
        await reply.go.acquire()
    await reply.end()


async def late(reply: Reply) -> None:
    """The head alone, until the test lets the body come."""
    await reply.head(200, PLAIN)
    await reply.go.acquire()
    await reply.data(b"late")
    await reply.end()


async def duplex(reply: Reply) -> None:
    """Each piece back before the next is read."""
    await reply.head(200, PLAIN)
    while data := await reply.read():
        await reply.data(data)
    await reply.end((b"x-sum", b"1"))


async def refuse(reply: Reply) -> None:
    """An answer at once, while the body still comes; the rest of it is read."""
    await reply.answer(int(reply.arrived.first("x-status")), PLAIN, body=b"refused")
    await reply.whole()


async def refuse_at_length(reply: Reply) -> None:
    """A long answer at once, while the body still comes."""
    await reply.answer(413, PLAIN, body=LONG)
    await reply.whole()


async def refuse_and_close(reply: Reply) -> None:
    """An answer at once, and an end of the connection: what still comes is of no use."""
    await reply.answer(413, PLAIN, (b"connection", b"close"), body=b"refused")
    if reply.arrived.version == "HTTP/1.1":
        await reply.goaway()


async def refuse_and_stop(reply: Reply) -> None:
    """RFC 9113, section 8.1: a whole answer, and RST_STREAM of NO_ERROR."""
    await reply.answer(413, PLAIN, (b"connection", b"close"), body=b"refused")
    await reply.reset(0)


async def wait(reply: Reply) -> None:
    """No answer at all."""
    await reply.gone()


async def begin_and_wait(reply: Reply) -> None:
    await reply.head(200, PLAIN)
    await reply.data(b"begun")
    await reply.gone()


async def reset(reply: Reply) -> None:
    await reply.reset(2)


async def reset_refused(reply: Reply) -> None:
    await reply.reset(7)


async def reset_after_head(reply: Reply) -> None:
    await reply.head(200, (b"content-length", b"100"))
    await reply.go.acquire()
    await reply.reset(2)


async def reset_in_body(reply: Reply) -> None:
    await reply.head(200, (b"content-length", b"100"))
    await reply.data(b"begun")
    await reply.go.acquire()
    await reply.reset(2)


async def reset_chunked(reply: Reply) -> None:
    await reply.head(200, PLAIN)
    await reply.data(b"begun")
    await reply.go.acquire()
    await reply.reset(2)


async def goaway(reply: Reply) -> None:
    """The connection takes no more; this request is answered, a while later."""
    await reply.head(200, PLAIN)
    await reply.data(b"begun ")
    await reply.goaway()
    await reply.go.acquire()
    await reply.data(b"and ended")
    await reply.end()


async def endless(reply: Reply) -> None:
    await reply.head(200, (b"content-length", b"%d" % ENDLESS))
    while True:
        await reply.data(PIECE)


async def megabytes(reply: Reply) -> None:
    count = int(reply.arrived.first("x-megabytes"))
    await reply.head(200, (b"content-length", b"%d" % (count << 20)))
    for _ in range(count * 16):
        await reply.data(PIECE)
    await reply.end()


async def deaf(reply: Reply) -> None:
    """The body is not read until the test says so."""
    await reply.go.acquire()
    await echo(reply)


async def flaky(reply: Reply) -> None:
    """503 to the first attempt."""
    attempt = int(reply.arrived.first("x-envoy-attempt-count") or 1)
    await reply.whole()
    await reply.answer(200 if attempt > 1 else 503, PLAIN, body=b"attempt %d" % attempt)


async def socket(reply: Reply) -> None:
    """A WebSocket that gives its bytes back."""
    if reply.arrived.version == "HTTP/2":
        await reply.head(200, (b"sec-websocket-protocol", b"chat"))
        read = reply.read
    else:
        await reply.head(
            101,
            (b"connection", b"upgrade"),
            (b"upgrade", b"websocket"),
            (b"sec-websocket-accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            (b"sec-websocket-protocol", b"chat"),
        )
        read = reply.raw  # type: ignore[attr-defined]
    while data := await read():
        await reply.data(data)
        if data.endswith(b"bye"):
            break
    await reply.end()
    if reply.arrived.version == "HTTP/1.1":
        await reply.goaway()


BEHAVIOURS: dict[str, Behaviour] = {
    made.__name__.replace("_", "-"): made
    for made in (
        echo, status, none, same, length, chunked, empty, empty_chunked, close, partial, fields, fat, hops, early, expect,
        unexpected, trailers, bare_trailers, events, late, duplex, refuse, refuse_at_length, refuse_and_close, refuse_and_stop, wait,
        begin_and_wait, reset, reset_refused, reset_after_head, reset_in_body, reset_chunked, goaway, endless,
        megabytes, deaf, flaky, socket,
    )
}  # fmt: skip


def behaviour_of(path: str) -> Behaviour:
    return BEHAVIOURS.get(path.partition("?")[0].rpartition("/")[2], echo)
