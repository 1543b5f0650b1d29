"""What a plan says of connections is what connections experience: held open over HTTP/1.1, 2 and 3 while it happens.

Each case of tests/plans is done to a real Envoy that is told what is old, and then what is new.
"""

import asyncio
import contextlib
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mizzen.pipeline import GatewayBuild, Memory, build
from mizzen.plan.effects import Change, Effect
from mizzen.plan.surface import QUIC, Listener, Surface
from mizzen.probe.client import Answer, Session
from tests.e2e.test_cases_on_envoy import running
from tests.e2e.test_scoped_routes import write
from tests.golden import parsed
from tests.harness import gateway
from tests.harness.clients import asked
from tests.harness.gateway import HOST, Authority
from tests.harness.snapshots import held
from tests.test_plans import CASES, planned, said, settings_of, texts

pytestmark = pytest.mark.e2e

GATEWAY = "istio-ingressgateway.istio-system"
# These show nothing of connections that others do not.
ALIKE = frozenset(
    {
        "a-comment-and-a-label-do-nothing",
        "connection-ids-for-a-balancer",
        "more-workers",
        "quic-is-tuned",
        "the-service-loses-its-udp-port",
        "two-objects-that-would-each-have-done-it",
    }
)
# These are done the other way round, too.
BACK = frozenset(
    {
        "a-host-that-joins-a-server-reconnects-the-others",
        "a-more-exact-server-takes-a-host-from-a-wildcard",
        "a-more-exact-server-that-passes-on-tls",
        "a-server-goes-on-without-tcp",
        "http3-goes-off-for-another-host",
        "http3-goes-off-for-one-host",
        "plain-http-and-its-hosts",
        "two-fields-of-one-server",
    }
)
SECONDS = 0.8  # for a request: nothing is far away
SWITCHED_OFF = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec: {values: {pilot: {env: {PILOT_ENABLE_QUIC_LISTENERS: "false"}}}}
"""


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module", autouse=True)
def backends() -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for port in (9001, 9002):
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", port), _Answer))
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
        yield


@dataclass(slots=True)
class Held:
    """A connection for one host at one listener, and what comes of it."""

    listener: str
    host: str
    protocol: str
    port: int
    session: Session = field(default_factory=Session)
    answers: list[Answer] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Some host of a wildcard."""
        return self.host.replace("*", "any", 1) if self.host != "*" else "any.example.com"

    def ask(self) -> Answer:
        scheme = "http" if self.port == 8080 else "https"
        url = f"{scheme}://{self.name}:{self.port}/"
        answer = self.session.fetch(asked(self.protocol, url, timeout=SECONDS, verify=False))
        self.answers.append(answer)
        return answer

    @property
    def was_served(self) -> bool:
        return self.answers[0].status == 200

    @property
    def is_kept(self) -> bool:
        """Did its connection live on, through a first answer and a second?"""
        return all(one.reused and one.error is None for one in self.answers[1:3])

    @property
    def is_sent_away(self) -> bool:
        """Is it told to come on another connection (RFC 9110, section 15.5.20)?"""
        return self.was_served and self.answers[-1].status == 421

    @property
    def is_met(self) -> bool:
        """Does somebody speak with it, be it of a route that is not there?"""
        return self.answers[-1].status in (200, 404)

    @property
    def is_served(self) -> bool:
        """Is it answered in the end, on whichever connection?"""
        return self.answers[-1].status == 200

    def __str__(self) -> str:
        seen = [
            f"{one.status}{'' if one.reused else ' anew'}{f' {one.error}' if one.error else ''}"
            for one in self.answers
        ]
        return f"{self.host} over {self.protocol} at {self.listener}: {', '.join(seen)}"


def all_of(*surfaces: Surface) -> list[Held]:
    """A client of each protocol for each host of each listener."""
    found: dict[tuple[str, str, str], Held] = {}
    for surface in surfaces:
        for listener in surface.listeners.values():
            for chain in listener.chains:
                hosts = (
                    (*surface.hosts_of(listener, chain), *surface.table(chain.table))
                    if not chain.refuses
                    else ()
                )
                for host in hosts:
                    for protocol in protocols(listener):
                        one = Held(listener.name, host, protocol, listener.port)
                        found.setdefault((listener.name, host, protocol), one)
    return list(found.values())


def protocols(listener: Listener) -> tuple[str, ...]:
    return ("h3",) if listener.transport == QUIC else ("h1", "h2")


def predicted(changes: tuple[Change, ...], one: Held) -> Effect:
    """The hardest that is said of a connection."""
    found = [
        change.effect
        for change in changes
        if change.gateway == GATEWAY
        and change.listener == one.listener
        and (change.host is None or is_for(change.host, one.host))
    ]
    return max(found, key=lambda one: one.hardness, default=Effect.NONE)


def is_for(said: str, host: str) -> bool:
    return said == host or (said.startswith("*") and host.endswith(said[1:]))


def as_said(effect: Effect, one: Held) -> bool:
    """Is what a connection experienced what was said?"""
    if effect is Effect.UNSERVED or effect is Effect.WITHDRAWS_H3:
        return not one.is_served
    if effect is Effect.CLOSES_H3:
        return not one.is_kept
    if effect is Effect.RECONNECTS:
        return one.is_sent_away or (one.is_served and (not one.is_kept or not one.was_served))
    if effect is Effect.OPENS and not one.was_served:
        return one.is_met
    return (one.is_kept or not one.was_served) and (
        effect in (Effect.ROUTES, Effect.ENDPOINTS) or one.is_served == one.was_served
    )


@pytest.mark.parametrize(
    ("folder", "was", "will"),
    [
        *((folder, "old", "new") for folder in CASES if folder.name not in ALIKE),
        *((folder, "new", "old") for folder in CASES if folder.name in BACK),
    ],
    ids=lambda one: one.name if isinstance(one, Path) else one,
)
def test_connections_experience_what_is_said(folder: Path, was: str, will: str) -> None:
    settings, memory = settings_of(said(folder)), Memory()
    old, new = (
        {one.proxy.key: one for one in build(*parsed(texts(folder / name)), settings, memory).gateways}[
            GATEWAY
        ]
        for name in (was, will)
    )
    plan = planned(folder, was, will)
    wrong = asyncio.run(experienced(old, new, plan.changes, must_see=was == "old"))
    assert not wrong, "\n".join(wrong)


async def experienced(
    old: GatewayBuild, new: GatewayBuild, changes: tuple[Change, ...], *, must_see: bool
) -> list[str]:
    before = old.config(old.announced_when_proven())
    after = new.config(new.announced_when_proven(), before)
    was = Surface(old, before)
    some = all_of(was, Surface(new, after))
    async with running() as envoy:
        if was.listeners:  # else Envoy asks for nothing that could be confirmed
            assert await envoy.offer(held(before)) == ""
        await asyncio.to_thread(ask, some)
        served = {protocol for one in was.listeners.values() for protocol in protocols(one)}
        if must_see:
            assert {one.protocol for one in some if one.was_served} == served, "nothing would be seen"
        assert await envoy.offer(held(after)) == ""
        await asyncio.sleep(0.05)  # for its workers
        await asyncio.to_thread(ask, some, times=3)
    for one in some:
        one.session.close()
    return [
        f"{effect.value}, but {one}" for one in some if not as_said(effect := predicted(changes, one), one)
    ]


def ask(some: list[Held], times: int = 1) -> None:
    """All at once: who waits for one that does not answer has waited for all of them."""
    threads = [threading.Thread(target=ask_again, args=(one, times)) for one in some]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def ask_again(one: Held, times: int) -> None:
    """Until nobody answers twice."""
    for _ in range(times):
        one.ask()
        if times > 1 and all(answer.error is not None for answer in one.answers[-2:]):
            return


def test_a_running_instance_is_what_is_served(folder: Path, authority: Authority) -> None:
    """Asked for its objects, settings and promises: no file of it is named."""
    write(folder, authority)
    with gateway.up(folder, "--external-port", "443:8443") as up:
        same = up.mizzen("plan", "-f", str(folder), "-o", "json")
        off = folder.parent / "off"
        shutil.copytree(folder, off)
        (off / "mesh.yaml").write_text(SWITCHED_OFF)
        withdrawn = up.mizzen("plan", "-f", str(off), "--against", str(up.instance.run_dir), "-o", "json")
        promised = json.loads(up.instance.announcements.read_text())

    assert (same.returncode, json.loads(same.stdout)) == (0, {"worst": "none", "changes": []})
    assert withdrawn.returncode == 2
    changes = json.loads(withdrawn.stdout)["changes"]
    assert {(one["effect"], one["host"], one["listener"]) for one in changes} == {
        ("withdraws-h3", host, "udp_0.0.0.0_8443") for host in (HOST, "other.test")
    }
    assert all(one["until"] in json.dumps(promised) for one in changes)
