"""Real browsers at `mizzen demo`: they come to HTTP/3 and stay there, and no load fails, whatever is changed.

Firefox learns of it from alt-svc alone. Chromium follows no alt-svc to a certificate of a private authority: it is told to
speak QUIC (docs/browsers.md), and shows that pages load over it.
"""

import asyncio
import base64
import itertools
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from mizzen.demo import certificates, walkthrough
from mizzen.demo.certificates import KeyPair
from tests.harness import browsers
from tests.harness.browsers import Browser, Load
from tests.harness.clients import curl, handshake
from tests.harness.gateway import eventually, replace_file

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

PORT = 8443
URL = f"https://{walkthrough.HOST}:{PORT}/html"
SOCKET = f"wss://{walkthrough.HOST}:{PORT}/ws"
NOW = datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo, and what is changed of it."""

    folder: Path
    hint: str  # the command that it prints for Chromium

    @property
    def ca_pem(self) -> str:
        return (self.folder / walkthrough.CA).read_text()

    def rotate(self) -> None:
        """Another certificate, with another key, of the same authority."""
        authority = KeyPair(
            certificate=self.ca_pem.encode(), key=(self.folder / "quiccorp-ca.key").read_bytes()
        )
        pair = certificates.server(walkthrough.HOST, authority, NOW)
        encoded = {"certificate": pair.certificate, "key": pair.key}
        text = walkthrough.SECRET.format(**{k: base64.b64encode(v).decode() for k, v in encoded.items()})
        replace_file(self.folder / "httpbin-cred.yaml", text)
        eventually(lambda: handshake(walkthrough.HOST, PORT).leaf_pem.encode() == pair.certificate)

    def route(self, version: str) -> None:
        route = yaml.safe_load((self.folder / "route.yaml").read_text())
        header = {"set": {"server-timing": f'route;desc="{version}"'}}
        route["spec"]["http"][0]["headers"] = {"response": header}
        replace_file(self.folder / "route.yaml", yaml.safe_dump(route))

    def switch(self, http3: str) -> None:
        gateway = yaml.safe_load((self.folder / "gateway.yaml").read_text())
        gateway["metadata"]["annotations"] = {"mizzen.dev/http3": http3}
        replace_file(self.folder / "gateway.yaml", yaml.safe_dump(gateway))
        wanted = "clear" if http3 == "off" else 'h3=":8443"; ma=86400'
        eventually(lambda: curl("h2", URL, ca_pem=self.ca_pem).header("alt-svc") == wanted, 20.0)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder: Path = tmp_path_factory.mktemp("demo") / "yaml"
    with tempfile.TemporaryDirectory(prefix="mz-") as run_dir:
        command = [sys.executable, "-m", "mizzen", "demo", "--dir", str(folder), "--run-dir", run_dir]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout
            lines = list(
                itertools.takewhile(lambda line: "Ctrl-C ends everything" not in line, process.stdout)
            )
            [hint] = [line for line in lines if "--origin-to-force-quic-on" in line]
            yield Demo(folder, hint)
        finally:
            process.kill()  # its children end with it; nobody waits for what browsers left open
            process.wait(20)
            process.stdout.close()


async def until(browser: Browser, found: Callable[[Load], bool], most: int = 40) -> list[Load]:
    """Loads, none of which fails, until there is what is looked for."""
    loads: list[Load] = []
    while not loads or not found(loads[-1]):
        assert len(loads) < most, loads
        if loads:
            await asyncio.sleep(0.2)  # Firefox tries an alternative service in the background
        loads.append(await browser.load(f"{URL}?{len(loads)}"))
        assert loads[-1].status == 200, loads
    return loads


def protocols(loads: list[Load]) -> set[str]:
    return {load.protocol for load in loads}


async def journey(demo: Demo, browser: Browser) -> dict[str, list[Load]]:
    """Loads before and while each thing changes, by what it is."""
    seen = {"at first": await until(browser, lambda load: load.protocol == "h3")}
    assert await browsers.echoed(browser, SOCKET, "hello") == "hello"
    demo.route("second")
    seen["another route"] = await until(browser, lambda load: load.version == "second")
    await asyncio.to_thread(demo.rotate)
    seen["another certificate"] = [await browser.load(URL) for _ in range(3)]
    await browser.fresh()
    seen["met anew"] = await until(browser, lambda load: load.protocol == "h3")
    await asyncio.to_thread(demo.switch, "off")
    seen["withdrawn"] = [await browser.load(f"{URL}?{number}") for number in range(5)]
    assert await browsers.echoed(browser, SOCKET, "hello") == "hello"
    await browser.fresh()
    seen["met after that"] = [await browser.load(f"{URL}?{number}") for number in range(5)]
    return seen


def visited(demo: Demo, opened: AbstractAsyncContextManager[Browser]) -> dict[str, list[Load]]:
    demo.route("first")
    demo.switch("on")

    async def visit() -> dict[str, list[Load]]:
        async with opened as browser:
            return await journey(demo, browser)

    return asyncio.run(visit())


@pytest.mark.skipif(not browsers.CHROMIUM, reason="needs Chromium (Debian: chromium)")
def test_chromium_opens_the_demo_over_http3_as_the_demo_says(demo: Demo) -> None:
    """Before anything changes: the command names the key of the certificate."""
    _, *options, url = shlex.split(demo.hint)

    async def visit() -> Load:
        async with browsers.chromium_with(
            *(one for one in options if "--user-data-dir" not in one)
        ) as browser:
            return await browser.load(url)

    load = asyncio.run(visit())
    assert (load.protocol, load.status) == ("h3", 200)


@pytest.mark.skipif(
    not (browsers.FIREFOX and browsers.CERTUTIL),
    reason="needs Firefox and certutil (Debian: firefox-esr, libnss3-tools)",
)
def test_firefox_learns_http3_from_alt_svc_and_stays_until_it_is_withdrawn(demo: Demo) -> None:
    seen = visited(demo, browsers.firefox(walkthrough.HOST, demo.ca_pem))

    assert seen["at first"][0].protocol == "h2"
    assert protocols(seen["another route"]) == {"h3"}
    assert protocols(seen["another certificate"]) == {"h3"}
    assert seen["met anew"][0].protocol == "h2"
    assert protocols(seen["met after that"]) == {"h2"}
    assert {load.status for loads in seen.values() for load in loads} == {200}


@pytest.mark.skipif(
    not (browsers.CHROMIUM and browsers.CERTUTIL),
    reason="needs Chromium and certutil (Debian: chromium, libnss3-tools)",
)
def test_chromium_stays_on_http3_through_changes(demo: Demo) -> None:
    """Told to speak QUIC, it does so to the end: who lingers at HTTP/3 while it is withdrawn is served."""
    seen = visited(demo, browsers.chromium(walkthrough.HOST, PORT, demo.ca_pem))

    assert {load.status for loads in seen.values() for load in loads} == {200}
    assert {protocol for loads in seen.values() for protocol in protocols(loads)} == {"h3"}
