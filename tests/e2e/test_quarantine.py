"""What Envoy refuses, or dies of, costs the object that asks for it, and nobody else.

Nothing in our validation knows the fragments: `tampered/sitecustomize.py` puts them in behind it.
"""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_network import EDGE, Site
from tests.e2e.test_under_load import assert_nothing_failed, envoy_pid, load, write
from tests.harness import gateway
from tests.harness.clients import curl
from tests.harness.gateway import HOST, Authority, Up, eventually, replace_file

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
RAW = {"PYTHONPATH": f"{Path(__file__).parent / 'tampered'}:{ROOT}"}
URL = f"https://{HOST}:8443"
SERVED_AGAIN_SECONDS = 5.0  # after the first crash

SHARED = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: shared, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
"""
POLICY = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: NAME, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  action: DENY
  rules:
  - to: [{operation: {hosts: [HOST], paths: [PATH]}}]
"""
RULE = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: NAME, namespace: istio-system}
spec: {host: backend.test, trafficPolicy: {connectionPool: {http: {maxRetries: 7}}}}
"""


def policy(name: str, path: str, host: str = "bad.test") -> str:
    return POLICY.replace("NAME", name).replace("PATH", path).replace("HOST", host)


def together(*objects: str) -> str:
    return "---\n".join(objects)


def asked(host: str, path: str = "/", protocol: str = "h1") -> Any:
    return curl(protocol, f"http://{host}:8080{path}")


def aside(up: Up) -> list[dict[str, str]]:
    return [one for one in up.status()["problems"] if one["code"] == "XDS-002"]


def told(up: Up, resource: str) -> dict[str, str]:
    """The problem of the one object that is set aside."""
    [problem] = eventually(lambda: aside(up))
    assert problem["resource"] == resource
    return dict(problem)


def is_quiet(up: Up) -> bool:
    return not [one for one in up.status()["problems"] if one["code"].startswith("XDS-")]


@pytest.fixture
def site(folder: Path, authority: Authority, httpbin: int) -> Iterator[tuple[Path, Up]]:
    write(folder, authority, httpbin)
    (folder / "shared.yaml").write_text(SHARED)
    (folder / "beside.yaml").write_text(gateway.route("beside.test", name="beside", gateway_name="shared"))
    with gateway.up(folder, environment=RAW) as up:
        yield folder, up


def test_a_refused_route_costs_its_virtual_service_alone(site: tuple[Path, Up], authority: Authority) -> None:
    folder, up = site
    bad = folder / "bad.yaml"
    with load(authority, f"{URL}/get") as loads:
        bad.write_text(
            together(
                gateway.route("bad.test", name="raw-refused-a", gateway_name="shared"),
                gateway.route("new.test", name="new", gateway_name="shared"),
            )
        )
        problem = told(up, "VirtualService/istio-system/raw-refused-a")
        assert problem["origin"] == f"{bad}:12:5"
        assert problem["field"] == "spec.http[0]"
        assert "Didn't find a registered implementation for 'nobody'" in problem["message"]
        # All else of the same table: what was there, and what came with it.
        eventually(lambda: asked("new.test").status == 200)
        assert asked("beside.test").status == 200
        assert asked("bad.test").status == 404
        eventually(lambda: [one["code"] for one in up.status()["problems"]] == ["XDS-002"])

        # Others go on to be changed, and it stays away.
        replace_file(
            folder / "beside.yaml",
            gateway.route("beside.test", name="beside", header="2", gateway_name="shared"),
        )
        eventually(lambda: asked("beside.test").header("x-version") == "2")
        assert aside(up)

        # Mended, it comes back by itself.
        replace_file(bad, gateway.route("bad.test", name="mended", gateway_name="shared"))
        eventually(lambda: asked("bad.test").status == 200)
        eventually(lambda: is_quiet(up))
    assert_nothing_failed(loads)


def test_a_bad_edit_leaves_what_was_enforced_before(site: tuple[Path, Up]) -> None:
    folder, up = site
    bad = folder / "bad.yaml"
    bad.write_text(policy("guard", "/closed"))
    eventually(lambda: asked("bad.test", "/closed").status == 403)
    replace_file(bad, policy("guard", "/raw-refused"))
    problem = told(up, "AuthorizationPolicy/istio-system/guard")
    assert problem["origin"].startswith(f"{bad}:8:")
    assert problem["field"] == "spec.rules[0].to[0].operation.paths"
    # What it said before is enforced still, and refuses no more than that.
    assert asked("bad.test", "/closed").status == 403
    assert asked("bad.test", "/open").status == 404
    assert asked("beside.test").status == 200


def test_a_refused_policy_does_not_keep_another_from_being_enforced(
    site: tuple[Path, Up], authority: Authority
) -> None:
    folder, up = site
    with load(authority, f"{URL}/get") as loads:
        (folder / "bad.yaml").write_text(
            together(policy("refused", "/raw-refused"), policy("valid", "/admin", "beside.test"))
        )
        told(up, "AuthorizationPolicy/istio-system/refused")
        eventually(lambda: asked("beside.test", "/admin").status == 403)
        assert asked("beside.test").status == 200
        # A new guard that cannot be honoured closes what it may be for, and no more.
        assert asked("bad.test").status == 403
    assert_nothing_failed(loads)


def test_a_refused_listener_part_costs_its_gateway_alone(site: tuple[Path, Up], authority: Authority) -> None:
    folder, up = site
    with load(authority, f"{URL}/get") as loads:
        (folder / "more.yaml").write_text(gateway.secret("more-tls", authority.server("more.test")))
        (folder / "bad.yaml").write_text(
            together(
                gateway.gateway("bad.test", name="raw-refused-g", credential="more-tls"),
                gateway.gateway("more.test", name="more", credential="more-tls"),
                gateway.route("more.test", name="more", gateway_name="more"),
            )
        )
        problem = told(up, "Gateway/istio-system/raw-refused-g")
        assert problem["field"] == "spec.servers[0]"
        eventually(lambda: curl("h2", "https://more.test:8443/", ca_pem=authority.pem).status == 200)
        eventually(lambda: curl("h3", "https://more.test:8443/", ca_pem=authority.pem).status == 200)
    assert_nothing_failed(loads)


def test_several_that_are_refused_at_once_are_all_found(site: tuple[Path, Up], authority: Authority) -> None:
    folder, up = site
    with load(authority, f"{URL}/get") as loads:
        (folder / "bad.yaml").write_text(
            together(
                gateway.route("a.test", name="raw-refused-a", gateway_name="shared"),
                gateway.route("b.test", name="b", gateway_name="shared"),
                gateway.route("c.test", name="raw-refused-c", gateway_name="shared"),
                gateway.route("d.test", name="d", gateway_name="shared"),
                policy("refused", "/raw-refused"),
            )
        )
        expected = [
            "AuthorizationPolicy/istio-system/refused",
            "VirtualService/istio-system/raw-refused-a",
            "VirtualService/istio-system/raw-refused-c",
        ]
        eventually(lambda: sorted(one["resource"] for one in aside(up)) == expected)
        eventually(lambda: asked("b.test").status == asked("d.test").status == 200)
        assert (asked("a.test").status, asked("c.test").status) == (404, 404)
    assert_nothing_failed(loads)


@pytest.mark.parametrize("word", ["refused", "deadly"])
def test_among_many_hosts_that_are_told_one_by_one(
    folder: Path, authority: Authority, httpbin: int, word: str
) -> None:
    write(folder, authority, httpbin)
    (folder / "shared.yaml").write_text(SHARED)
    many = [gateway.route(f"h{one}.test", name=f"h{one}", gateway_name="shared") for one in range(150)]
    (folder / "many.yaml").write_text(together(*many))
    with gateway.up(folder, environment=RAW) as up:
        time.sleep(SERVED_AGAIN_SECONDS)
        bad = folder / "bad.yaml"
        bad.write_text(
            together(
                gateway.route("bad.test", name=f"raw-{word}-a", gateway_name="shared"),
                gateway.route("new.test", name="new", gateway_name="shared"),
            )
        )
        problem = told(up, f"VirtualService/istio-system/raw-{word}-a")
        assert (problem["origin"], problem["field"]) == (f"{bad}:12:5", "spec.http[0]")
        eventually(lambda: is_served("new.test"))
        assert is_served("h149.test")
        assert asked("bad.test").status == 404


def test_a_refused_cluster_is_told_at_its_rule(site: tuple[Path, Up]) -> None:
    folder, up = site
    (folder / "bad.yaml").write_text(RULE.replace("NAME", "raw-refused-rule"))
    problem = told(up, "DestinationRule/istio-system/raw-refused-rule")
    assert problem["origin"].startswith(f"{folder / 'bad.yaml'}:1:")
    eventually(lambda: not [one for one in up.status()["problems"] if one["code"] == "XDS-001"])


def another_envoy(up: Up, than: int) -> int:
    """The process id of the next Envoy; 0 while there is none."""
    try:
        now = envoy_pid(up)
    except AssertionError:
        return 0
    return now if now != than else 0


def is_served(host: str = "beside.test") -> bool:
    return bool(asked(host).status == 200)


def test_an_envoy_that_dies_of_a_configuration_serves_all_others_again(
    site: tuple[Path, Up], authority: Authority
) -> None:
    folder, up = site
    time.sleep(SERVED_AGAIN_SECONDS)  # it has lived with what it has
    before, bad = envoy_pid(up), folder / "bad.yaml"
    bad.write_text(
        together(
            gateway.route("dead.test", name="raw-deadly-a", gateway_name="shared"),
            gateway.route("new.test", name="new", gateway_name="shared"),
        )
    )
    eventually(lambda: another_envoy(up, before))
    crashed = time.monotonic()
    eventually(is_served)
    assert time.monotonic() - crashed < SERVED_AGAIN_SECONDS
    problem = told(up, "VirtualService/istio-system/raw-deadly-a")
    assert problem["origin"] == f"{bad}:12:5"
    assert "SIGABRT" in problem["message"]
    eventually(lambda: is_served("new.test"))
    assert time.monotonic() - crashed < SERVED_AGAIN_SECONDS
    assert asked("dead.test").status == 404
    assert curl("h2", f"{URL}/get", ca_pem=authority.pem).status == 200

    alive = envoy_pid(up)
    # The next control plane knows it, too.
    os.kill(up.status()["pid"], signal.SIGKILL)
    eventually(lambda: aside_of_the_next(up))
    replace_file(
        folder / "beside.yaml", gateway.route("beside.test", name="beside", header="2", gateway_name="shared")
    )
    eventually(lambda: asked("beside.test").header("x-version") == "2")
    assert envoy_pid(up) == alive

    replace_file(bad, gateway.route("dead.test", name="mended", gateway_name="shared"))
    eventually(lambda: is_served("dead.test"))
    eventually(lambda: is_quiet(up))
    assert envoy_pid(up) == alive


def aside_of_the_next(up: Up) -> list[dict[str, str]]:
    try:
        return aside(up)
    except OSError:
        return []


def test_a_deadly_policy_is_found_at_the_first_start(
    folder: Path, authority: Authority, httpbin: int
) -> None:
    """Nothing is known that this Envoy could live with: the culprit is searched among all objects."""
    write(folder, authority, httpbin)
    (folder / "shared.yaml").write_text(SHARED)
    for number in range(20):
        route = gateway.route(f"h{number}.test", name=f"h{number}", gateway_name="shared")
        (folder / f"route-{number}.yaml").write_text(route)
    (folder / "bad.yaml").write_text(
        together(policy("deadly", "/raw-deadly"), policy("valid", "/admin", "h1.test"))
    )
    with gateway.up(folder, environment=RAW) as up:
        problem = told(up, "AuthorizationPolicy/istio-system/deadly")
        assert problem["origin"].startswith(f"{folder / 'bad.yaml'}:8:")
        eventually(lambda: is_served("h19.test"))
        assert asked("h1.test").status == 200
        assert asked("h1.test", "/admin").status == 403
        assert asked("bad.test").status == 403


def test_a_proxy_of_another_machine_tells_that_it_died(
    folder: Path, authority: Authority, httpbin: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", RAW["PYTHONPATH"])
    write(folder, authority, httpbin)
    (folder / "shared.yaml").write_text(SHARED)
    (folder / "beside.yaml").write_text(gateway.route("beside.test", name="beside", gateway_name="shared"))
    with tempfile.TemporaryDirectory(prefix="mz-") as root:
        network = Site(folder, Path(root))
        try:
            network.pilot()
            network.proxy("router", EDGE, network.token(*EDGE[1:]))
            network.wait_ready(EDGE[0])
            assert is_served()
            time.sleep(SERVED_AGAIN_SECONDS)  # it has lived with what it has
            (folder / "bad.yaml").write_text(policy("deadly", "/raw-deadly"))
            eventually(lambda: "was killed by SIGABRT" in network.log(EDGE[0]))
            crashed = time.monotonic()
            eventually(is_served)
            assert time.monotonic() - crashed < SERVED_AGAIN_SECONDS
            eventually(lambda: "XDS-002" in network.log("pilot"))
            assert f"{folder / 'bad.yaml'}:8:" in network.log("pilot")
            eventually(lambda: asked("bad.test").status == 403)
            assert is_served()
            assert network.log(EDGE[0]).count("was killed by SIGABRT") == 1
        finally:
            network.stop()


TWO = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec:
  components:
    ingressGateways:
    - {name: one, enabled: true, label: {app: one}, k8s: {service: {ports: [{name: a, port: 81, targetPort: 8081}]}}}
    - {name: two, enabled: true, label: {app: two}, k8s: {service: {ports: [{name: b, port: 82, targetPort: 8082}]}}}
"""
OPEN = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: NAME, namespace: istio-system}
spec:
  selector: {app: NAME}
  servers: [{port: {number: PORT, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: NAME, namespace: istio-system}
spec: {hosts: ["*"], gateways: [NAME], http: [{directResponse: {status: 200}}]}
"""


def test_what_kills_all_gateways_is_set_aside_once_for_all(folder: Path) -> None:
    (folder / "mesh.yaml").write_text(TWO)
    (folder / "open.yaml").write_text(
        together(
            *(
                OPEN.replace("NAME", name).replace("PORT", port)
                for name, port in (("one", "81"), ("two", "82"))
            )
        )
    )
    with gateway.up(folder, environment=RAW) as up:

        def both() -> bool:
            return all(curl("h1", f"http://any.test:{port}/").status == 200 for port in (8081, 8082))

        eventually(both)
        time.sleep(SERVED_AGAIN_SECONDS)
        selected = policy("deadly", "/raw-deadly").replace(
            "  selector: {matchLabels: {istio: ingressgateway}}\n", ""
        )
        (folder / "bad.yaml").write_text(selected)
        told(up, "AuthorizationPolicy/istio-system/deadly")
        eventually(lambda: up.read().count("was killed by SIGABRT") == 2)
        eventually(both)
        eventually(lambda: curl("h1", "http://bad.test:8082/").status == 403)
        time.sleep(1)
        assert both()
        assert up.read().count("was killed by SIGABRT") == 2


def test_who_kills_envoy_from_outside_blames_nobody(site: tuple[Path, Up]) -> None:
    folder, up = site
    pid = envoy_pid(up)
    replace_file(
        folder / "beside.yaml", gateway.route("beside.test", name="beside", header="2", gateway_name="shared")
    )
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: another_envoy(up, pid))
    eventually(lambda: asked("beside.test").header("x-version") == "2")
    assert not aside(up)


SCRIPT = """\
apiVersion: extensions.istio.io/v1alpha1
kind: TrafficExtension
metadata: {name: script, namespace: istio-system}
spec: {lua: {inlineCode: 'a b'}}
"""
NEWCOMER = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: newcomer, namespace: other}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 8888, name: http, protocol: HTTP}, hosts: ["*"]}]
"""


def test_a_gateway_that_comes_with_a_script_that_is_none_is_not_to_blame(folder: Path) -> None:
    """Envoy refuses new listeners for the filter that it was told last, refused or not."""
    (folder / "shared.yaml").write_text(SHARED)
    with gateway.up(folder) as up:
        replace_file(folder / "both.yaml", together(SCRIPT, NEWCOMER))

        eventually(
            lambda: curl("h1", "http://newcomer.test:8888/").status == 503
        )  # what the script may guard
        assert [one["resource"].split("/")[0] for one in aside(up)] == ["TrafficExtension"]

        replace_file(folder / "both.yaml", NEWCOMER)
        eventually(lambda: curl("h1", "http://newcomer.test:8888/").status == 404)
