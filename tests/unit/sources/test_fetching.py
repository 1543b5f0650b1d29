"""What is asked, what is never asked, and what of an answer counts."""

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from mizzen.demo import certificates
from mizzen.sources import fetching
from mizzen.sources.fetching import LARGEST, Unfetched, Way, fetched, never
from tests.harness.gateway import now

pytestmark = pytest.mark.asyncio

Answer = Callable[[bytes], bytes]


def nobody() -> ssl.SSLContext:
    raise Unfetched("nobody can be verified")


WAY = Way(roots=nobody)


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    head = "\r\n".join((f"HTTP/1.1 {status}", *headers, f"content-length: {len(body)}"))
    return head.encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def server(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    serving: set[asyncio.Task[object] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        writer.write(answer(await reader.readuntil(b"\r\n\r\n")))
        if answer is silent:
            await reader.read()  # until the client goes
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    one = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield one.sockets[0].getsockname()[1]
    finally:
        one.close()
        await asyncio.gather(*filter(None, serving), return_exceptions=True)


def silent(_: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n"


async def why(url: str, way: Way = WAY, seconds: float = 2) -> str:
    with pytest.raises(Unfetched) as raised:
        await fetched(url, way, seconds)
    return str(raised.value)


async def test_what_is_asked_and_answered() -> None:
    asked: list[bytes] = []

    def answer(request: bytes) -> bytes:
        asked.append(request)
        return http(b"hello")

    async with server(answer) as port:
        assert await fetched(f"http://127.0.0.1:{port}/a?b=c", WAY, 2) == b"hello"
    assert asked[0].startswith(f"GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n".encode())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (http(b"", "404 Not Found"), "status 404"),
        (http(b"x" * (LARGEST + 1)), "larger than"),
        (b"SSH-2.0-OpenSSH\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", "too early"),
        (b"", "too early"),
        (http(b"", "302 Found", "location: file:///etc/passwd"), "neither http"),
        (http(b"", "302 Found", "location: http://169.254.169.254/"), "link-local"),
        (http(b"", "302 Found", "location: /again"), "too often"),
    ],
)
async def test_answers_that_do_not_count(answer: bytes, expected: str) -> None:
    async with server(lambda _: answer) as port:
        assert expected in await why(f"http://127.0.0.1:{port}/")


async def test_a_body_may_end_with_the_connection() -> None:
    async with server(lambda _: b"HTTP/1.0 200 OK\r\n\r\nhello") as port:
        assert await fetched(f"http://127.0.0.1:{port}/", WAY, 2) == b"hello"


async def test_nobody_waits_longer_than_was_said() -> None:
    async with server(silent) as port:
        assert "no answer within 0.2 s" in await why(f"http://127.0.0.1:{port}/", seconds=0.2)


@pytest.mark.parametrize(
    "address",
    [
        *("169.254.169.254", "fe80::1", "fd00:ec2::254", "100.100.100.200", "0.0.0.0", "::", "224.0.0.1"),
        *(
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "255.255.255.255",
            "fe80::1%lo",
        ),
    ],
)
async def test_addresses_that_are_never_asked(address: str) -> None:
    assert never(address)


async def test_loopback_and_private_addresses_may_be_asked_unless_they_are_blocked() -> None:
    assert not [one for one in ("127.0.0.1", "::1", "10.0.0.1", "192.168.0.1", "8.8.8.8") if never(one)]
    assert "10.0.0.0/8" in never("10.0.0.1", ("fd00::/7", "10.0.0.0/8"))
    assert never("::ffff:10.0.0.1", ("10.0.0.0/8",))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]", "localhost"])
async def test_ports_of_our_own_are_not_asked(host: str) -> None:
    assert "mizzen's own" in await why(f"http://{host}:15014/debug/status")
    assert "mizzen's own" in await why(f"http://{host}:8080/", Way(roots=nobody, own_ports=frozenset({8080})))


async def test_a_name_that_is_not_resolved_in_time_or_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = threading.Event()

    def getaddrinfo(name: str, *_: object, **__: object) -> list[object]:
        if name == "nobody.test":
            raise OSError("no such name")
        waiting.wait(5)
        return []

    monkeypatch.setattr(fetching, "getaddrinfo", getaddrinfo)
    assert await why("http://nobody.test/") == "its name cannot be resolved"
    assert "no answer within 0.1 s" in await why("http://slow.test/", seconds=0.1)
    waiting.set()


async def test_a_service_of_the_mesh_is_asked_at_its_endpoints_which_are_judged_too() -> None:
    async with server(lambda _: http(b"keys")) as port:
        way = Way(
            roots=nobody, endpoints=lambda host, at: [("127.0.0.1", port)] if host == "keys.auth" else []
        )
        assert await fetched("http://keys.auth/", way, 2) == b"keys"
    way = Way(roots=nobody, endpoints=lambda *_: [("169.254.169.254", 80)])
    assert "link-local" in await why("http://keys.auth/", way)


async def test_whose_certificate_is_not_trusted_is_not_believed(tmp_path: Path) -> None:
    root = certificates.authority("Test", now())
    pair = certificates.server("keys.test", root, now())
    (tmp_path / "chain").write_bytes(pair.certificate)
    (tmp_path / "key").write_bytes(pair.key)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(tmp_path / "chain", tmp_path / "key")

    def trusting(pem: bytes) -> Callable[[], ssl.SSLContext]:
        return lambda: ssl.create_default_context(cadata=pem.decode())

    async with server(lambda _: http(b"keys"), serving) as port:

        def way(pem: bytes) -> Way:
            return Way(roots=trusting(pem), endpoints=lambda *_: [("127.0.0.1", port)])

        assert await fetched("https://keys.test/", way(root.certificate), 2) == b"keys"
        assert "not trusted" in await why("https://other.test/", way(root.certificate))
        other = certificates.authority("Other", now())
        assert "not trusted" in await why("https://keys.test/", way(other.certificate))
        assert await why("https://keys.test/") == "nobody can be verified"
