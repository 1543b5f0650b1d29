"""Clients and backends that do not move, go away or give up, and those beside them."""

import asyncio
import contextlib

from tests.harness.exchanges import Asked, End
from tests.harness.exchanges.observed import Observed, of_request
from tests.harness.exchanges.rows import Script, Talk
from tests.harness.exchanges.scripts import PIECE, observed

QUIET = 0.15  # seconds in which nothing more comes
BOUND = 48 << 20  # bytes; most of what is under way is in the buffers of the kernel's sockets


async def _steady(talk: Talk, what: str) -> int:
    """A number of the backend's request, when it has stopped growing."""
    before = -1
    while (now := int(getattr(await talk.backend.last(talk.row), what))) != before:
        before = now
        await asyncio.sleep(QUIET)
    return now


async def _others(talk: Talk) -> list[int]:
    """Whether others are served meanwhile, on connections of their own."""
    out = []
    for number in range(3):
        async with talk.connect() as connection:
            exchange = await connection.ask(talk.asked(Asked(path="/echo"), row=f"{talk.row} other {number}"))
            out.append((await exchange.whole()).status)
    return out


async def unread(talk: Talk) -> Observed:
    """A client that does not read: what is under way is bounded, others are served, and it may read on later."""
    async with talk.connect() as connection:
        exchange = await connection.ask(talk.asked(Asked(path="/endless")))
        exchange.pause()
        seen = await talk.backend.last(talk.row)
        await talk.backend.sees(lambda: seen.sent)
        held = await _steady(talk, "sent")
        others = await _others(talk)
        had = len(exchange.answer.body)
        exchange.resume()
        await exchange.until(lambda answer: len(answer.body) > had + 16 * len(PIECE))
        await exchange.cancel()
        await talk.backend.sees(lambda: seen.end is End.CUT)
        return {"bounded": held < BOUND, "others": others, "seen end": seen.end.value}


async def unheard(talk: Talk) -> Observed:
    """A backend that does not read: the client is made to wait, others are served, and it may read on later."""
    async with talk.connect() as connection:
        exchange = await connection.ask(talk.asked(Asked(method="POST", path="/deaf")), end=False)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 64 << 20:
                async with asyncio.timeout(0.5):
                    await exchange.send(PIECE)
                sent += len(PIECE)
        others = await _others(talk)
        talk.backend.go(talk.row)
        await exchange.send(b"", end=True)
        answer = await exchange.whole()
        return {"bounded": sent < BOUND, "others": others, "status": answer.status}


def cancelled(path: str, *, begun: bool = False, upload: bool = False) -> Script:
    """The client calls its request off: before an answer, within it, or within its own body. The backend learns of it."""

    async def does(talk: Talk) -> Observed:
        async with talk.connect() as connection:
            method = "POST" if upload else "GET"
            exchange = await connection.ask(talk.asked(Asked(method=method, path=path)), end=not upload)
            if upload:
                await exchange.send(PIECE)
            if begun:
                await exchange.until(lambda answer: answer.body)
            seen = await talk.backend.sees(lambda: talk.backend.requests.get(talk.row))
            if upload:
                await talk.backend.sees(lambda: seen[-1].body)
            await exchange.cancel()
            await talk.backend.sees(lambda: seen[-1].end is End.CUT)
            request = of_request(seen[-1])
            return {"seen": {"end": request["end"], "code": request["code"]}}

    return does


async def gone(talk: Talk) -> Observed:
    """The client closes its connection."""
    async with talk.connect() as connection:
        exchange = await connection.ask(talk.asked(Asked(path="/begin-and-wait")))
        await exchange.until(lambda answer: answer.body)
    seen = await talk.backend.last(talk.row)
    await talk.backend.sees(lambda: seen.end is End.CUT)
    return {"seen": {"end": seen.end.value}}


def broken(path: str) -> Script:
    """The backend gives up within its answer; the client has seen what came before."""

    async def does(talk: Talk) -> Observed:
        async with talk.connect() as connection:
            exchange = await connection.ask(talk.asked(Asked(path=path)))
            await exchange.until(lambda answer: answer.status)
            await asyncio.sleep(QUIET if "body" not in path else 0)
            if "head" not in path:
                await exchange.until(lambda answer: answer.body)
            talk.backend.go(talk.row)
            await exchange.whole()
            return observed(talk, exchange)

    return does


async def goaway(talk: Talk) -> Observed:
    """The backend takes no more on a connection: what runs on it is answered, what comes then goes elsewhere."""
    async with talk.connect() as connection:
        running = await connection.ask(talk.asked(Asked(path="/goaway")))
        await running.until(lambda answer: answer.body)
        others = await _others(talk)
        talk.backend.go(talk.row)
        await running.whole()
        return {**observed(talk, running), "others": others}


async def many(talk: Talk) -> Observed:
    """500 requests at once on one connection, each with a body of its own length."""
    async with talk.connect() as connection:

        async def one(number: int) -> tuple[int, bytes]:
            asked = talk.asked(Asked(method="POST", path="/echo"), row=f"{talk.row} {number}")
            exchange = await connection.ask(asked, end=False)
            await exchange.send(b"x" * number, end=True)
            answer = await exchange.whole(30)
            return answer.status, bytes(answer.body)

        answers = await asyncio.gather(*(one(number) for number in range(500)))
        right = [answer == (200, b"body of %d bytes" % number) for number, answer in enumerate(answers)]
        return {"right": right.count(True), "goaway": connection.goaway}
