"""Who is to blame, worked out on a desk: real builds of real objects, a clock that stands, and an Envoy that is a rule.

What the Envoy does with a resource is said by the words in it: it refuses one that holds `refused`, and dies of one that
holds `deadly`.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from dataclasses import replace

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import pytest
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from mizzen._api import pb
from mizzen.blame.ledger import Ledger
from mizzen.blame.pieces import Bodies, Name
from mizzen.envoy.config import EXTENSION_CONFIGS, ROUTES
from mizzen.envoy.filters import access_policies
from mizzen.errors import ResourceRef
from mizzen.pipeline import GatewayBuild, Settings, build, to_snapshot
from mizzen.plane.case import Told
from mizzen.plane.inquiry import Inquiry
from mizzen.proxy.trial import Outcome, Verdict
from mizzen.resources.decode import identify
from mizzen.resources.raw_objects import RawObject, parse_documents
from mizzen.serve.ads import ClientStatus
from mizzen.xds.resource_type import SEND_ORDER
from mizzen.xds.snapshot import Snapshot
from mizzen.xds.start import Start
from mizzen.xds.status import Rejection, StreamStatus, SyncState, TypeStatus

KEY = "istio-ingressgateway.istio-system"
GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shared, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
"""


def route(number: int, word: str = "fine") -> str:
    return (
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\n"
        f"metadata: {{name: r{number}, namespace: istio-system}}\n"
        f"spec: {{hosts: [h{number}.test], gateways: [shared], http: [{{match: [{{uri: {{prefix: /{word}}}}}], "
        "directResponse: {status: 200}}]}\n"
    )


def policy(number: int, word: str = "fine") -> str:
    return (
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
        f"metadata: {{name: p{number}, namespace: istio-system}}\n"
        f"spec: {{action: DENY, rules: [{{to: [{{operation: {{hosts: [h{number}.test], paths: [/{word}]}}}}]}}]}}\n"
    )


def judged(body: bytes) -> Outcome:
    if b"/deadly" in body:
        return Outcome.DEADLY
    return Outcome.REFUSED if b"/refused" in body else Outcome.TAKEN


class Desk:
    """Objects, what is made of them, and the one Envoy."""

    def __init__(self, *texts: str, is_trusted: bool = True, sees: bool = True) -> None:
        """`sees`: does a trial show what the Envoy refuses?"""
        self.default_namespace = "default"
        self.ledger = Ledger()
        self.is_trusted, self.sees = is_trusted, sees
        self.good: dict[ResourceRef, RawObject] = {}
        self.trials = 0
        self.served: list[tuple[str, ...]] = []  # whom each ledger set aside
        self.texts: dict[str, str] = {}
        self.inquiry = Inquiry(self)
        self.now = 100.0
        self.start = Start()
        self.acked: dict[Name, str] = {}
        self.offered: Snapshot | None = None
        self.is_connected = False
        self.stubborn = ""  # a resource that it refuses whatever it is
        self.write(*texts)

    # --- the control plane -----------------------------------------------------------------------

    def write(self, *texts: str) -> None:
        """These are the files from now on."""
        raws, _ = parse_documents("---\n".join((GATEWAY, *texts)), "all.yaml")
        self.files = raws
        self._build()

    def _build(self) -> None:
        marked = tuple(map(self.ledger.applied_to, self.files))
        self._objects = tuple(
            self.good.get(identify(raw, "default"), raw) if raw.aside else raw for raw in marked
        )
        self.built = self._made(self._objects)
        self.config = self.built.config(self.built.announced_when_proven())
        self.snapshot = to_snapshot(self.config, getattr(self, "snapshot", None))
        self.inquiry.on_build(self._objects)
        self.publish(KEY)

    def _made(self, objects: tuple[RawObject, ...]) -> GatewayBuild:
        [gateway] = build(objects, (), Settings()).gateways
        return gateway

    def proxy(self, name: str) -> Told | None:
        return Told(
            key=KEY,
            is_trusted=self.is_trusted,
            snapshot=self.snapshot,
            model=self.built.model,
            bodies=self.config.bodies,
            client=self.status() if self.is_connected else None,
        )

    def objects(self) -> tuple[RawObject, ...]:
        return self._objects

    async def candidate(self, key: str, objects: tuple[RawObject, ...]) -> Bodies | None:
        gateway = self._made(objects)
        return gateway.config(gateway.announced_when_proven()).bodies

    async def try_resources(self, resources: Mapping[Name, Message], clusters: Iterable[str]) -> Verdict:
        self.trials += 1
        if not self.sees:
            return Verdict(outcome=Outcome.TAKEN)
        for message in resources.values():
            if (outcome := judged(message.SerializeToString())) is not Outcome.TAKEN:
                return Verdict(outcome=outcome, why=outcome.value)
        return Verdict(outcome=Outcome.TAKEN)

    async def serve(self, ledger: Ledger, earlier: Mapping[ResourceRef, RawObject]) -> None:
        self.good |= earlier
        self.ledger = ledger
        self.served.append(tuple(sorted(one.ref.name for one in ledger.entries)))
        self._build()
        self.answer()

    def of_envoys(self, versions: Collection[str]) -> bool:
        kept = self.ledger.of_envoys(versions)
        is_other, self.ledger = kept is not self.ledger, kept
        return is_other

    def publish(self, name: str) -> None:
        self.offered = self.inquiry.told(name, self.snapshot)

    # --- the Envoy -------------------------------------------------------------------------------

    def status(self) -> ClientStatus:
        types = []
        for kind in SEND_ORDER:
            wanted = self.offered.of(kind.url) if self.offered else {}
            rejections = {
                name: Rejection(version=entry.version, reason="refused")
                for name, entry in wanted.items()
                if judged(entry.body) is Outcome.REFUSED or name == self.stubborn
            }
            types.append(
                TypeStatus(
                    type_url=kind.url,
                    short=kind.short,
                    state=SyncState.ERROR if rejections else SyncState.SYNCED,
                    sent=1,
                    unanswered=(),
                    subscribed=frozenset(wanted),
                    wildcard=kind.wildcard,
                    acked={name: one.version for name, one in wanted.items() if name not in rejections},
                    rejections=rejections,
                    last_error="",
                )
            )
        return ClientStatus(
            node_id=f"router~127.0.0.1~{KEY}~x",
            gateway=KEY,
            protocol="delta",
            version="1.40.0",
            is_connected=self.is_connected,
            stream=StreamStatus(types=tuple(types)),
            start=self.start,
            offered=self.offered,
        )

    def is_deadly(self) -> bool:
        """Would it die of what it is offered?"""
        types = self.offered.types.values() if self.offered else ()
        return any(judged(one.body) is Outcome.DEADLY for named in types for one in named.values())

    def connect(self) -> None:
        self.is_connected = True
        before, self.offered = self.offered, None
        self.inquiry.hear(self.status(), self.now)
        self.offered = before if self.inquiry.told(KEY, self.snapshot) is self.snapshot else self.offered
        self.publish(KEY)
        self.answer()

    def leave(self) -> None:
        self.is_connected = False
        self.inquiry.hear(self.status(), self.now)

    def answer(self) -> None:
        """It confirms or refuses what it is offered; or it dies, and is started again."""
        if not self.is_connected:
            return
        if self.is_deadly():
            self.leave()
            self.now += 0.2
            self.start = Start(self.start.number + 1, "SIGABRT")
            self.connect_again()
        else:
            self.inquiry.hear(self.status(), self.now)

    def connect_again(self) -> None:
        self.is_connected = True
        self.offered = None
        self.inquiry.hear(self.status(), self.now)
        self.publish(KEY)
        if not self.is_deadly():
            self.answer()

    def wait(self, seconds: float) -> None:
        self.now += seconds

    @property
    def aside(self) -> list[str]:
        return sorted(one.ref.name for one in self.ledger.entries)


@contextlib.asynccontextmanager
async def inquiring(desk: Desk) -> AsyncIterator[None]:
    task = asyncio.create_task(desk.inquiry.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def settled(desk: Desk) -> None:
    """Until nothing is inquired any more."""
    for _ in range(2_000):
        await asyncio.sleep(0)


def hosts(desk: Desk) -> set[str]:
    [body] = desk.config.bodies[ROUTES].values()
    table = pb.RouteConfiguration.FromString(body)
    return {domain for host in table.virtual_hosts for domain in host.domains}


@settings(max_examples=30, deadline=None)
@given(
    words=st.lists(st.sampled_from(["fine", "fine", "fine", "refused"]), min_size=2, max_size=9),
    closed=st.lists(st.sampled_from(["fine", "refused"]), max_size=3),
    is_cold=st.booleans(),
    sees=st.booleans(),
)
def test_all_that_are_refused_are_set_aside_and_no_others(
    words: list[str], closed: list[str], is_cold: bool, sees: bool
) -> None:
    async def run() -> None:
        bad = [route(number, word) for number, word in enumerate(words)]
        bad += [policy(number, word) for number, word in enumerate(closed)]
        desk = Desk(*bad, sees=sees) if is_cold else Desk(sees=sees)
        async with inquiring(desk):
            desk.connect()
            if not is_cold:
                desk.write(*bad)
                desk.answer()
            await settled(desk)
        culprits = [f"r{number}" for number, word in enumerate(words) if word == "refused"]
        culprits += [f"p{number}" for number, word in enumerate(closed) if word == "refused"]
        assert desk.aside == sorted(culprits)
        assert not desk.proxy(KEY).refused()  # type: ignore[union-attr]
        served = {f"h{number}.test" for number, word in enumerate(words) if word == "fine"}
        assert served <= hosts(desk)
        for one in desk.ledger.entries:
            assert one.reason == "refused"
            assert one.fields
        if not sees:
            return
        # A guard that cannot be honoured closes its host, and no other.
        body = desk.config.bodies[EXTENSION_CONFIGS][access_policies.NAME]
        assert all(f"h{number}".encode() in body for number, _ in enumerate(closed))

    asyncio.run(run())


@settings(max_examples=30, deadline=None)
@given(
    words=st.lists(st.sampled_from(["fine", "fine", "deadly"]), min_size=2, max_size=9).filter(
        lambda words: "deadly" in words
    ),
    is_cold=st.booleans(),
)
def test_all_that_are_deadly_are_set_aside_and_no_others(words: list[str], is_cold: bool) -> None:
    async def run() -> None:
        bad = [route(number, word) for number, word in enumerate(words)]
        desk = Desk(*bad) if is_cold else Desk(route(99))
        async with inquiring(desk):
            desk.connect()
            if not is_cold:
                desk.wait(10)
                desk.write(route(99), *bad)
                desk.answer()
                # It lives with what it has lived with, at once.
                assert desk.offered is not None
                assert not desk.is_deadly()
            else:
                assert desk.offered is None
            assert desk.start.number == 1
            await settled(desk)
        assert desk.aside == sorted(f"r{number}" for number, word in enumerate(words) if word == "deadly")
        assert all(one.died and "deadly" in one.reason for one in desk.ledger.entries)
        assert desk.offered is desk.snapshot
        assert desk.start.number == 1  # and never again
        assert {f"h{number}.test" for number, word in enumerate(words) if word == "fine"} <= hosts(desk)

    asyncio.run(run())


@pytest.mark.parametrize("word", ["refused", "deadly"])
async def test_the_version_that_was_served_before_stays(word: str) -> None:
    desk = Desk(route(0), route(1))
    async with inquiring(desk):
        desk.connect()
        desk.wait(10)
        desk.write(route(0, word), route(1, "other"))
        desk.answer()
        await settled(desk)
    assert desk.aside == ["r0"]
    body = next(iter(desk.config.bodies[ROUTES].values()))
    assert b"/fine" in body
    assert b"/other" in body


async def test_a_bad_edit_upon_a_bad_edit_and_the_mended_one() -> None:
    desk = Desk(route(0), route(1))
    async with inquiring(desk):
        desk.connect()
        for word in ("refused", "refused-again", "refused"):
            desk.write(route(0, word), route(1))
            desk.answer()
            await settled(desk)
            assert not desk.proxy(KEY).refused()  # type: ignore[union-attr]
            assert b"/fine" in next(iter(desk.config.bodies[ROUTES].values()))
        # What is known is not tried again.
        assert [one.ref.name for one in desk.ledger.entries] == ["r0", "r0"]
        desk.write(route(0, "mended"), route(1))
        desk.answer()
        await settled(desk)
    assert b"/mended" in next(iter(desk.config.bodies[ROUTES].values()))


async def test_who_dies_of_what_no_trial_shows_is_told_it_once_more_and_then_no_more() -> None:
    desk = Desk(route(0), sees=False)
    async with inquiring(desk):
        desk.connect()
        desk.wait(10)
        desk.write(route(0), route(1, "deadly"), route(2))
        desk.answer()
        await settled(desk)
        desk.answer()  # it dies a second time
        await settled(desk)
        desk.answer()
    assert desk.start.number == 2
    assert desk.aside == ["r1", "r2"]
    assert "no trial shows which of 2 objects" in desk.ledger.entries[0].reason
    assert {"h0.test"} <= hosts(desk)


async def test_the_word_of_a_sidecar_alone_sets_nobody_aside() -> None:
    desk = Desk(route(0), sees=False, is_trusted=False)
    async with inquiring(desk):
        desk.connect()
        desk.wait(10)
        desk.write(route(0), route(1))
        for number in (1, 2, 3):
            desk.start = Start(number, "SIGSEGV")
            desk.connect_again()
            await settled(desk)
    assert desk.aside == []


async def test_a_refusal_that_no_trial_shows_counts_from_who_is_trusted_alone() -> None:
    desk = Desk(route(0), sees=False, is_trusted=False)
    async with inquiring(desk):
        desk.connect()
        desk.write(route(0), route(1, "refused"))
        desk.answer()
        await settled(desk)
    assert desk.aside == []


async def test_nobody_who_has_not_proven_who_he_is_is_believed() -> None:
    desk = Desk(route(0))
    async with inquiring(desk):
        desk.connect()
        desk.wait(10)
        desk.write(route(0), route(1, "refused"))
        for number in (1, 2):
            said = replace(desk.status(), is_proven=False, start=Start(number, "SIGABRT"))
            desk.inquiry.hear(said, desk.now)
            await settled(desk)
        assert desk.offered is desk.snapshot
    assert (desk.aside, desk.trials) == ([], 0)


async def test_who_dies_long_after_the_last_change_has_died_of_something_else() -> None:
    desk = Desk(route(0))
    async with inquiring(desk):
        desk.connect()
        desk.wait(60)
        desk.leave()
        desk.start = Start(1, "SIGSEGV")
        desk.connect_again()
        assert desk.offered is desk.snapshot
        assert desk.trials == 0


async def test_who_is_ended_from_outside_has_not_died() -> None:
    desk = Desk(route(0))
    async with inquiring(desk):
        desk.connect()
        desk.write(route(0), route(1))
        desk.answer()
        desk.leave()
        desk.start = Start(1, "")
        desk.connect_again()
        assert desk.offered is desk.snapshot
        assert desk.trials == 0


async def test_an_envoy_that_says_nothing_of_its_end_is_cut_off_twice_before_it_counts() -> None:
    desk = Desk(route(0))
    async with inquiring(desk):
        desk.connect()
        desk.wait(10)
        desk.write(route(0), route(1, "deadly"))
        for number in (1, 2):
            status = desk.status()
            types = tuple(replace(one, unanswered=("1",)) for one in status.stream.types)
            desk.is_connected = False
            gone = replace(status, is_connected=False, stream=StreamStatus(types=types))
            desk.inquiry.hear(gone, desk.now)
            desk.connect_again()
            assert (desk.offered is desk.snapshot) is (number == 1)
        await settled(desk)
    assert desk.aside == ["r1"]


async def test_another_version_of_envoy_is_asked_again() -> None:
    desk = Desk(route(0, "refused"), route(1))
    async with inquiring(desk):
        desk.connect()
        await settled(desk)
        assert desk.aside == ["r0"]
        newer = replace(desk.status(), version="1.41.0")
        desk.inquiry.hear(newer, desk.now)
        await settled(desk)
    assert () in desk.served  # it took part once more


async def test_what_nobody_is_to_blame_for_is_left_and_not_inquired_for_ever() -> None:
    """No object asked for that cluster."""
    desk = Desk(route(0), route(1), sees=False)
    desk.stubborn = "BlackHoleCluster"
    async with inquiring(desk):
        desk.connect()
        await settled(desk)
        tried = len(desk.served)
        desk.answer()
        await settled(desk)
    assert len(desk.served) == tried > 0
    assert desk.aside == []
    assert {"h0.test", "h1.test"} <= hosts(desk)


async def test_a_trial_that_refuses_what_the_envoy_does_not_blames_nobody() -> None:
    """A refusal of another reason, also of what the Envoy holds: then the Envoy itself is asked."""
    desk = Desk(route(0))
    async with inquiring(desk):
        desk.connect()

        async def refusing(*_: object) -> Verdict:
            return Verdict(outcome=Outcome.REFUSED, why="no such file")

        desk.try_resources = refusing  # type: ignore[assignment]
        desk.write(route(0), route(1, "refused"), route(2))
        desk.answer()
        await settled(desk)
    assert desk.aside == ["r1"]
    assert {"h0.test", "h2.test"} <= hosts(desk)


async def test_a_trial_that_cannot_be_made_leaves_the_proxy_to_be_asked() -> None:
    desk = Desk(route(0))
    async with inquiring(desk):
        desk.connect()

        async def failing(*_: object) -> Verdict:
            return Verdict(outcome=Outcome.UNKNOWN, why="no binary")

        desk.try_resources = failing  # type: ignore[assignment]
        desk.write(route(0), route(1, "refused"))
        desk.answer()
        await settled(desk)
    assert desk.aside == ["r1"]


@pytest.mark.parametrize("word", ["refused", "deadly"])
async def test_the_search_for_one_change_does_not_grow_with_all_others(word: str) -> None:
    trials = []
    for number in (5, 50):
        others = [route(one) for one in range(number)]
        desk = Desk(*others)
        async with inquiring(desk):
            desk.connect()
            desk.wait(10)
            desk.write(*others, route(99, word))
            desk.answer()
            await settled(desk)
        assert desk.aside == ["r99"]
        trials.append(desk.trials)
    assert trials[0] == trials[1] <= 6, trials


async def test_at_a_first_start_the_search_grows_with_the_logarithm() -> None:
    trials = []
    for number in (8, 64):
        desk = Desk(*(route(one, "deadly" if one == 5 else "fine") for one in range(number)))
        async with inquiring(desk):
            desk.connect()
            await settled(desk)
        assert desk.aside == ["r5"]
        trials.append(desk.trials)
    assert trials[1] - trials[0] <= 3
