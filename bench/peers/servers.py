"""The servers under test, running: nginx, haproxy, caddy, a bare Envoy and mizzen; or why one is not there."""

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench import feature_files, paired, subjects
from bench.measure import children
from bench.paired import PROTOCOLS, Subject
from bench.peers import caddy, haproxy, nginx
from bench.peers.place import Place
from bench.peers.programs import Program, program
from bench.subjects import Bench
from mizzen import __version__
from mizzen.demo.certificates import KeyPair
from mizzen.proxy.binary import envoy_binary
from tests.harness.clients import curl
from tests.harness.gateway import HOST

_START_SECONDS = 15.0
_FIRST_PORT = 18501


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A server that is not ours."""

    name: str
    file: str  # of its configuration
    config: Callable[[Place], str]
    arguments: Callable[[Place], list[str]]
    environment: Callable[[Place], dict[str, str]]
    version: tuple[str, ...]  # the arguments that make it tell its version, and what it is built with
    http3: str  # stands there when it has HTTP/3


PEERS = tuple(
    Peer(
        name=name,
        file=module.FILE,
        config=module.config,
        arguments=module.arguments,
        environment=module.environment,
        version=module.VERSION,
        http3=module.HTTP3,
    )
    for name, module in (("nginx", nginx), ("haproxy", haproxy), ("caddy", caddy))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One of the table's rows."""

    name: str
    version: str = ""
    subject: Subject | None = None
    lacks: Mapping[str, str] = field(default_factory=dict)  # protocol -> why it is not measured


@contextlib.contextmanager
def serving(beside: Bench, root: Path | None, bodies: Mapping[str, str]) -> Iterator[list[Server]]:
    """All of them, on the cores of subjects; what does not answer as the backend does is told of in `lacks`."""
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(_peer(peer, _FIRST_PORT + at, beside, root)) for at, peer in enumerate(PEERS)
        ]
        files = feature_files.base(beside.pair, subjects.UPSTREAM)
        up = stack.enter_context(subjects.mizzen("mizzen", files, beside))
        bare, again = beside.bare
        told = Program(str(envoy_binary()), Path("/")).output(["--version"])
        version = told.strip().rpartition("version: ")[2]
        servers += [
            Server(name=bare.name, version=version, subject=bare),
            Server(name=again.name, version="the control: the same as above", subject=again),
            Server(name="mizzen", version=f"{__version__}, its Envoy alone is counted", subject=up.subject),
        ]
        yield [_checked(server, beside, bodies) for server in servers]


@contextlib.contextmanager
def _peer(peer: Peer, port: int, beside: Bench, root: Path | None) -> Iterator[Server]:
    found = program(peer.name, root)
    if found is None:
        yield Server(name=peer.name, lacks=dict.fromkeys(PROTOCOLS, "it is not installed"))
        return
    said = found.output(peer.version)
    has_http3 = peer.http3 in said
    version = said.strip().splitlines()[0] if said.strip() else "?"
    with tempfile.TemporaryDirectory(prefix="mz-", dir=found.outside("/tmp")) as outside:
        place = Place(
            folder=f"/tmp/{Path(outside).name}",
            port=port,
            upstream=subjects.UPSTREAM,
            workers=len(beside.cores.subject),
            http3=has_http3,
        )
        _write(found, place, peer, beside.pair)
        log = Path(outside, "log")
        with paired.on(beside.cores.subject):
            process = found.start(peer.arguments(place), peer.environment(place), log)
        try:
            problem = _started(process, port, beside.authority.pem)
            if problem:
                reason = f"{problem}: {log.read_text(errors='replace').strip()[-300:]}"
                yield Server(name=peer.name, version=version, lacks=dict.fromkeys(PROTOCOLS, reason))
                return
            subject = Subject(name=peer.name, pids=(process.pid, *children(process.pid)), port=port)
            lacks = {} if has_http3 else {"h3": "it is built without HTTP/3"}
            yield Server(name=peer.name, version=version, subject=subject, lacks=lacks)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _write(found: Program, place: Place, peer: Peer, pair: KeyPair) -> None:
    contents = {
        f"{place.folder}/{peer.file}": peer.config(place).encode(),
        place.certificate: pair.certificate,
        place.key: pair.key,
        place.both: pair.certificate + pair.key,
    }
    for path, data in contents.items():
        found.outside(path).write_bytes(data)


def _started(process: "subprocess.Popen[bytes]", port: int, ca_pem: str) -> str:
    """Why it does not answer; "" when it does."""
    deadline = time.monotonic() + _START_SECONDS
    while curl("h1", f"https://{HOST}:{port}/", ca_pem=ca_pem).status != 200:
        if process.poll() is not None:
            return f"it ended with status {process.returncode}"
        if time.monotonic() > deadline:
            return f"it does not answer within {_START_SECONDS:.0f} s"
        time.sleep(0.05)
    return ""


def _checked(server: Server, beside: Bench, bodies: Mapping[str, str]) -> Server:
    """The same, with what does not answer right among what it lacks."""
    lacks = dict(server.lacks)
    for protocol in PROTOCOLS:
        if server.subject is None or protocol in lacks:
            continue
        for path, text in bodies.items():
            url = f"https://{HOST}:{server.subject.port}{path}"
            answer = curl(protocol, url, ca_pem=beside.authority.pem)
            if answer.error or answer.status != 200 or answer.text != text:
                lacks[protocol] = (
                    f"{path} is answered {answer.status}, {len(answer.body)} bytes: {answer.error or 'not as wanted'}"
                )
    return lacking(server, lacks)


def lacking(server: Server, lacks: Mapping[str, str]) -> Server:
    """The same, without these protocols too; what was lacking before keeps its reason."""
    return replace(server, lacks={**lacks, **server.lacks})
