"""A control plane on files, without an Envoy: what it keeps when it fails itself, and what it says.

The faults are made: those that were known are mended.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.harness import gateway

os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from mizzen import guard, pipeline
from mizzen.authority.proof import KEY_BYTES
from mizzen.blame.ledger import Entry, Ledger, content_of
from mizzen.demo import certificates
from mizzen.envoy.filters import access_policies
from mizzen.errors import Problem, ResourceRef
from mizzen.guard import Stage
from mizzen.node.instance import Instance
from mizzen.plane import worker
from mizzen.plane.loop import ControlPlane
from mizzen.resolve import gateway_model
from mizzen.resources.decode import identify
from mizzen.resources.istio.envoy_filter import EnvoyFilter
from mizzen.sources.files import Files
from mizzen.sources.last_good import LastGood
from mizzen.xds.resource_type import EXTENSION_CONFIG, ROUTES
from tests.harness.issuer import Issuer, Site

GATEWAYS = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec:
  components:
    ingressGateways:
"""
ROUTE = """\
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: istio-system}
spec:
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"], bind: 127.0.0.1}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: routes, namespace: istio-system}
spec:
  hosts: ["*"]
  gateways: [web]
  http: [{directResponse: {status: 200, body: {string: "WORD"}}}]
"""


def text(*gateways: str, word: str = "first") -> str:
    listed = "".join(f"    - {{name: {name}, enabled: true}}\n" for name in gateways)
    return GATEWAYS + listed + ROUTE.replace("WORD", word)


class Running:
    """A control plane, and what it said."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "all.yaml"
        self.lines: list[str] = []
        files = Files([str(folder)])
        run_dir = Instance(folder.parent / "run")
        run_dir.run_dir.mkdir(exist_ok=True)
        run_dir.secret.write_bytes(bytes(KEY_BYTES))
        self.plane = ControlPlane(run_dir, files, pipeline.Settings(), say=self.lines.append)

    async def rebuilt(self) -> None:
        """Until a build that began now has been tried."""
        await self.plane.builds.rebuilt()

    async def write(self, content: str) -> None:
        self.file.write_text(content)
        await self.rebuilt()

    @property
    def status(self) -> dict[str, Any]:
        return self.plane.status().to_json()

    @property
    def named(self) -> set[str]:
        return {str(proxy["name"]) for proxy in self.status["proxies"]}

    def told(self, gateway: str) -> str:
        """The answer in the routes of a gateway."""
        snapshot = self.plane.state.gateways[f"{gateway}.istio-system"].translated.snapshot
        (table,) = snapshot.of("type.googleapis.com/envoy.config.route.v3.RouteConfiguration").values()
        return next((word for word in ("first", "second") if word.encode() in table.body), "nothing")

    def policies(self, gateway: str) -> bytes:
        """What judges the requests of a gateway."""
        snapshot = self.plane.state.gateways[f"{gateway}.istio-system"].translated.snapshot
        return snapshot.of(EXTENSION_CONFIG.url)[access_policies.NAME].body


Start = Callable[[], contextlib.AbstractAsyncContextManager[Running]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "yaml"
    path.mkdir()
    return path


@pytest.fixture
def start(folder: Path) -> Start:
    @contextlib.asynccontextmanager
    async def started() -> AsyncIterator[Running]:
        running, stop = Running(folder), asyncio.Event()
        task = asyncio.create_task(running.plane.run(stop))
        try:
            yield running
        finally:
            stop.set()
            await task

    return started


def raising(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, when: Callable[..., bool]) -> None:
    original = getattr(owner, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        if when(*arguments):
            raise MemoryError("made to fail")
        return original(*arguments, **named)

    monkeypatch.setattr(owner, name, wrapped)


async def test_a_gateway_that_cannot_be_built_keeps_what_it_has_and_the_others_go_on(
    folder: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "all.yaml").write_text(text("one", "two"))
    async with start() as running:
        await running.plane.started.wait()
        assert running.status["sound"] is True
        with monkeypatch.context() as patch:
            raising(patch, gateway_model, "closed", lambda ctx, *_: ctx.proxy.name == "one")
            await running.write(text("one", "two", word="second"))

            assert running.named == {"one", "two"}
            assert (running.told("one"), running.told("two")) == ("first", "second")
            assert running.status["sound"] is False
            assert [line for line in running.lines if "INT-004" in line and "all.yaml:" in line]
        await running.rebuilt()

        assert running.told("one") == "second"
        assert running.status["sound"] is True
        assert [line for line in running.lines if line.startswith("mended: ") and "INT-004" in line]


async def test_a_build_that_fails_as_a_whole_changes_nothing(
    folder: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "all.yaml").write_text(text("one", "two"))
    async with start() as running:
        await running.plane.started.wait()
        before = {key: one.translated.build for key, one in running.plane.state.gateways.items()}
        with monkeypatch.context() as patch:
            raising(patch, pipeline, "mesh_config", lambda *_: True)
            await running.write(text("two", word="second"))

            now = running.plane.state.gateways
            assert all(now[key].translated.build is build for key, build in before.items())
            assert running.named == {"one", "two"}
            assert running.status["sound"] is False
            assert any("INT-005" in problem["code"] for problem in running.status["problems"])
        await running.rebuilt()

        assert running.named == {"two"}
        assert running.status["sound"] is True


async def test_a_start_that_fails_is_told_at_once_and_tried_again(
    folder: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "all.yaml").write_text(text("one"))
    with monkeypatch.context() as patch:
        raising(patch, pipeline, "mesh_config", lambda *_: True)
        async with start() as running:
            await running.rebuilt()

            assert not running.plane.started.is_set()
            assert (
                not running.plane.instance.control_socket.exists()
            )  # nobody is told that there is no gateway
            (line,) = running.lines
            assert line.startswith("! Configuration: error INT-005: the configuration cannot be worked out")
            patch.undo()
            await running.rebuilt()
            await running.plane.started.wait()

            assert running.named == {"one"}


async def test_an_edit_at_which_a_stage_fails_leaves_the_last_good_version(
    folder: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "all.yaml").write_text(text("one"))
    routes = ResourceRef(
        kind="VirtualService", group="networking.istio.io", namespace="istio-system", name="routes"
    )
    original, edited = guard.run, text("one").splitlines().index("kind: VirtualService") + 1
    for stage in (Stage.READ, Stage.RESOLVE, Stage.TRANSLATE):

        def run(now: Stage, ref: ResourceRef, make: Callable[[], Any], stage: Stage = stage) -> Any:
            if now is stage and ref == routes and ref.place().line == edited:
                raise RecursionError("made to fail")
            return original(now, ref, make)

        (folder / "all.yaml").write_text(text("one"))
        async with start() as running:
            await running.plane.started.wait()
            with monkeypatch.context() as patch:
                patch.setattr(guard, "run", run)
                await running.write("# another line\n" + text("one", word="second"))

                assert running.told("one") == "first", stage
                assert [line for line in running.lines if stage.code in line], stage
            await running.rebuilt()

            assert running.told("one") == "second"


PATCH = """---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: header, namespace: istio-system}
spec:
  configPatches:
  - applyTo: VIRTUAL_HOST
    match: {context: GATEWAY}
    patch: {operation: MERGE, value: {response_headers_to_add: [{header: {key: x-patched, value: VALUE}}]}}
"""


async def test_an_edit_of_a_patch_that_is_not_understood_leaves_the_last_good_version(
    folder: Path, start: Start
) -> None:
    def patched(value: str) -> bool:
        gateway = running.plane.state.gateways["one.istio-system"]
        (table,) = gateway.translated.snapshot.of(ROUTES.url).values()
        return value.encode() in table.body

    def written(value: str) -> str:
        return PATCH.replace("VALUE", value) + "---\n" + text("one")

    (folder / "all.yaml").write_text(written("value-1"))
    async with start() as running:
        await running.plane.started.wait()
        assert patched("value-1")
        await running.write(written("value-2").replace("_to_add", "_to_addd"))
        assert any("EXT-014" in line for line in running.lines)
        assert patched("value-1")
        await running.write(written("value-3") + "# mended\n")
        assert patched("value-3")


async def test_a_patch_at_which_judging_fails_leaves_its_last_good_version_and_keeps_nobody_back(
    folder: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(owner: EnvoyFilter) -> tuple[Problem, ...]:
        if "value-2" in str(owner.spec):
            raise RecursionError("made to fail")
        return ()

    def written(value: str, word: str) -> str:
        return PATCH.replace("VALUE", value) + "---\n" + text("one", word=word)

    monkeypatch.setattr(worker, "misunderstood", fail)
    (folder / "all.yaml").write_text(written("value-1", "first"))
    async with start() as running:
        await running.plane.started.wait()
        await running.write(written("value-2", "second"))

        assert any("INT-001" in line for line in running.lines)
        assert running.told("one") == "second"
        gateway = running.plane.state.gateways["one.istio-system"]
        (table,) = gateway.translated.snapshot.of(ROUTES.url).values()
        assert b"value-1" in table.body
        assert b"value-2" not in table.body


async def test_what_cannot_be_read_might_declare_a_gateway(folder: Path, start: Start) -> None:
    (folder / "all.yaml").write_text(text("one", "two"))
    (folder / "broken.yaml").write_text("nobody: [knows\n")
    async with start() as running:
        await running.plane.started.wait()
        assert running.status["sound"] is False
        (folder / "broken.yaml").unlink()
        async with asyncio.timeout(20):  # that it is gone is believed when it has stood still
            while not running.status["sound"]:
                await asyncio.sleep(0.05)
                await running.rebuilt()


async def test_an_operator_with_an_error_serves_nothing_until_it_is_mended_and_then_stays(
    folder: Path, start: Start
) -> None:
    good = text("one")
    bad = good.replace("enabled: true", "enabled: perhaps")
    (folder / "all.yaml").write_text(bad)
    async with start() as running:
        await running.plane.started.wait()
        assert (running.named, running.status["sound"]) == (set(), False)
        assert any("GRD-003" in line for line in running.lines)
        await running.write(good)
        assert (running.named, running.status["sound"]) == ({"one"}, True)
        await running.write(bad)
        assert running.named == {"one"}


# --- one writer -------------------------------------------------------------------------------------


async def test_nothing_is_read_or_decoded_in_the_event_loop(
    folder: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "all.yaml").write_text(text("one"))
    threads: dict[str, set[int]] = {}

    def seen(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            threads.setdefault(name, set()).add(threading.get_ident())
            return original(*arguments, **named)

        monkeypatch.setattr(owner, name, wrapped)

    seen(pipeline, "decode")
    seen(pipeline, "envoy_config")
    seen(Files, "listing")
    seen(LastGood, "admit")
    async with start() as running:
        await running.plane.started.wait()
        await running.write(text("one", word="second"))
        (worker,) = {await running.plane.builds.in_worker(threading.get_ident)}

    assert threads == {name: {worker} for name in ("decode", "envoy_config", "listing", "admit")}
    assert worker != threading.get_ident()


async def test_proxies_that_join_during_a_build_are_all_in_the_next_one(
    folder: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "all.yaml").write_text(text("one"))
    seen: list[frozenset[str]] = []
    begun, gate = threading.Event(), threading.Event()
    original = pipeline.build

    def build(objects: Any, found: Any, settings: pipeline.Settings, *more: Any) -> Any:
        seen.append(settings.sidecars)
        begun.set()
        gate.wait(10)
        return original(objects, found, settings, *more)

    async with start() as running:
        await running.plane.started.wait()
        monkeypatch.setattr(worker, "build", build)
        first = running.plane.builds.ask()
        await asyncio.to_thread(begun.wait, 10)
        for number in range(20):
            running.plane._want(sidecar=f"default/vm-{number}")
        last = running.plane.builds.ask()
        gate.set()
        await running.plane.builds.answered(last)

    assert first < last
    assert [len(sidecars) for sidecars in seen] == [0, 20]


async def test_a_certificate_that_ends_is_told_of_then_and_judged_no_sooner(
    folder: Path, start: Start
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    pair = certificates.server("shop.test", certificates.authority("Test", now), now)
    ends = x509.load_pem_x509_certificate(pair.certificate).not_valid_after_utc
    (folder / "all.yaml").write_text(
        f"{text('istio-ingressgateway')}---\n{gateway.gateway()}---\n{gateway.secret('shop-tls', pair)}"
    )
    async with start() as running:
        plane = running.plane
        plane.clock = lambda: now
        await running.rebuilt()
        before = plane.problems()
        assert plane.problems() is before
        assert not [one for one in before if one.code == "SEC-004"]
        assert plane.made is not None
        assert plane.made.valid_until is not None
        now = ends + timedelta(seconds=1)
        assert [one.code for one in plane.problems() if one.code == "SEC-004"]
        assert plane.problems() is plane.problems()


async def test_an_object_that_is_put_aside_leaves_its_last_good_version_and_comes_back(
    folder: Path, start: Start
) -> None:
    (folder / "all.yaml").write_text(text("one"))
    async with start() as running:
        plane = running.plane
        await plane.started.wait()
        assert plane.made is not None
        before = next(one for one in plane.made.objects if one.name == "routes")
        await running.write("# another line\n" + text("one", word="second"))
        assert running.told("one") == "second"
        aside = put_aside(plane, "routes")

        for _ in range(2):
            await plane.desk.serve(aside, {one.ref: before for one in aside.entries})
            assert running.told("one") == "first"
        assert [line for line in running.lines if "XDS-002" in line and "all.yaml:" in line]
        await running.write("# a third\n" + text("one", word="second"))  # what is refused is the same
        assert running.told("one") == "first"
        await plane.desk.serve(Ledger(), {})
        assert running.told("one") == "second"
        assert [line for line in running.lines if line.startswith("mended: ") and "XDS-002" in line]


async def test_a_new_object_that_is_put_aside_takes_no_part_and_closes_what_it_guards(
    folder: Path, start: Start
) -> None:
    (folder / "all.yaml").write_text(text("one"))
    async with start() as running:
        plane = running.plane
        await plane.started.wait()
        assert plane.made is not None
        (folder / "all.yaml").write_text(f"{text('one')}---\n{GUARD}")
        async with asyncio.timeout(
            20
        ):  # what stands at the end of a file is believed when it has stood still
            while not [one for one in plane.made.objects if one.name == "guard"]:
                await asyncio.sleep(0.05)
                await running.rebuilt()
        before = running.policies("one")
        await plane.desk.serve(put_aside(plane, "guard"), {})
        assert [line for line in running.lines if "XDS-002" in line and "all.yaml:" in line]
        assert running.policies("one") != before
        assert b"envoy.filters.http.rbac" in running.policies("one")
        assert running.told("one") == "first"


GUARD = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: guard, namespace: istio-system}
spec:
  action: DENY
  rules: [{to: [{operation: {paths: ["/admin"]}}]}]
"""


def put_aside(plane: ControlPlane, name: str) -> Ledger:
    assert plane.made is not None
    raw = next(one for one in plane.made.objects if one.name == name)
    entry = Entry(ref=identify(raw, "default"), content=content_of(raw), reason="no such thing")
    return plane.desk.ledger.with_entries([entry])


TOKENS = """
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: jwt, namespace: istio-system}
spec: {jwtRules: [{issuer: me, jwksUri: "URL/certs"}]}
"""


async def test_keys_of_tokens_are_there_before_anybody_is_served(folder: Path, start: Start) -> None:
    with Site() as site:
        site.publish(Issuer("the-first"))
        (folder / "all.yaml").write_text(text("one") + TOKENS.replace("URL", site.url))
        async with start() as running:
            await asyncio.wait_for(running.plane.started.wait(), 10)
            assert b"the-first" in running.policies("one")
            assert not running.status["problems"]


async def test_keys_are_asked_for_before_a_proxy_comes_that_needs_them(folder: Path, start: Start) -> None:
    """In a cluster the Pods of gateways come when the control plane serves."""
    with Site() as site:
        site.publish(Issuer("the-first"))
        nobody = text().replace("spec:\n", "spec:\n  profile: empty\n", 1)
        (folder / "all.yaml").write_text(nobody + TOKENS.replace("URL", site.url))
        async with start() as running:
            await asyncio.wait_for(running.plane.started.wait(), 10)
            assert not running.named
            await running.write(text("late") + TOKENS.replace("URL", site.url))
            assert b"the-first" in running.policies("late")
