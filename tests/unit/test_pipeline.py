"""What a change costs does not grow with what it does not concern, and what is remembered can be verified."""

import random
from typing import Any

import pytest

from mizzen.pipeline import VERIFY, Build, Memory, Settings, analysed, build, problems_at
from mizzen.resolve.context import FetchedKeys, FetchedModule
from mizzen.resources.raw_objects import RawObject
from mizzen.resources.world import World
from mizzen.steps import Steps
from tests import golden
from tests.unit.test_endpoint_changes import raw

NETWORKING = "networking.istio.io/v1"
HTTP3 = {"PILOT_ENABLE_QUIC_LISTENERS": "true"}


def gateway(name: str, host: str, port: int = 80) -> RawObject:
    server = {"port": {"number": port, "name": "http", "protocol": "HTTP"}, "hosts": [host]}
    spec = {"selector": {"istio": "ingressgateway"}, "servers": [server]}
    return raw(NETWORKING, "Gateway", name, spec=spec)


def secure_gateway(name: str, host: str) -> RawObject:
    tls = {"mode": "SIMPLE", "credentialName": name}
    server = {"port": {"number": 443, "name": name, "protocol": "HTTPS"}, "hosts": [host], "tls": tls}
    spec = {"selector": {"istio": "ingressgateway"}, "servers": [server]}
    return raw(NETWORKING, "Gateway", name, spec=spec)


def route(name: str, to: str, *gateways: str) -> RawObject:
    http = [{"route": [{"destination": {"host": to}}]}]
    spec = {"hosts": [f"{name}.test"], "gateways": list(gateways), "http": http}
    return raw(NETWORKING, "VirtualService", name, spec=spec)


def service(name: str, port: int = 80) -> RawObject:
    return raw("v1", "Service", name, spec={"ports": [{"name": "http", "port": port}]})


def rule(name: str, seconds: int) -> RawObject:
    pool = {"connectionPool": {"tcp": {"connectTimeout": f"{seconds}s"}}}
    return raw(NETWORKING, "DestinationRule", name, spec={"host": name, "trafficPolicy": pool})


def site(count: int) -> dict[str, RawObject]:
    """One Gateway, and for each of `count` hosts a VirtualService, a Service and a DestinationRule."""
    objects = {"gateway": gateway("web", "*")}
    for number in range(count):
        objects[f"route {number}"] = route(f"h{number}", f"s{number}", "web")
        objects[f"service {number}"] = service(f"s{number}")
        objects[f"rule {number}"] = rule(f"s{number}", 1)
    return objects


def steps_of(change: dict[str, RawObject], objects: dict[str, RawObject], settings: Settings) -> int:
    """How many steps run for a change."""
    memory = Memory()
    build(tuple(objects.values()), (), settings, memory)
    before = sum(one.steps.runs for one in memory._gateways.values())
    build(tuple((objects | change).values()), (), settings, memory)
    return sum(one.steps.runs for one in memory._gateways.values()) - before


CHANGES: dict[str, dict[str, RawObject]] = {
    "VirtualService": {"route 3": route("h3", "s4", "web")},
    "new VirtualService": {"route new": route("new", "s4", "web")},
    "DestinationRule": {"rule 3": rule("s3", 2)},
    "Service": {"service 3": service("s3", 81)},
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_runs_as_many_steps_among_many_hosts_as_among_few(name: str) -> None:
    few, many = (steps_of(CHANGES[name], site(count), Settings()) for count in (8, 80))
    assert many == few


def gateways(count: int) -> dict[str, RawObject]:
    """So many Gateways, each of one host with a VirtualService."""
    found = {f"gateway {number}": secure_gateway(f"g{number}", f"h{number}.test") for number in range(count)}
    return found | {f"route {number}": route(f"h{number}", "s", f"g{number}") for number in range(count)}


def test_a_route_of_one_of_many_gateways_runs_as_many_steps_as_among_few() -> None:
    change = {"route 3": route("h3", "other", "g3")}
    few, many = (steps_of(change, gateways(count), Settings(environment=HTTP3)) for count in (8, 80))
    assert many == few


@pytest.mark.parametrize("hosts", [[], ["h3.test"]])
def test_a_policy_of_one_of_many_gateways_runs_as_many_steps_as_among_few(hosts: list[str]) -> None:
    def policy(number: int, mode: str) -> RawObject:
        spec = {"targetRefs": [{"name": f"g{number}"}], "mode": mode}
        more = {"hosts": [host.replace("3", str(number)) for host in hosts]} if hosts else {}
        return raw("mizzen.dev/v1alpha1", "HTTP3Policy", f"p{number}", spec=spec | more)

    def policies(count: int) -> dict[str, RawObject]:
        return gateways(count) | {f"policy {number}": policy(number, "on") for number in range(count)}

    change = {"policy 3": policy(3, "off")}
    few, many = (steps_of(change, policies(count), Settings(environment=HTTP3)) for count in (8, 80))
    assert 0 < many == few


def sizes(memory: Memory) -> list[int]:
    """How much is remembered of each kind."""
    [gateway] = memory._gateways.values()
    steps = gateway.steps
    kept = (steps._results, steps._readers, steps._told, steps._gathered, memory.decoded, memory._objects)
    return [*map(len, kept), sum(map(len, steps._readers.values()))]


def test_fetched_keys_that_change_make_what_they_would_from_nothing_and_cost_little() -> None:
    token = {"jwtRules": [{"issuer": "me", "jwksUri": "http://me.test/keys"}]}
    house = {"namespace": "istio-system"}
    reads = raw("security.istio.io/v1", "RequestAuthentication", "t", metadata=house, spec=token)
    memory, given = Memory(), (*site(20).values(), reads)
    seen = set()
    for text, why in (
        ("", ""),
        ('{"keys":[{"kty":"oct","k":"eA"}]}', ""),
        ("", "refused"),
        ("", "timed out"),
    ):
        known = {"http://me.test/keys": FetchedKeys(text=text, why=why)} if text or why else {}
        settings = Settings(environment=HTTP3, key_sets=known)
        before = sum(one.steps.runs for one in memory._gateways.values())
        built = build(given, (), settings, memory)
        ran = sum(one.steps.runs for one in memory._gateways.values()) - before
        assert _shown(built) == _shown(build(given, (), settings))
        assert not before or ran < 20
        seen.add(_shown(built))
    assert len(seen) == 4


def test_fetched_modules_that_change_make_what_they_would_from_nothing_and_cost_little() -> None:
    house, spec = {"namespace": "istio-system"}, {"url": "http://me.test/a.wasm"}
    plugin = raw("extensions.istio.io/v1alpha1", "WasmPlugin", "p", metadata=house, spec=spec)
    memory, given = Memory(), (*site(20).values(), plugin)
    seen = set()
    for digest, why in (("", ""), ("", "refused"), ("a", ""), ("b", ""), ("b", "gone"), ("a", "")):
        module = FetchedModule(code=digest.encode(), digest=digest, why=why)
        settings = Settings(environment=HTTP3, modules={spec["url"]: module} if digest or why else {})
        before = sum(one.steps.runs for one in memory._gateways.values())
        built = build(given, (), settings, memory)
        ran = sum(one.steps.runs for one in memory._gateways.values()) - before
        assert _shown(built) == _shown(build(given, (), settings))
        assert not before or ran < 60
        seen.add(_shown(built))
    assert len(seen) == 5


def _shown(built: Build) -> str:
    return str(([one.model.access_policies for one in built.gateways], built.problems))


def test_what_is_gone_is_forgotten() -> None:
    draw, memory, objects = random.Random(1), Memory(), site(8)
    for _ in range(200):
        number, what = draw.randrange(12), draw.choice(("route", "service", "rule"))
        objects.pop(f"{what} {number}", None)
        if draw.random() < 0.7:
            to = f"s{draw.randrange(12)}"
            made = {
                "route": route(f"h{number}", to, "web"),
                "service": service(f"s{number}", draw.randrange(80, 83)),
            }
            objects[f"{what} {number}"] = made.get(what) or rule(f"s{number}", draw.randrange(1, 9))
        build(tuple(objects.values()), (), Settings(), memory)
    build(tuple(site(8).values()), (), Settings(), memory)
    fresh = Memory()
    build(tuple(site(8).values()), (), Settings(), fresh)
    assert sizes(memory) == sizes(fresh)


# --- verified ---------------------------------------------------------------------------------------


def codes(built: Build) -> list[str]:
    return [problem.code for problem in built.problems]


def test_a_build_that_differs_from_one_from_nothing_is_replaced_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings, memory = Settings(environment={VERIFY: "1"}), Memory()
    objects = site(3)
    assert "INT-006" not in codes(build(tuple(objects.values()), (), settings, memory))
    changed = tuple((objects | {"route 1": route("h1", "s2", "web")}).values())
    with monkeypatch.context() as patch:
        patch.setattr(World, "facts_since", lambda *_: ())  # it forgets that anything has changed
        wrong = build(changed, (), settings, memory)
    anew = build(changed, (), Settings())
    assert [one.model for one in wrong.gateways] == [one.model for one in anew.gateways]
    assert codes(wrong) == [*codes(anew), "INT-006"]
    assert codes(build(changed, (), settings, memory)) == codes(anew)


def test_nothing_is_verified_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[object] = []
    original = Steps.root

    def root(steps: Steps, *arguments: Any) -> Any:
        ran.append(steps)
        return original(steps, *arguments)

    monkeypatch.setattr(Steps, "root", root)
    build(tuple(site(1).values()), (), Settings(), Memory())
    assert len(ran) == 1


def test_what_only_time_shows_is_told_where_an_equal_object_stands_now() -> None:
    """A certificate is made once of equal Secrets; the file of the first may be gone."""
    case = next((golden.ROOT).glob("*/an-expired-certificate-is-served/input.yaml"))
    text, memory = golden.filled(case.read_bytes(), golden.material), Memory()

    golden.built({"a.yaml": text}, Settings(), memory)
    moved = problems_at(golden.built({"b.yaml": text}, Settings(), memory), golden.NOW)

    expired = [problem for problem in moved if problem.code == "SEC-004"]
    assert [str(problem).partition(":")[0] for problem in expired] == ["b.yaml"]


def test_what_is_closed_for_an_object_with_an_error_is_told_where_it_stands_now() -> None:
    case = golden.ROOT / "broken/fields-of-an-envoyfilter-that-may-have-guarded/input.yaml"
    memory, written = Memory(), case.read_bytes()
    golden.built({"a.yaml": written}, Settings(), memory)
    moved = golden.built({"a.yaml": b"# a line\n" + written}, Settings(), memory)

    assert "a.yaml:2" in [str(problem)[:8] for problem in moved.problems if problem.code == "EXT-003"]


def test_what_only_translating_shows_is_told_where_an_equal_object_stands_now() -> None:
    case = golden.ROOT / "envoyfilter/what-matches-nothing-or-does-nothing-is-told/input.yaml"
    memory, written = Memory(), case.read_bytes()
    golden.built({"a.yaml": written}, Settings(), memory)
    moved = golden.built({"a.yaml": b"# a line\n" + written}, Settings(), memory)
    anew = golden.built({"a.yaml": b"# a line\n" + written}, Settings())

    told = [str(problem) for problem in analysed(moved, golden.NOW)]
    assert any("EXT-009" in text for text in told)
    assert told == [str(problem) for problem in analysed(anew, golden.NOW)]
