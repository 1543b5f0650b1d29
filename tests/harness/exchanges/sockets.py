"""WebSockets: RFC 6455, RFC 8441 and RFC 9220."""

import asyncio
import contextlib
from typing import Any

from tests.harness.exchanges import Asked, End, Exchange
from tests.harness.exchanges.observed import Observed
from tests.harness.exchanges.rows import Script, Talk, fields
from tests.harness.exchanges.scripts import PIECE, observed

_OPEN = {"h1": 101, "h2": 200, "h3": 200}  # RFC 6455 section 4.1, RFC 8441 section 5


def websocket(
    path: str = "/socket", *, wait: float = 0, large: int = 300_000, cancel: bool = False
) -> Script:
    """Opened, both directions used, closed."""

    async def does(talk: Talk) -> Observed:
        async with talk.connect() as connection:
            asked = Asked(
                path=path,
                fields=fields(origin="https://a.test", sec_websocket_protocol="chat", x_status="404"),
            )
            exchange = await connection.websocket(talk.asked(asked))
            answer = await exchange.until(lambda answer: answer.status)
            out: dict[str, Any] = {"opened": answer.status == _OPEN[talk.protocol]}
            if not out["opened"]:
                return {**out, **observed(talk, await _over(exchange))}
            await asyncio.sleep(wait)
            await exchange.send(b"hello")
            await exchange.until(lambda answer: answer.body == b"hello")
            for start in range(0, large, len(PIECE)):
                await exchange.send(PIECE[: min(len(PIECE), large - start)])
            await exchange.until(lambda answer: len(answer.body) == large + 5)
            if cancel:
                await exchange.cancel()
                seen = await talk.backend.last(talk.row)
                await talk.backend.sees(lambda: seen.end is not End.OPEN)
            else:
                await exchange.send(b"bye")
                await exchange.whole()
            request = await talk.backend.last(talk.row)
            return {
                **out,
                "body": len(answer.body),
                "end": answer.end.value,
                "code": observed(talk, exchange)["code"],
                "subprotocol": answer.all("sec-websocket-protocol"),
                "seen": {
                    "fields": {
                        name: request.all(name)
                        for name in ("origin", "sec-websocket-protocol", "sec-websocket-version", "upgrade")
                    },
                    "key": bool(request.first("sec-websocket-key")),
                    "protocol": request.protocol,
                },
            }

    return does


async def _over(exchange: Exchange) -> Exchange:
    with contextlib.suppress(TimeoutError):
        await exchange.until(lambda answer: answer.end is not End.OPEN, 2)
    return exchange
