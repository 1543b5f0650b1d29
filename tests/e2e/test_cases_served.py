"""Cases with a requests.yaml: served by `mizzen up`, asked over HTTP/1.1, 2 and 3.

- ask: METHOD URL            ports 80 and 443 are dialled where the gateway binds them
  over: [h1, h2, h3]         by default all that the scheme knows
  headers: {NAME: VALUE}     Host is the authority, whatever the connection was opened for
  websocket: true            over h3: by extended CONNECT, and the status alone is looked at
  answer: {status: 200, headers: {NAME: VALUE}, missing: [NAME], body: TEXT}
  logged: TEXT, unlogged: TEXT     what the access log has a line of (/dev/stdout), and what it has not; {over} is the protocol
  seen: {backend: PORT, path: ..., method: ..., headers: {...}, missing: [...]}   what reached a backend
  copied: [PORT, ...]        backends that get it too, once each
  takes: SECONDS             at least

What a request's headers make the backends do: x-echo-status: STATUS, x-echo-delay: SECONDS, x-echo-fail-first: N (503 to
the first N attempts).
"""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
import yaml

from tests.golden import Case, cases
from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import Authority
from tests.harness.small_websocket import answered

pytestmark = pytest.mark.e2e

TICKS = timedelta(milliseconds=5)  # Envoy's timers count whole milliseconds, and may be early by some

SERVED = [case for case in cases() if (case.folder / "requests.yaml").exists()]
BACKENDS = (9001, 9002)
BOUND = {80: 8080, 443: 8443}


class _Echo(BaseHTTPRequestHandler):
    """Says what it was asked, and on which port."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[tuple[int, str, str]]] = []  # port, path and id of each request

    def _answer(self) -> None:
        _Echo.seen.append(arrived := (self._port, self.path, self.headers.get("x-request-id", "")))
        time.sleep(float(self.headers.get("x-echo-delay", "0")))
        fails = _Echo.seen.count(arrived) <= int(self.headers.get("x-echo-fail-first", "0"))
        body = json.dumps(
            {
                "backend": self._port,
                "method": self.command,
                "path": self.path,
                "headers": {
                    name.lower(): ", ".join(self.headers.get_all(name) or ()) for name in self.headers
                },
            }
        ).encode()
        self.send_response(503 if fails else int(self.headers.get("x-echo-status", "200")))
        self.send_header("content-length", str(len(body)))
        self.send_header("x-echo", "yes")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    @property
    def _port(self) -> int:
        return int(self.server.server_address[1])

    # The names that http.server calls.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def backends() -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for port in BACKENDS:
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", port), _Echo))
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
        yield


def write(case: Case, folder: Path, authority: Authority) -> None:
    pairs: dict[str, Any] = {}

    def material(name: str, part: str) -> bytes:
        pair = pairs.setdefault(name, authority.server(name))
        return bytes(pair.certificate if part == "crt" else pair.key)

    [text] = [content.decode() for content in case.texts(material).values()]
    (folder / "case.yaml").write_text(text)


@pytest.mark.parametrize("case", SERVED, ids=lambda case: case.name)
def test_requests_are_answered_as_the_yaml_says(
    case: Case, backends: None, folder: Path, authority: Authority
) -> None:
    """By an instance of its own: what was good or believed in the case before holds for a while."""
    write(case, folder, authority)
    with gateway.up(folder) as running:
        ask(case, authority)
        check_log(case, running.instance.run_dir)


def ask(case: Case, authority: Authority) -> None:
    for request in yaml.safe_load((case.folder / "requests.yaml").read_text()):
        method, url = request["ask"].split()
        secure = urlsplit(url).scheme == "https"
        if request.get("websocket"):
            sni, wanted = urlsplit(url).hostname or "", request["headers"]["Host"]
            status = asyncio.run(answered(sni, wanted, BOUND[443], "/", ca_pem=authority.pem))
            assert status == request["answer"]["status"], request
            continue
        for protocol in protocols(request):
            _Echo.seen.clear()
            answer = curl(
                protocol,
                url,
                method=method,
                headers=request.get("headers"),
                ca_pem=authority.pem if secure else "",
                connect_port=BOUND[443 if secure else 80],
            )
            where = f"{request['ask']} over {protocol}: {answer}"
            expected = {"status": 200, **request.get("answer", {})}
            assert answer.status == expected["status"], where
            for name, value in expected.get("headers", {}).items():
                assert answer.header(name) == value, where
            assert not [name for name in expected.get("missing", ()) if answer.all(name)], where
            assert expected.get("body", answer.text) == answer.text, where
            assert answer.timings.total + TICKS >= timedelta(seconds=request.get("takes", 0)), where
            for port in request.get("copied", ()):
                gateway.eventually(lambda port=port: [one for one in _Echo.seen if one[0] == port])
            if "seen" in request:
                assert_seen(request["seen"], json.loads(answer.text), where)


def check_log(case: Case, run_dir: Path) -> None:
    """What is not to be logged is looked for when all else is there: lines are written in the order of requests."""
    asked = [
        {name: text.format(over=over) for name, text in request.items() if name in ("logged", "unlogged")}
        for request in yaml.safe_load((case.folder / "requests.yaml").read_text())
        for over in protocols(request)
    ]
    if not any(asked):
        return
    [path] = (run_dir / "logs").glob("*.access.log")
    wanted = [one["logged"] for one in asked if "logged" in one]
    gateway.eventually(lambda: all(text in path.read_text() for text in wanted))
    text = path.read_text()
    assert not [one["unlogged"] for one in asked if "unlogged" in one and one["unlogged"] in text]


def protocols(request: dict[str, Any]) -> tuple[str, ...]:
    secure = request["ask"].split()[1].startswith("https")
    return tuple(request.get("over") or (("h1", "h2", "h3") if secure else ("h1", "h2")))


def assert_seen(expected: dict[str, Any], seen: dict[str, Any], where: str) -> None:
    for key in ("backend", "path", "method"):
        assert expected.get(key, seen[key]) == seen[key], where
    for name, value in expected.get("headers", {}).items():
        assert seen["headers"].get(name) == value, where
    assert not [name for name in expected.get("missing", ()) if name in seen["headers"]], where
