"""A fault of ours, made to happen for one object at each stage: it closes there, and no other object notices.

The faults are made: those that were known are mended, and the next one is not known.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from mizzen import guard
from mizzen.envoy.filters import access_policies
from mizzen.envoy.virtual_host import MISDIRECTED
from mizzen.errors import Problem, ResourceRef
from mizzen.guard import Stage
from mizzen.pipeline import Build, Memory, Settings, analysed, build
from mizzen.resources.kinds import KINDS
from mizzen.resources.raw_objects import parse_documents
from tests.golden import NOW, filled, material, rendered

T = TypeVar("T")
Failing = Callable[..., list[str]]

OPERATOR = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec:
  values: {pilot: {env: {PILOT_ENABLE_QUIC_LISTENERS: "true"}}}
  components:
    ingressGateways:
    - {name: one, enabled: true, label: {app: one}, k8s: {service: {ports: &ports [
        {name: https, port: 443, targetPort: 8443}, {name: http3, port: 443, targetPort: 8443, protocol: UDP}]}}}
    - {name: two, enabled: true, label: {app: two}, k8s: {service: {ports: *ports}}}
"""
APP = """\
---
apiVersion: v1
kind: Secret
metadata: {name: NAME-cert, namespace: istio-system}
type: kubernetes.io/tls
data: {tls.crt: "${b64:NAME.test.crt}", tls.key: "${b64:NAME.test.key}"}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: NAME-gateway, namespace: istio-system}
spec:
  selector: {app: GATEWAY}
  servers:
  - port: {number: 443, name: https-NAME, protocol: HTTPS}
    hosts: [NAME.test]
    tls: {mode: SIMPLE, credentialName: NAME-cert}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: NAME-routes, namespace: istio-system}
spec:
  hosts: [NAME.test]
  gateways: [NAME-gateway]
  http:
  - match: [{uri: {prefix: /a}}, {uri: {prefix: /b}}]
    route: [{destination: {host: NAME.backend, subset: v1}}]
  - route: [{destination: {host: NAME.backend}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: NAME-entry, namespace: istio-system}
spec:
  hosts: [NAME.backend]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 10.0.0.1, labels: {version: v1}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: NAME-rule, namespace: istio-system}
spec:
  host: NAME.backend
  subsets: [{name: v1, labels: {version: v1}}]
  trafficPolicy: {connectionPool: {http: {http1MaxPendingRequests: 7}}}
"""
POLICIES = """\
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: GATEWAY-deny, namespace: istio-system}
spec:
  selector: {matchLabels: {app: GATEWAY}}
  action: DENY
  rules: [{to: [{operation: {paths: [/secret]}}]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: GATEWAY-allow, namespace: istio-system}
spec:
  selector: {matchLabels: {app: GATEWAY}}
  rules: [{to: [{operation: {methods: [GET]}}]}]
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: GATEWAY-tokens, namespace: istio-system}
spec:
  selector: {matchLabels: {app: GATEWAY}}
  jwtRules: [{issuer: GATEWAY, jwks: '{"keys": [{"kty": "oct", "k": "AAAA"}]}'}]
"""


def app(name: str, gateway: str) -> str:
    return APP.replace("NAME", name).replace("GATEWAY", gateway)


TEXT = (
    OPERATOR
    + app("bad", "one")
    + app("beside", "one")
    + app("other", "two")
    + "".join(POLICIES.replace("GATEWAY", gateway) for gateway in ("one", "two"))
)
OBJECTS, _ = parse_documents(filled(TEXT.encode(), material), "all.yaml")

MARKED = [raw.ref for raw in OBJECTS if raw.name.startswith(("bad-", "one-"))]
CLOSING = {"AuthorizationPolicy", "RequestAuthentication"}  # they are for all of a gateway
STAGES = [Stage.READ, Stage.RESOLVE, Stage.TRANSLATE]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    """Makes a stage fail for an object: at each of its guards, at the one of that number, or at those of a step.

    The list it gives names the steps that the object passed.
    """

    def fail(stage: Stage, marked: ResourceRef, number: int | None = None, step: str = "") -> list[str]:
        steps: list[str] = []

        def run(now: Stage, ref: ResourceRef, make: Callable[[], T]) -> T:
            if now is stage and ref == marked:
                steps.append(getattr(getattr(make, "func", make), "__name__", ""))
                if (number is None or len(steps) == number + 1) and (not step or steps[-1] == step):
                    raise RecursionError("made to fail")
            return make()

        monkeypatch.setattr(guard, "run", run)
        return steps

    return fail


def parts(of: Build) -> dict[tuple[str, ...], str]:
    """What every gateway is told, cut as small as it is somebody's: chains, hosts, clusters, endpoints, secrets."""
    found: dict[tuple[str, ...], str] = {}
    for gateway in of.gateways:
        key = gateway.proxy.key
        for section, resources in rendered(gateway).items():
            for resource in resources:
                name = resource.get("name") or resource["clusterName"]
                inner = [*resource.pop("filterChains", ()), *resource.pop("virtualHosts", ())]
                found[key, section, name] = json.dumps(resource, sort_keys=True)
                for part in inner:
                    found[key, section, name, part["name"]] = json.dumps(part, sort_keys=True)
    return found


def of_others(found: dict[tuple[str, ...], str], marked: ResourceRef) -> dict[tuple[str, ...], str]:
    """Those that an object has nothing to do with. Hosts of other servers (421) are as many as there are servers."""
    mine = "one." if marked.kind in CLOSING else "bad"
    return {
        key: text
        for key, text in found.items()
        if MISDIRECTED not in key and not any(mine in word for word in key)
    }


def of_other_objects(problems: tuple[Problem, ...], marked: ResourceRef) -> list[str]:
    return [str(one) for one in problems if one.resource != marked and "bad" not in one.resource.name]


def faults(of: Build) -> list[Problem]:
    return [one for one in analysed(of, NOW) if one.code.startswith("INT-")]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
@pytest.mark.parametrize("marked", MARKED, ids=str)
def test_a_fault_is_told_at_its_object_and_no_other_object_notices(
    stage: Stage, marked: ResourceRef, failing: Failing
) -> None:
    sound = build(OBJECTS, (), Settings())
    expected = of_others(parts(sound), marked), of_other_objects(analysed(sound, NOW), marked)
    assert expected[0]
    steps = failing(stage, marked, number=-1)  # none of them
    parts(build(OBJECTS, (), Settings()))

    for number in (None, *sorted({steps.index(step) for step in steps})):
        failing(stage, marked, number)
        made = parts(build(OBJECTS, (), Settings()))
        failing(stage, marked, number)
        problems = analysed(build(OBJECTS, (), Settings()), NOW)

        assert (of_others(made, marked), of_other_objects(problems, marked)) == expected
        found = [problem for problem in problems if problem.code.startswith("INT-")]
        assert {problem.resource for problem in found} == ({marked} if steps else set())
        for problem in found:
            assert problem.origin.line > 1
            assert "RecursionError" in problem.message


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
@pytest.mark.parametrize("marked", MARKED, ids=str)
def test_what_is_remembered_changes_nothing(stage: Stage, marked: ResourceRef, failing: Failing) -> None:
    failing(stage, marked)
    whole, memory = build(OBJECTS, (), Settings()), Memory()

    for _ in range(2):  # at first made, then remembered
        remembered = build(OBJECTS, (), Settings(), memory)
        assert parts(remembered) == parts(whole)
        assert analysed(remembered, NOW) == analysed(whole, NOW)
    for gateway in whole.gateways:
        first = gateway.config({})
        again = gateway.config({}, first)
        assert (again.bodies, again.problems) == (first.bodies, first.problems)


# --- what closes ------------------------------------------------------------------------------------


def marked(kind: str, name: str) -> ResourceRef:
    return ResourceRef(kind=kind, group=KINDS[kind].group, namespace="istio-system", name=name)


def routes(of: Build, host: str) -> Iterator[dict[str, Any]]:
    for key, text in parts(of).items():
        if len(key) == 4 and key[1] == "routes" and key[3].startswith(host):
            yield from json.loads(text).get("routes", ())


@pytest.mark.parametrize("stage", [Stage.RESOLVE, Stage.TRANSLATE], ids=lambda stage: stage.name)
def test_routes_fail_their_own_requests(stage: Stage, failing: Failing) -> None:
    step = "_route_if_any" if stage is Stage.RESOLVE else "route"
    steps = failing(stage, marked("VirtualService", "bad-routes"), step=step)

    made = list(routes(build(OBJECTS, (), Settings()), "bad.test"))

    assert step in steps

    assert [route["match"]["prefix"] for route in made] == ["/a", "/b", "/"]
    assert {route["directResponse"]["status"] for route in made} == {500}


@pytest.mark.parametrize("stage", [Stage.RESOLVE, Stage.TRANSLATE], ids=lambda stage: stage.name)
@pytest.mark.parametrize(("kind", "name"), [("DestinationRule", "bad-rule"), ("ServiceEntry", "bad-entry")])
def test_backends_have_no_endpoint(stage: Stage, kind: str, name: str, failing: Failing) -> None:
    failing(stage, marked(kind, name))

    found = parts(build(OBJECTS, (), Settings()))

    clusters = {key[2] for key in found if key[1] == "clusters" and "bad.backend" in key[2]}
    told = {key[2] for key, text in found.items() if key[1] == "endpoints" and "10.0.0.1" in text}
    assert not clusters & told


@pytest.mark.parametrize("stage", [Stage.RESOLVE, Stage.TRANSLATE], ids=lambda stage: stage.name)
def test_a_refusal_refuses_everything(stage: Stage, failing: Failing) -> None:
    failing(stage, marked("AuthorizationPolicy", "one-deny"))

    made = build(OBJECTS, (), Settings())
    assert rules(policies(made, "one"), "DENY") == "everything"
    assert rules(policies(made, "two"), "DENY") == "something"


@pytest.mark.parametrize("stage", [Stage.RESOLVE, Stage.TRANSLATE], ids=lambda stage: stage.name)
def test_a_permission_permits_nothing(stage: Stage, failing: Failing) -> None:
    failing(stage, marked("AuthorizationPolicy", "one-allow"))

    text = policies(build(OBJECTS, (), Settings()), "one")
    assert '"GET"' not in text
    assert rules(text, "DENY") == "everything" or '"rules": {}' in text


@pytest.mark.parametrize("stage", [Stage.RESOLVE, Stage.TRANSLATE], ids=lambda stage: stage.name)
def test_tokens_of_an_issuer_are_refused(stage: Stage, failing: Failing) -> None:
    failing(stage, marked("RequestAuthentication", "one-tokens"))

    text = policies(build(OBJECTS, (), Settings()), "one")
    assert "nobody" in text or rules(text, "DENY") == "everything"


def policies(of: Build, gateway: str) -> str:
    """What judges the requests of a gateway, as JSON."""
    return parts(of)[f"{gateway}.istio-system", "extensionConfigs", access_policies.NAME]


def rules(text: str, action: str) -> str:
    chain = json.loads(text)["typedConfig"].get("defaultFilterChain", {"filters": []})
    for one in chain["filters"]:
        found = one["typedConfig"].get("rules", {})
        if one["name"].endswith("rbac") and found.get("action") == action:
            everything = {"permissions": [{"any": True}], "principals": [{"any": True}]}
            return "everything" if everything in found["policies"].values() else "something"
    return "nothing"


def test_a_chain_that_cannot_be_told_takes_its_connections_and_refuses_them(
    failing: Failing,
) -> None:
    failing(Stage.TRANSLATE, marked("Gateway", "bad-gateway"))

    chains = {
        key[2]: json.loads(text)
        for key, text in parts(build(OBJECTS, (), Settings())).items()
        if len(key) == 4 and "https-bad" in key[3]
    }

    assert set(chains) == {"0.0.0.0_8443", "udp_0.0.0.0_8443"}
    for chain in chains.values():
        assert chain["filterChainMatch"]["serverNames"] == ["bad.test"]
    judge, nowhere = chains["0.0.0.0_8443"]["filters"]
    assert judge["typedConfig"]["rules"]["policies"]["fault"]["permissions"] == [{"any": True}]
    assert nowhere["typedConfig"]["cluster"] == "BlackHoleCluster"
    assert "invalid://unknown-server-name" in json.dumps(chains["udp_0.0.0.0_8443"])


def test_a_gateway_that_cannot_be_worked_out_costs_no_other(
    failing: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = build(OBJECTS, (), Settings())

    def closed(ctx: Any, *_: Any) -> Any:
        if ctx.proxy.name == "one":
            raise MemoryError
        return original(ctx, *_)

    from mizzen.resolve import gateway_model

    original = gateway_model.closed
    monkeypatch.setattr(gateway_model, "closed", closed)
    made = build(OBJECTS, (), Settings())

    assert [gateway.proxy.name for gateway in made.gateways] == ["two"]
    assert made.is_partial
    assert [problem.code for problem in faults(made)] == ["INT-004"]
    assert {key: text for key, text in parts(sound).items() if key[0].startswith("two.")} == parts(made)


# --- what Envoy would refuse ------------------------------------------------------------------------


@pytest.fixture
def unjudged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects whose name begins with "bad-" are not validated."""
    from mizzen.resources import decode

    judge = decode.validate
    monkeypatch.setattr(
        decode, "validate", lambda one, found: None if one.name.startswith("bad-") else judge(one, found)
    )


def test_a_route_that_envoy_would_refuse_fails_alone(unjudged: None) -> None:
    sound = parts(build(OBJECTS, (), Settings()))
    action = "  - route: [{destination: {host: bad.backend}}]\n"
    text = TEXT.replace(action, '  - redirect: {uri: "/a\\nb"}\n')
    assert text != TEXT
    objects, _ = parse_documents(filled(text.encode(), material), "all.yaml")

    made = build(objects, (), Settings())

    owner = marked("VirtualService", "bad-routes")
    assert of_others(parts(made), owner) == of_others(sound, owner)
    statuses = [route.get("directResponse", {}).get("status") for route in routes(made, "bad.test")]
    assert statuses == [None, None, 500]
    [problem] = faults(made)
    assert (problem.code, problem.resource, problem.field) == ("INT-003", owner, "spec.http[1]")
    assert text.splitlines()[problem.origin.line - 1].startswith("  - redirect:")
    assert "redirect.path_redirect: it has a character that no header can have" in problem.message
