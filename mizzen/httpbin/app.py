"""The routes. `app` is an ASGI application; every answer carries httpbin's CORS headers."""

import asyncio
import gzip
import json
import random
import uuid
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from mizzen.httpbin.echo import Seen, arguments, as_json, body_view, request_view, shown_headers

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
LONGEST_DELAY = 10.0  # seconds; as httpbin, so that nobody parks connections here
MOST_BYTES = 100 * 1024
MOST_LINES = 100
MOST_DRIPPED = 10 * 1024 * 1024


def seen(request: Request) -> Seen:
    """The request as a value."""
    scope = request.scope
    return Seen(
        method=request.method,
        scheme=scope["scheme"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
        peer=scope["client"][0] if scope["client"] else "",
    )


def shown(value: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(as_json(value), status, headers, "application/json")


def number(request: Request, name: str, default: float, *, most: float) -> float:
    """A number from the path or the query, between 0 and `most`; anything else is answered with 400."""
    text = request.path_params.get(name, request.query_params.get(name, str(default)))
    try:
        value = float(text)
    except ValueError:
        raise HTTPException(400, f"{name} must be a number, not {text!r}\n") from None
    if not value >= 0:  # also catches "nan"
        raise HTTPException(400, f"{name} must not be negative\n")
    return min(value, most)


def whole(request: Request, name: str, default: int, *, most: int) -> int:
    return int(number(request, name, default, most=most))


# --- what arrived -----------------------------------------------------------------------------------


async def with_body(request: Request) -> Response:
    """/post, /put, /patch, /delete: what arrived, the body included (of any length, also chunked)."""
    what = seen(request)
    return shown(request_view(what) | body_view(what, await request.body()))


async def anything(request: Request) -> Response:
    what = seen(request)
    return shown(request_view(what) | body_view(what, await request.body()) | {"method": what.method})


async def get(request: Request) -> Response:
    return shown(request_view(seen(request)))


async def headers(request: Request) -> Response:
    return shown({"headers": shown_headers(seen(request).headers)})


async def ip(request: Request) -> Response:
    return shown({"origin": seen(request).origin})


async def user_agent(request: Request) -> Response:
    return shown({"user-agent": seen(request).header("user-agent")})


async def new_uuid(_: Request) -> Response:
    return shown({"uuid": str(uuid.uuid4())})


# --- how to answer ----------------------------------------------------------------------------------


def chosen_status(codes: str) -> int:
    """One of "200", "200,500" or "200:3,500:1" (weights), by chance; ValueError for anything else."""
    found: list[int] = []
    weights: list[float] = []
    for entry in codes.split(","):
        code, _, weight = entry.partition(":")
        found.append(int(code))
        weights.append(float(weight or 1))
    if not all(200 <= code <= 599 for code in found):
        raise ValueError(codes)
    return random.choices(found, weights)[0]


async def status(request: Request) -> Response:
    try:
        code = chosen_status(request.path_params["codes"])
    except ValueError:
        raise HTTPException(400, "Invalid status code\n") from None
    extra = {}
    if code in (301, 302, 303, 305, 307, 308):
        extra = {"location": "/redirect/1"}
    elif code == 401:
        extra = {"www-authenticate": 'Basic realm="Fake Realm"'}
    body = "I'm a teapot\n" if code == 418 else ""
    return PlainTextResponse(body, code, extra)


async def delay(request: Request) -> Response:
    await asyncio.sleep(number(request, "seconds", 0, most=LONGEST_DELAY))
    return await anything(request)


async def response_headers(request: Request) -> Response:
    """Each query parameter becomes a header of the answer, and is shown in its body."""
    pairs = parse_qsl(seen(request).query, keep_blank_values=True)
    try:
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
    except UnicodeEncodeError:
        raise HTTPException(400, "a header holds Latin-1 only\n") from None
    if any(bad in name + value for name, value in raw for bad in (b"\r", b"\n", b"\0")):
        raise HTTPException(400, "a header holds no line break\n")
    answer = shown(dict(arguments(seen(request))))
    named = {name for name, _ in raw}
    answer.raw_headers = [pair for pair in answer.raw_headers if pair[0] not in named] + [
        pair for pair in raw if pair[0] != b"content-length"
    ]
    if b"content-length" in named:  # a wrong one would break the connection, not test it
        answer.headers["content-length"] = str(len(bytes(answer.body)))
    return answer


async def redirect_to(request: Request) -> Response:
    target = request.query_params.get("url")
    if target is None:
        raise HTTPException(400, "the query parameter url is missing\n")
    code = request.query_params.get("status_code", "302")
    return RedirectResponse(
        target, int(code) if code.isdigit() and code[0] == "3" and len(code) == 3 else 302
    )


async def redirect(request: Request) -> Response:
    left = whole(request, "n", 1, most=MOST_LINES)
    return RedirectResponse("/get" if left <= 1 else f"/redirect/{left - 1}", 302)


async def compressed_gzip(request: Request) -> Response:
    what = request_view(seen(request)) | {"gzipped": True, "method": request.method}
    body = gzip.compress(as_json(what), mtime=0)
    return Response(body, 200, {"content-encoding": "gzip"}, "application/json")


async def compressed_deflate(request: Request) -> Response:
    what = request_view(seen(request)) | {"deflated": True, "method": request.method}
    return Response(zlib.compress(as_json(what)), 200, {"content-encoding": "deflate"}, "application/json")


async def cache(request: Request) -> Response:
    """304 when the client brings a validator, else /get with one."""
    what = seen(request)
    if what.header("if-modified-since") or what.header("if-none-match"):
        return Response(status_code=304)
    validators = {"last-modified": "Thu, 01 Jan 2026 00:00:00 GMT", "etag": '"mizzen"'}
    return shown(request_view(what), headers=validators)


async def cache_for(request: Request) -> Response:
    seconds = whole(request, "seconds", 0, most=10**9)
    return shown(request_view(seen(request)), headers={"cache-control": f"public, max-age={seconds}"})


async def cookies(request: Request) -> Response:
    return shown({"cookies": request.cookies})


async def set_cookies(request: Request) -> Response:
    answer = RedirectResponse("/cookies", 302)
    wanted = dict(request.query_params)
    if "name" in request.path_params:
        wanted = {request.path_params["name"]: request.path_params["value"]}
    for name, value in wanted.items():
        answer.set_cookie(name, value, path="/", samesite=None)
    return answer


async def delete_cookies(request: Request) -> Response:
    answer = RedirectResponse("/cookies", 302)
    for name in request.query_params:
        answer.delete_cookie(name, path="/", samesite=None)
    return answer


# --- streams ----------------------------------------------------------------------------------------


async def stream(request: Request) -> Response:
    """n lines of JSON, each sent by itself."""
    what = request_view(seen(request))

    async def lines() -> AsyncIterator[bytes]:
        for i in range(whole(request, "n", 1, most=MOST_LINES)):
            yield (json.dumps(what | {"id": i}, sort_keys=True) + "\n").encode()

    return StreamingResponse(lines(), media_type="application/json")


def some_bytes(request: Request) -> bytes:
    seed = request.query_params.get("seed")
    return random.Random(seed).randbytes(whole(request, "n", 1024, most=MOST_BYTES))


async def random_bytes(request: Request) -> Response:
    return Response(some_bytes(request), media_type="application/octet-stream")


async def stream_bytes(request: Request) -> Response:
    content = some_bytes(request)
    size = max(1, whole(request, "chunk_size", 10 * 1024, most=MOST_BYTES))

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), size):
            yield content[start : start + size]

    return StreamingResponse(chunks(), media_type="application/octet-stream")


async def drip(request: Request) -> Response:
    """`numbytes` bytes spread over `duration` seconds after `delay` seconds, with the status `code`."""
    duration = number(request, "duration", 2, most=LONGEST_DELAY)
    count = max(1, whole(request, "numbytes", 10, most=MOST_DRIPPED))
    code = whole(request, "code", 200, most=599)
    if code < 200:
        raise HTTPException(400, "Invalid status code\n")
    await asyncio.sleep(number(request, "delay", 0, most=LONGEST_DELAY))
    pause = duration / count

    async def drops() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"*"
            await asyncio.sleep(pause)

    sized = {"content-length": str(count)}
    return StreamingResponse(drops(), code, sized, "application/octet-stream")


async def server_sent_events(request: Request) -> Response:
    """`count` events spread over `duration` seconds after `delay` seconds, each sent by itself (WHATWG HTML, section 9.2)."""
    count = whole(request, "count", 10, most=MOST_LINES)
    pause = number(request, "duration", 5, most=LONGEST_DELAY) / max(1, count - 1)
    await asyncio.sleep(number(request, "delay", 0, most=LONGEST_DELAY))

    async def events() -> AsyncIterator[bytes]:
        for i in range(count):
            if i:
                await asyncio.sleep(pause)
            yield f"event: ping\nid: {i}\ndata: {json.dumps({'id': i})}\n\n".encode()

    return StreamingResponse(events(), media_type="text/event-stream", headers={"cache-control": "no-store"})


async def websocket_echo(socket: WebSocket) -> None:
    """Give every message back as it came; take up the first subprotocol the client offers."""
    offered = socket.scope.get("subprotocols") or [None]
    await socket.accept(subprotocol=offered[0])
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if message.get("text") is not None:
                await socket.send_text(message["text"])
            else:
                await socket.send_bytes(message["bytes"])
    except WebSocketDisconnect:
        return


# --- the application --------------------------------------------------------------------------------


async def index(_: Request) -> Response:
    """The list of what can be asked for."""
    rows = "".join(f"<li><code>{route.path}</code></li>\n" for route in ROUTES if isinstance(route, Route))
    return HTMLResponse(f"<!doctype html><title>httpbin</title><h1>httpbin</h1>\n<ul>\n{rows}</ul>\n")


async def page(_: Request) -> Response:
    return HTMLResponse(
        "<!doctype html><title>httpbin</title><h1>A page of HTML</h1>\n<p>Nothing more.</p>\n"
    )


ROUTES = [
    Route("/", index),
    Route("/headers", headers),
    Route("/get", get),
    Route("/post", with_body, methods=["POST"]),
    Route("/put", with_body, methods=["PUT"]),
    Route("/patch", with_body, methods=["PATCH"]),
    Route("/delete", with_body, methods=["DELETE"]),
    Route("/anything", anything, methods=METHODS),
    Route("/anything/{rest:path}", anything, methods=METHODS),
    Route("/status/{codes}", status, methods=METHODS),
    Route("/delay/{seconds}", delay, methods=METHODS),
    Route("/stream/{n}", stream),
    Route("/stream-bytes/{n}", stream_bytes),
    Route("/bytes/{n}", random_bytes),
    Route("/drip", drip),
    Route("/sse", server_sent_events),
    Route("/redirect-to", redirect_to, methods=METHODS),
    Route("/redirect/{n}", redirect),
    Route("/response-headers", response_headers, methods=["GET", "POST"]),
    Route("/ip", ip),
    Route("/user-agent", user_agent),
    Route("/uuid", new_uuid),
    Route("/gzip", compressed_gzip),
    Route("/deflate", compressed_deflate),
    Route("/cache", cache),
    Route("/cache/{seconds}", cache_for),
    Route("/cookies", cookies),
    Route("/cookies/set", set_cookies),
    Route("/cookies/set/{name}/{value}", set_cookies),
    Route("/cookies/delete", delete_cookies),
    Route("/html", page),
    WebSocketRoute("/websocket/echo", websocket_echo),
    WebSocketRoute("/ws", websocket_echo),
]


class OpenToAll:
    """Answers carry httpbin's CORS headers, and a preflight is answered for every path."""

    def __init__(self, inner: ASGIApp) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        asked = {name: value.decode("latin-1") for name, value in scope["headers"]}

        async def send_open(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                out["access-control-allow-origin"] = asked.get(b"origin", "*")
                out["access-control-allow-credentials"] = "true"
            await send(message)

        if scope["method"] == "OPTIONS":
            await preflight(asked.get(b"access-control-request-headers"))(scope, receive, send_open)
            return
        with suppress(ClientDisconnect):  # nobody is there to be answered
            await self.inner(scope, receive, send_open)


def preflight(asked_headers: str | None) -> Response:
    allowed = {
        "access-control-allow-methods": "GET, POST, PUT, DELETE, PATCH, OPTIONS",
        "access-control-max-age": "3600",
        "allow": "GET, POST, PUT, DELETE, PATCH, HEAD, OPTIONS",
    }
    if asked_headers:
        allowed["access-control-allow-headers"] = asked_headers
    return PlainTextResponse("", headers=allowed)


app: ASGIApp = OpenToAll(Starlette(routes=ROUTES))
