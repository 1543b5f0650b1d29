"""Firefox and Chromium without a window, each told to trust an authority of the test's own.

What each needs for that is in docs/browsers.md. Firefox speaks WebDriver BiDi, Chromium its DevTools protocol: both are
numbered commands over one WebSocket.
"""

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection, connect

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
CERTUTIL = shutil.which("certutil")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
START_SECONDS = 60.0

# What came of a load: `server-timing` is a header that pages may read (W3C Server Timing).
_SEEN = """(() => { const entry = performance.getEntriesByType('navigation')[0];
return JSON.stringify([entry.nextHopProtocol, entry.responseStatus, (entry.serverTiming[0] || {}).description || '']); })()"""


_ECHOED = """new Promise((resolve) => { const socket = new WebSocket(%s);
socket.onopen = () => socket.send(%s); socket.onerror = () => resolve('failed');
socket.onmessage = (message) => { resolve(message.data); socket.close(); }; })"""


@dataclass(frozen=True, slots=True)
class Load:
    """A page that was loaded."""

    protocol: str  # "h2", "h3"
    status: int
    version: str  # of the route, by `server-timing: route;desc="..."`


class Browser(Protocol):
    """Loads of pages, in a tab; `fresh`: one that shares no connection and nothing remembered with those before."""

    async def load(self, url: str) -> Load:
        """AssertionError where it fails."""

    async def evaluate(self, expression: str) -> str:
        """What a script gives, or promises, in the page."""

    async def fresh(self) -> None: ...


async def echoed(browser: Browser, url: str, text: str) -> str:
    """What a WebSocket that the page opens gives back; "failed" where it does not open."""
    return await browser.evaluate(_ECHOED % (json.dumps(url), json.dumps(text)))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _started(command: list[str], home: Path) -> Iterator[None]:
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "MOZ_CRASHREPORTER_DISABLE": "1"}
    with (home / "browser.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
        try:
            yield
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            # Its children may outlive it, and write into its home as long as they do.
            while _live(process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                time.sleep(0.01)
            process.wait()


def _live(group: int) -> bool:
    """Is there a process of a group that has not ended?"""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, of, *_ = stat.read_text().rpartition(")")[2].split()
            if int(of) == group and state not in "ZX":
                return True
    return False


async def _connected(url: str) -> ClientConnection:
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    while True:
        try:
            return await connect(url, proxy=None, max_size=None)
        except OSError:
            assert asyncio.get_running_loop().time() < deadline, "the browser does not come up"
            await asyncio.sleep(0.05)


class _Commands:
    """Numbered commands, and what happens meanwhile."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []

    async def ask(self, method: str, params: dict[str, Any], **more: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params, **more}))
        while True:
            answer = await self.next()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                found: dict[str, Any] = answer["result"]
                return found
            self.events.append(answer)

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(30):
            found: dict[str, Any] = json.loads(await self._socket.recv())
            return found


def trust(store: Path, ca_pem: str) -> None:
    """Make a store of certificates (NSS) in a folder, with `ca_pem` as an authority for servers."""
    assert CERTUTIL
    store.mkdir(parents=True, exist_ok=True)
    (store / "ca.pem").write_text(ca_pem)
    subprocess.run([CERTUTIL, "-N", "-d", f"sql:{store}", "--empty-password"], check=True)
    added = ["-A", "-d", f"sql:{store}", "-n", "test", "-t", "C,,", "-i", str(store / "ca.pem")]
    subprocess.run([CERTUTIL, *added], check=True)


# --- Firefox ----------------------------------------------------------------------------------------


def _preferences(host: str) -> dict[str, object]:
    return {
        # Firefox distrusts HTTP/3 to roots that it did not bring itself, until it is told otherwise.
        "network.http.http3.disable_when_third_party_roots_found": False,
        "network.dns.localDomains": host,
        "network.captive-portal-service.enabled": False,
        "network.connectivity-service.enabled": False,
        "app.update.enabled": False,
        "datareporting.healthreport.uploadEnabled": False,
        "browser.shell.checkDefaultBrowser": False,
        "browser.cache.disk.enable": False,
        "browser.cache.memory.enable": False,
    }


def firefox_profile(folder: Path, host: str, ca_pem: str) -> None:
    """A profile that trusts `ca_pem` and finds `host` on this machine."""
    lines = (f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in _preferences(host).items())
    (folder / "user.js").write_text("".join(lines))
    trust(folder, ca_pem)


class Firefox:
    """A tab, by WebDriver BiDi."""

    def __init__(self, commands: _Commands) -> None:
        self._commands = commands
        self._tab = ""

    async def load(self, url: str) -> Load:
        await self._commands.ask(
            "browsingContext.navigate", {"context": self._tab, "url": url, "wait": "complete"}
        )
        return Load(*json.loads(await self.evaluate(_SEEN)))

    async def evaluate(self, expression: str) -> str:
        asked = {"expression": expression, "target": {"context": self._tab}, "awaitPromise": True}
        value = await self._commands.ask("script.evaluate", asked)
        return str(value["result"]["value"])

    async def fresh(self) -> None:
        user = (await self._commands.ask("browser.createUserContext", {}))["userContext"]
        made = await self._commands.ask("browsingContext.create", {"type": "tab", "userContext": user})
        self._tab = made["context"]


@contextlib.asynccontextmanager
async def firefox(host: str, ca_pem: str) -> AsyncIterator[Browser]:
    assert FIREFOX
    with tempfile.TemporaryDirectory(prefix="mz-") as name:
        folder, port = Path(name), free_port()
        firefox_profile(folder, host, ca_pem)
        command = [
            FIREFOX,
            "--headless",
            "--no-remote",
            "--profile",
            name,
            "--remote-debugging-port",
            str(port),
        ]
        with _started(command, folder):
            async with await _connected(f"ws://127.0.0.1:{port}/session") as socket:
                commands = _Commands(socket)
                await commands.ask("session.new", {"capabilities": {}})
                browser = Firefox(commands)
                await browser.fresh()
                yield browser


# --- Chromium ---------------------------------------------------------------------------------------


_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class Chromium:
    """A tab, by the DevTools protocol."""

    def __init__(self, commands: _Commands) -> None:
        self._commands = commands
        self._session = ""

    async def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        return await self._commands.ask(method, params, sessionId=self._session)

    async def load(self, url: str) -> Load:
        self._commands.events.clear()
        assert not (await self._ask("Page.navigate", url=url)).get("errorText")
        while not any(event.get("method") == "Page.loadEventFired" for event in self._commands.events):
            self._commands.events.append(await self._commands.next())
        return Load(*json.loads(await self.evaluate(_SEEN)))

    async def evaluate(self, expression: str) -> str:
        value = await self._ask("Runtime.evaluate", expression=expression, awaitPromise=True)
        return str(value["result"]["value"])

    async def fresh(self) -> None:
        context = (await self._commands.ask("Target.createBrowserContext", {}))["browserContextId"]
        target = {"url": "about:blank", "browserContextId": context}
        made = (await self._commands.ask("Target.createTarget", target))["targetId"]
        attached = await self._commands.ask("Target.attachToTarget", {"targetId": made, "flatten": True})
        self._session = attached["sessionId"]
        await self._ask("Page.enable")


@contextlib.asynccontextmanager
async def chromium(host: str, port: int, ca_pem: str) -> AsyncIterator[Browser]:
    """It trusts `ca_pem`, and is told that `host` speaks QUIC: to a private authority it follows no alt-svc."""
    here = f"--host-resolver-rules=MAP {host} 127.0.0.1"
    async with chromium_with(here, f"--origin-to-force-quic-on={host}:{port}", ca_pem=ca_pem) as browser:
        yield browser


@contextlib.asynccontextmanager
async def chromium_with(*options: str, ca_pem: str = "") -> AsyncIterator[Browser]:
    assert CHROMIUM
    with tempfile.TemporaryDirectory(prefix="mz-") as name:
        folder = Path(name)
        if ca_pem:
            trust(folder / ".pki" / "nssdb", ca_pem)
        # Chromium writes down where it listens: the port, and the path of the WebSocket.
        listens = ("--remote-debugging-port=0", f"--user-data-dir={folder / 'profile'}")
        where = folder / "profile" / "DevToolsActivePort"
        with _started([CHROMIUM, *_QUIET, *listens, *options, "about:blank"], folder):
            deadline = asyncio.get_running_loop().time() + START_SECONDS
            while not where.exists() or not where.read_text().strip():
                assert asyncio.get_running_loop().time() < deadline, (folder / "browser.log").read_text()
                await asyncio.sleep(0.05)
            listening, path = where.read_text().split()
            async with await _connected(f"ws://127.0.0.1:{listening}{path}") as socket:
                browser = Chromium(_Commands(socket))
                await browser.fresh()
                yield browser
