"""A real browser learns of HTTP/3 from alt-svc alone: its first load is h2, a later one h3."""

import asyncio
import itertools
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.harness import gateway
from tests.harness.gateway import HOST, Authority

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
CERTUTIL = shutil.which("certutil")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not (FIREFOX and CERTUTIL), reason="needs Firefox and certutil (firefox-esr, libnss3-tools)"
    ),
]

URL = f"https://{HOST}:8443/html"
PROTOCOL = "performance.getEntriesByType('navigation')[0].nextHopProtocol"

# Firefox distrusts HTTP/3 to roots that it did not bring itself, until it is told otherwise.
PREFERENCES = {
    "network.http.http3.disable_when_third_party_roots_found": False,
    "network.dns.localDomains": HOST,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "app.update.enabled": False,
    "datareporting.healthreport.uploadEnabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.cache.disk.enable": False,
    "browser.cache.memory.enable": False,
}


@pytest.fixture
def profile(tmp_path: Path, authority: Authority) -> Path:
    folder = tmp_path / "profile"
    folder.mkdir()
    (folder / "user.js").write_text(
        "".join(f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in PREFERENCES.items())
    )
    (tmp_path / "ca.pem").write_text(authority.pem)
    assert CERTUTIL
    store = ["-d", f"sql:{folder}"]
    subprocess.run([CERTUTIL, "-N", *store, "--empty-password"], check=True)
    trust = ["-A", *store, "-n", "test", "-t", "C,,", "-i", str(tmp_path / "ca.pem")]
    subprocess.run([CERTUTIL, *trust], check=True)
    return folder


@pytest.fixture
def firefox(profile: Path) -> Iterator[int]:
    """The port of a headless Firefox's WebDriver BiDi."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    assert FIREFOX
    with (profile / "firefox.log").open("w") as log:
        process = subprocess.Popen(
            [
                FIREFOX,
                "--headless",
                "--no-remote",
                "--profile",
                str(profile),
                "--remote-debugging-port",
                str(port),
            ],
            stdout=log,
            stderr=log,
            env={"HOME": str(profile), "PATH": "/usr/bin:/bin", "MOZ_CRASHREPORTER_DISABLE": "1"},
        )
        try:
            yield port
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Browser:
    """WebDriver BiDi: numbered commands over one WebSocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.tab = ""

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(await self._socket.recv())
            if answer.get("id") == number:
                assert answer["type"] == "success", answer
                found: dict[str, Any] = answer["result"]
                return found

    async def load(self, url: str) -> str:
        """Navigate; the protocol that the page came over."""
        await self.ask("browsingContext.navigate", context=self.tab, url=url, wait="complete")
        value = await self.ask(
            "script.evaluate", expression=PROTOCOL, target={"context": self.tab}, awaitPromise=False
        )
        return str(value["result"]["value"])


async def browse(port: int) -> list[str]:
    """The protocols of the first loads, until one came over h3 (at most 15)."""
    deadline = asyncio.get_running_loop().time() + 60
    while True:
        try:
            connection = await connect(f"ws://127.0.0.1:{port}/session", proxy=None, max_size=None)
            break
        except OSError:
            assert asyncio.get_running_loop().time() < deadline, "Firefox does not come up"
            await asyncio.sleep(0.1)
    async with connection:
        browser = Browser(connection)
        await browser.ask("session.new", capabilities={})
        browser.tab = (await browser.ask("browsingContext.create", type="tab"))["context"]
        seen: list[str] = []
        while len(seen) < 15 and "h3" not in seen:
            seen.append(await browser.load(f"{URL}?load={len(seen)}"))
            await asyncio.sleep(0.3)  # Firefox tries an alternative service in the background
        await browser.ask("browser.close")
    return seen


@pytest.mark.timeout(180)
def test_firefox_learns_h3_from_alt_svc(
    folder: Path, authority: Authority, httpbin: int, firefox: int
) -> None:
    (folder / "secret.yaml").write_text(gateway.secret("shop-tls", authority.server()))
    (folder / "gateway.yaml").write_text(gateway.gateway())
    (folder / "backend.yaml").write_text(gateway.backend(httpbin))
    (folder / "route.yaml").write_text(gateway.route(port=httpbin))
    with gateway.up(folder):
        seen = asyncio.run(browse(firefox))

    assert seen[0] == "h2"
    assert seen[-1] == "h3"
