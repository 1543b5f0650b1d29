"""The agent asks applications what the kubelet wanted to know."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest
from google.protobuf.wrappers_pb2 import Int32Value, StringValue

from mizzen.agent.app_health import AppHealth, ProbersError, probers
from mizzen.node.health import Readiness
from mizzen.proxy.admin import Admin


@pytest.fixture
async def application() -> AsyncIterator[int]:
    """Answers 200 at /ok, 302 at /moved and 500 elsewhere."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1]
        status = {"/ok": 200, "/moved": 302}.get(path, 500)
        status = status if "X-Key: 1" in head or path != "/ok" else 401
        writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def asked(path: str, said: dict[str, object], tmp_path: Path) -> int:
    health = AppHealth(probers(json.dumps(said)), Readiness(), Admin(tmp_path / "no.sock"), "127.0.0.1")
    await health.start(0)
    assert health.server
    port = health.server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await health.stop()
    return int(answer.split(b" ")[1])


@pytest.mark.parametrize(("path", "status"), [("/ok", 200), ("/moved", 200), ("/bad", 500)])
async def test_http(application: int, tmp_path: Path, path: str, status: int) -> None:
    get = {"path": path, "port": application, "httpHeaders": [{"name": "X-Key", "value": "1"}]}
    assert await asked("/app-health/a/readyz", {"/app-health/a/readyz": {"httpGet": get}}, tmp_path) == status


async def test_tcp(application: int, tmp_path: Path) -> None:
    for port, status in ((application, 200), (1, 500)):
        said: dict[str, object] = {"/app-health/a/livez": {"tcpSocket": {"port": port}}}
        assert await asked("/app-health/a/livez", said, tmp_path) == status


async def test_grpc(tmp_path: Path) -> None:
    served = ("shop", "s" * 200, "t" * 300)  # longer than what fits into a byte

    async def check(request: bytes, context: object) -> bytes:
        return Int32Value(
            value=1 if StringValue.FromString(request).value in served else 2
        ).SerializeToString()

    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(check)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        for service, status in (*((name, 200) for name in served), ("other", 500)):
            said: dict[str, object] = {"/app-health/a/livez": {"grpc": {"port": port, "service": service}}}
            assert await asked("/app-health/a/livez", said, tmp_path) == status
    finally:
        await server.stop(None)


async def test_what_is_not_known_is_not_asked(tmp_path: Path) -> None:
    assert await asked("/app-health/b/livez", {}, tmp_path) == 404
    assert await asked("/healthz/ready", {}, tmp_path) == 503


def test_what_cannot_be_read_is_said() -> None:
    assert probers("") == {}
    for text in ("{", "[]"):
        with pytest.raises(ProbersError):
            probers(text)
