"""gRPC over HTTP/2 and 3, and gRPC-Web over each version of HTTP, to a server of the library grpcio."""

import contextlib
import struct
import time
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc

from tests.harness.exchanges import Answer, Asked, End, Exchange
from tests.harness.exchanges.observed import CODES, Observed
from tests.harness.exchanges.rows import Script, Talk, fields

SERVICE = "mizzen.test.Echo"
_RAW = {"request_deserializer": bytes, "response_serializer": bytes}
_LARGE = 1_000_000
# Whose last message ends the request: else their answer may be there before that, which costs it (see "ends first").
ENDED = ("Unary", "Large", "Counts", "Fails", "Sleeps")


def _unary(request: bytes, context: Any) -> bytes:
    context.set_trailing_metadata((("x-left", "1"),))
    return request.upper()


def _fails(request: bytes, context: Any) -> bytes:
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not today: ü")


def _sleeps(request: bytes, context: Any) -> bytes:
    ended = time.monotonic() + 5
    while context.is_active() and time.monotonic() < ended:
        time.sleep(0.01)
    return b""


def _counts(request: bytes, context: Any) -> Iterator[bytes]:
    context.send_initial_metadata((("x-begun", "1"),))
    for number in range(int(request)):
        yield b"%d" % number


def _joins(requests: Iterator[bytes], context: Any) -> bytes:
    return b"+".join(requests)


def _answers(requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
    for request in requests:
        yield request.upper()


def _ends(requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
    next(requests)
    yield bytes(_LARGE)


def _large(request: bytes, context: Any) -> bytes:
    return bytes(_LARGE)


HANDLERS = {
    "Unary": grpc.unary_unary_rpc_method_handler(_unary, **_RAW),
    "Fails": grpc.unary_unary_rpc_method_handler(_fails, **_RAW),
    "Sleeps": grpc.unary_unary_rpc_method_handler(_sleeps, **_RAW),
    "Large": grpc.unary_unary_rpc_method_handler(_large, **_RAW),
    "Counts": grpc.unary_stream_rpc_method_handler(_counts, **_RAW),
    "Joins": grpc.stream_unary_rpc_method_handler(_joins, **_RAW),
    "Ends": grpc.stream_stream_rpc_method_handler(_ends, **_RAW),
    "Answers": grpc.stream_stream_rpc_method_handler(_answers, **_RAW),
}


@contextlib.contextmanager
def serving() -> Iterator[int]:
    """The port of a server, until the block ends."""
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, HANDLERS),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(0)


def message(data: bytes) -> bytes:
    """Length-prefixed (gRPC over HTTP2, "Length-Prefixed-Message")."""
    return struct.pack(">BI", 0, len(data)) + data


def messages(body: bytes) -> list[bytes]:
    """The messages of a body, as far as they are whole; trailers of gRPC-Web are one, too."""
    out = []
    while len(body) >= 5:
        length = int.from_bytes(body[1:5])
        if len(body) < 5 + length:
            break
        out.append(body[5 : 5 + length])
        body = body[5 + length :]
    return out


def _shown(data: bytes) -> str:
    return data.decode("latin-1") if len(data) < 200 else f"{len(data)} bytes"


def _observed(answer: Answer, protocol: str) -> Observed:
    status = {name.decode(): value.decode("latin-1") for name, value in (*answer.fields, *answer.trailers)}
    return {
        "status": answer.status,
        "messages": [_shown(one) for one in messages(bytes(answer.body))],
        "end": answer.end.value,
        "code": CODES[protocol].get(answer.code, answer.code) if answer.code is not None else None,
        **{
            name: status.get(name)
            for name in ("content-type", "grpc-status", "grpc-message", "x-begun", "x-left")
        },
        "in trailers": b"grpc-status" in {name for name, _ in answer.trailers},
    }


def _asked(method: str, **more: str) -> Asked:
    head = fields(content_type="application/grpc", te="trailers", **more)
    return Asked(method="POST", path=f"/{SERVICE}/{method}", fields=head)


def call(method: str, *requests: bytes, **headers: str) -> Script:
    """A call and its answer. Of several requests each is sent when that to the one before has come ("Answers")."""

    async def does(talk: Talk) -> Observed:
        async with talk.connect() as connection:
            exchange = await connection.ask(talk.asked(_asked(method, **headers)), end=False)
            for number, request in enumerate(requests):
                await exchange.send(message(request), end=method in ENDED and number == len(requests) - 1)
                if method == "Answers":
                    await exchange.until(lambda answer, n=number: len(messages(bytes(answer.body))) == n + 1)
            if method == "Ends":  # its server ends first
                with contextlib.suppress(TimeoutError):
                    await exchange.until(lambda answer: answer.trailers, 5)
            if method not in ENDED:
                await _end(exchange)
            return _observed(await exchange.whole(), talk.protocol)

    return does


async def _end(exchange: Exchange) -> None:
    with contextlib.suppress(ConnectionError):
        await exchange.send(b"", end=True)


async def late(talk: Talk) -> Observed:
    """A deadline that passes is told by the backend (DEADLINE_EXCEEDED), or by the gateway (UNAVAILABLE)."""
    observed = await call("Sleeps", b"", grpc_timeout="200m")(talk)
    return {"status": observed["status"], "late": observed["grpc-status"] in ("4", "14")}


async def called_off(talk: Talk) -> Observed:
    """A stream that its client calls off; the next call on the connection is answered."""
    async with talk.connect() as connection:
        exchange = await connection.ask(talk.asked(_asked("Answers")), end=False)
        await exchange.send(message(b"a"))
        await exchange.until(lambda answer: answer.body)
        await exchange.cancel()
        other = await connection.ask(talk.asked(_asked("Unary")), end=False)
        await other.send(message(b"b"), end=True)
        out = _observed(await other.whole(), talk.protocol)
        return {"first": exchange.answer.end is End.CUT, **out}


async def web(talk: Talk) -> Observed:
    """gRPC-Web (binary): trailers are the last frame of the body."""
    body = message(b"hello")
    head = fields(content_type="application/grpc-web+proto", x_grpc_web="1", content_length=str(len(body)))
    asked = Asked(method="POST", path=f"/{SERVICE}/Unary", fields=head)
    async with talk.connect() as connection:
        exchange = await connection.ask(talk.asked(asked), end=False)
        await exchange.send(body, end=True)
        answer = await exchange.whole()
        first, *rest = messages(bytes(answer.body))
        return {
            "status": answer.status,
            "content-type": answer.all("content-type"),
            "message": first.decode(),
            "grpc-status": b"grpc-status:0" in b"".join(rest),
        }
