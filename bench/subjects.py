"""The servers that are measured in turns, each started on the cores of subjects: bare Envoys, and `mizzen up`."""

import contextlib
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import bare_envoy, paired
from bench.paired import Cores, Subject
from bench.running import Processes, processes
from mizzen.demo.certificates import KeyPair
from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import HOST, Authority

PORT = 8443
BARE, AGAIN = 18443, 18444  # ports of two equal Envoys
UPSTREAM = 18080


@dataclass(frozen=True, slots=True)
class Bench:
    """What runs beside the subject: a backend, and the two bare Envoys it is compared with."""

    cores: Cores
    authority: Authority
    pair: KeyPair  # of the server, shared by all
    bare: tuple[Subject, Subject]  # what ratios are to, and its equal, which shows the noise


@contextlib.contextmanager
def bench(cores: Cores, bodies: Mapping[str, str] = bare_envoy.SMALL) -> Iterator[Bench]:
    """Until the block ends; what the block starts, and its own load, runs on the cores that no subject has.

    `bodies`: what the backend answers, by prefix.
    """
    authority = Authority()
    pair = authority.server()
    with contextlib.ExitStack() as stack:
        stack.enter_context(paired.on(cores.others))
        backend = bare_envoy.backend(UPSTREAM, bodies)
        stack.enter_context(bare_envoy.envoy(backend, len(cores.others)))
        bare = [
            stack.enter_context(bare_on(name, port, pair, cores))
            for name, port in (("bare Envoy", BARE), ("bare Envoy again", AGAIN))
        ]
        yield Bench(cores, authority, pair, (bare[0], bare[1]))


@contextlib.contextmanager
def bare_on(name: str, port: int, pair: KeyPair, cores: Cores) -> Iterator[Subject]:
    """An Envoy with the smallest configuration."""
    with contextlib.ExitStack() as stack:
        with paired.on(cores.subject):
            resources = bare_envoy.proxy(port, UPSTREAM, pair)
            pid = stack.enter_context(bare_envoy.envoy(resources, len(cores.subject)))
        yield Subject(name=name, pids=(pid,), port=port)


@dataclass(frozen=True, slots=True)
class Mizzen:
    """A running `mizzen up`."""

    subject: Subject
    processes: Processes


@contextlib.contextmanager
def mizzen(
    name: str, files: Mapping[str, str], beside: Bench, headers: Mapping[str, str] | None = None
) -> Iterator[Mizzen]:
    """`mizzen up` on files by name, its Envoy alone on the subject's cores; once its mirror is announced.

    SystemExit when it complains of a file.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mz-")))
        for file, text in files.items():
            (folder / f"{file}.yaml").write_text(text)
        with paired.on(beside.cores.subject):
            up = stack.enter_context(gateway.up(folder))
        found = processes(up)
        for pid in (found.control_plane, found.supervisor):
            paired.move(pid, beside.cores.others)
        if not _is_announced(beside.authority, headers or {}) or ".yaml:" in up.read():
            raise SystemExit(f"bench: {name} is not served as it is meant\n{up.read()}\n{up.logs()}")
        yield Mizzen(Subject(name=name, pids=(found.envoy,), port=PORT, headers=headers or {}), found)


def _is_announced(authority: Authority, headers: Mapping[str, str], seconds: float = 20.0) -> bool:
    """Whether clients are told of HTTP/3 by now, or within some seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = curl("h2", f"https://{HOST}:{PORT}/", ca_pem=authority.pem, headers=headers)
        if answer.status == 200 and answer.header("alt-svc"):
            return True
        time.sleep(0.05)
    return False
