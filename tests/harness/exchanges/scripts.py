"""What clients do in the table: the steps of one exchange, and what was observed."""

import asyncio
import contextlib
from collections.abc import Sequence

from tests.harness.clients import curl
from tests.harness.exchanges import Asked, End, Exchange
from tests.harness.exchanges.exchange import Fields
from tests.harness.exchanges.observed import Observed, of_answer, of_request
from tests.harness.exchanges.rows import Script, Talk, fields

PIECE = bytes(65536)


def observed(talk: Talk, exchange: Exchange, row: str = "") -> Observed:
    """The answer, and what reached the backend if it was asked."""
    out = of_answer(exchange.answer, talk.protocol)
    arrived = talk.backend.requests.get(row or talk.row)
    out["seen"] = of_request(arrived[-1]) if arrived else None
    if arrived:  # how it ends there may come later
        del out["seen"]["end"], out["seen"]["code"]
    out["attempts"] = len(arrived or ())
    return out


def ask(
    path: str = "/echo",
    *,
    method: str = "GET",
    more: Fields = (),
    body: Sequence[bytes] | None = None,
    trailers: Fields = (),
    authority: str = "",
    target: str = "",
    pseudo: Fields | None = None,
    **headers: str | list[str],
) -> Script:
    """A request and its answer. `headers`: as `fields`; `body`: its pieces; None: the head ends the request."""
    asked = Asked(method=method, path=path, fields=fields(**headers) + more, target=target)
    if authority:
        asked = asked.but(authority=authority)

    async def does(talk: Talk) -> Observed:
        async with talk.connect() as connection:
            exchange = await connection.ask(talk.asked(asked), end=body is None)
            with contextlib.suppress(ConnectionError):
                for piece in body or ():
                    await exchange.send(piece)
                if trailers:
                    await exchange.send_trailers(trailers)
                elif body is not None:
                    await exchange.send(b"", end=True)
            await exchange.whole()
            return observed(talk, exchange)

    return does


# --- streams ----------------------------------------------------------------------------------------


async def events(talk: Talk) -> Observed:
    """Each event is sent when the one before has come: who buffers them waits for ever."""
    async with talk.connect() as connection:
        exchange = await connection.ask(
            talk.asked(Asked(path="/events", fields=fields(accept="text/event-stream")))
        )
        for number in range(3):
            await exchange.until(lambda answer, n=number: b"id: %d\n" % n in answer.body)
            talk.backend.go(talk.row)
        await exchange.whole()
        return observed(talk, exchange)


async def late(talk: Talk) -> Observed:
    """The head of an answer comes before its body is there."""
    async with talk.connect() as connection:
        exchange = await connection.ask(talk.asked(Asked(path="/late")))
        await exchange.until(lambda answer: answer.status)
        talk.backend.go(talk.row)
        await exchange.whole()
        return observed(talk, exchange)


async def duplex(talk: Talk) -> Observed:
    """Both directions at once: each piece comes back before the next is sent."""
    async with talk.connect() as connection:
        exchange = await connection.ask(talk.asked(Asked(method="POST", path="/duplex")), end=False)
        for number in range(3):
            await exchange.send(b"%d" % number)
            await exchange.until(lambda answer, n=number: answer.body.endswith(b"%d" % n))
        await exchange.send(b"", end=True)
        await exchange.whole()
        return observed(talk, exchange)


def continued(path: str, *, body: bytes = b"abc") -> Script:
    """The body is sent when the server says so (100), and not where it answers something else."""

    async def does(talk: Talk) -> Observed:
        head = fields(expect="100-continue", content_length=str(len(body)))
        async with talk.connect() as connection:
            asked = Asked(method="POST", path=path, fields=head)
            exchange = await connection.ask(talk.asked(asked), end=False)
            with contextlib.suppress(
                TimeoutError
            ):  # RFC 9110, section 10.1.1: it may also be that nobody says anything
                await exchange.until(lambda answer: answer.interim or answer.status, 0.5)
            if not exchange.answer.status:
                await exchange.send(body, end=True)
            await exchange.whole()
            return observed(talk, exchange)

    return does


def refused(path: str, *, pieces: int = 64, status: str = "413", authority: str = "") -> Script:
    """A body of 4 MiB that is answered before it is there: the client sends on until it is told not to, and reads then."""

    async def does(talk: Talk) -> Observed:
        head = fields(x_status=status, content_length=str(pieces * len(PIECE)))
        async with talk.connect() as connection:
            asked = talk.asked(Asked(method="POST", path=path, fields=head))
            exchange = await connection.ask(asked.but(authority=authority or talk.host), end=False)
            with contextlib.suppress(ConnectionError):
                await exchange.send(PIECE)
            with contextlib.suppress(TimeoutError):
                await exchange.until(lambda answer: answer.status)
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(3):
                    for _ in range(pieces - 1):
                        await exchange.send(PIECE)
            with contextlib.suppress(TimeoutError):
                await exchange.until(lambda answer: answer.end is not End.OPEN, 3)
            out = observed(talk, exchange)
            if out["end"] == "cut":
                out["body"] = "a part"
            return {key: out[key] for key in ("status", "fields", "body", "end")}

    return does


def megabytes(count: int, *, up: bool) -> Script:
    """Much, by libcurl, which is quicker than what else is here."""

    async def does(talk: Talk) -> Observed:
        url = f"https://{talk.host}:{talk.port}/{'echo' if up else 'megabytes'}"
        more = {"method": "POST", "body": bytes(count << 20)} if up else {}
        headers = {"x-row": talk.row, "x-megabytes": str(count)}
        answer = await asyncio.to_thread(
            curl, talk.protocol, url, ca_pem=talk.ca_pem, headers=headers, timeout=60, **more
        )
        size = (await talk.backend.last(talk.row)).body if up else len(answer.body)
        return {"status": answer.status, "error": answer.error, "bytes": size}

    return does


async def mirrored(talk: Talk) -> Observed:
    """A copy goes to another backend, with its body."""
    async with talk.connect() as connection:
        exchange = await connection.ask(talk.asked(Asked(method="POST", path="/copied/echo")), end=False)
        await exchange.send(b"abc", end=True)
        await exchange.whole()
        both = await talk.backend.sees(lambda: len(both := talk.backend.requests[talk.row]) == 2 and both)
        await talk.backend.sees(lambda: all(one.end is End.WHOLE for one in both))
        return {
            "status": exchange.answer.status,
            "bodies": [one.body for one in both],
            "authorities": sorted(one.authority for one in both),
        }
