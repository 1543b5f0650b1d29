"""The walk-through, word for word, on a cluster with a node: from `mizzen install` to nothing being left.

The tests are one story and stand in its order; each goes on where the one before it ended.
"""

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import mizzen.demo.walkthrough
from mizzen.probe.load import Load
from tests.harness.clients import Answer, asked, curl
from tests.harness.gateway import Authority

pytestmark = [pytest.mark.node, pytest.mark.timeout(300)]

INPUTS = Path(mizzen.demo.walkthrough.__file__).parent
HOST = "httpbin.quic-corp.com"
SYSTEM, GATEWAY = "istio-system", "deploy/istio-ingressgateway"
URL = f"https://{HOST}/headers"
PROTOCOLS = ("h1", "h2", "h3")
RATE = 40.0  # requests per second and protocol
ALT_SVC = 'h3=":443"; ma=86400'


def run(*command: str, said: str = "", status: int | None = 0) -> str:
    """What a command prints on stdout. `status`: with which it must end."""
    done = subprocess.run(command, input=said, capture_output=True, text=True, timeout=240, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    assert status is None or done.returncode == status, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def mizzen_(*arguments: str, status: int = 0) -> str:
    return run(sys.executable, "-m", "mizzen", *arguments, status=status)


def kubectl(*arguments: str, said: str = "", status: int | None = 0) -> str:
    return run("kubectl", *arguments, said=said, status=status)


def wait_for(holds: Callable[[], object], seconds: float = 60.0) -> Any:
    """What `holds` gives once that is true."""
    end = time.monotonic() + seconds
    while True:
        found = holds()
        if found or time.monotonic() > end:
            assert found
            return found
        time.sleep(0.3)


def rollout(what: str, namespace: str = SYSTEM) -> None:
    kubectl("-n", namespace, "rollout", "status", what, "--timeout=120s")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """A cluster without mizzen, before and after."""
    yield
    if os.environ.get("MIZZEN_KEEP"):
        return
    run(sys.executable, "-m", "mizzen", "uninstall", "--purge", "-y", status=None)
    kubectl("delete", "namespace", "httpbin", SYSTEM, "--ignore-not-found", "--timeout=120s", status=None)


@pytest.fixture
def address() -> str:
    """The external address of the gateway's Service."""

    def found() -> str:
        service = json.loads(kubectl("-n", SYSTEM, "get", "service", "istio-ingressgateway", "-o", "json"))
        ingress = service["status"].get("loadBalancer", {}).get("ingress") or [{}]
        return str(ingress[0].get("ip", ""))

    return str(wait_for(found))


@pytest.fixture
def ask(address: str, authority: Authority) -> Callable[[str], Answer]:
    return lambda protocol: curl(protocol, URL, address=address, ca_pem=authority.pem, timeout=10.0)


@contextlib.contextmanager
def load(address: str, authority: Authority) -> Iterator[list[Load]]:
    """Requests over all three protocols while the block runs."""
    with contextlib.ExitStack() as stack:
        loads = [
            stack.enter_context(
                Load(
                    asked(protocol, URL, address=address, ca_pem=authority.pem, timeout=10.0),
                    in_flight=4,
                    rate=RATE,
                )
            )
            for protocol in PROTOCOLS
        ]
        for one in loads:
            one.wait_for_more(20)
        yield loads
        for one in loads:
            one.wait_for_more(20)


def assert_nothing_failed(loads: list[Load]) -> None:
    for one in loads:
        assert one.tally.failed == 0, f"{one.tally} {one.tally.first_failures[:5]}"
        assert one.tally.ok > 40


def gateways() -> list[str]:
    text = kubectl("-n", SYSTEM, "get", "pods", "-l", "app=istio-ingressgateway", "-o", "name")
    return text.split()


# --- the document's steps ---------------------------------------------------------------------------


def install() -> str:
    return mizzen_(
        *("install", "-f", str(INPUTS / "istio.yaml"), "-y"),
        *("--set", f"hub={os.environ['MIZZEN_HUB']}", "--set", f"tag={os.environ['MIZZEN_TAG']}"),
        *("--set", "components.ingressGateways[0].k8s.replicaCount=2"),
        # Envoy 1.33 and later takes no address for internal by itself.
        *("--set", "values.pilot.env.ENABLE_HCM_INTERNAL_NETWORKS=true"),
        *("--readiness-timeout", "120s"),
    )


def test_it_installs_and_a_second_time_nothing_changes() -> None:
    said = install()

    assert "✔ Control plane installed" in said
    assert "✔ Ingress gateways installed" in said
    assert "15021/TCP, 443/TCP, 443/UDP" in said
    ports = kubectl("-n", SYSTEM, "get", "service", "istiod", "-o", "jsonpath={.spec.ports[*].port}")
    assert {"15010", "15012", "443", "15014"} <= set(ports.split())
    assert "nothing changed" in install().lower()


def test_the_ordinary_backend_gets_a_sidecar() -> None:
    kubectl("apply", "-f", str(INPUTS / "httpbin.yaml"))
    rollout("deploy/httpbin", "httpbin")

    pod = json.loads(kubectl("-n", "httpbin", "get", "pods", "-l", "app=httpbin", "-o", "json"))["items"][0]
    everything = [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]
    assert {"istio-init", "istio-proxy", "httpbin"} == {one["name"] for one in everything}
    assert pod["metadata"]["labels"]["security.istio.io/tlsMode"] == "istio"


def test_four_rows_of_listeners(authority: Authority, tmp_path: Path) -> None:
    store(authority, tmp_path)
    kubectl("apply", "-f", str(INPUTS / "gateway.yaml"), "-f", str(INPUTS / "route.yaml"))

    def listeners() -> list[list[str]]:
        said = mizzen_("proxy-config", "listeners", GATEWAY, "-n", SYSTEM)
        rows = [line.split(maxsplit=4) for line in said.splitlines()[1:]]
        return rows if len(rows) == 4 else []

    rows = wait_for(listeners)
    destination = "Route: https.443.https.httpbin-gateway.istio-system"
    assert [[row[1], row[2]] for row in rows] == [
        ["8443", "TCP"],
        ["8443", "QUIC"],
        ["15021", "TCP"],
        ["15090", "TCP"],
    ]
    assert all(row[3] == "SNI:" and row[4] == f"{HOST} {destination}" for row in rows[:2])
    found = json.loads(
        mizzen_(
            *("proxy-config", "listeners", GATEWAY, "-n", SYSTEM),
            *("--address", "0.0.0.0", "--port", "8443", "-o", "json"),
        )
    )
    assert [one["name"] for one in found] == ["0.0.0.0_8443", "udp_0.0.0.0_8443"]
    socket = json.dumps(found[1])
    assert "envoy.transport_sockets.quic" in socket
    assert "kubernetes://httpbin-cred" in socket


def store(authority: Authority, folder: Path) -> bytes:
    """Make a certificate, and a Secret of it with kubectl; the certificate (PEM)."""
    pair = authority.server(HOST)
    (folder / "tls.crt").write_bytes(pair.certificate)
    (folder / "tls.key").write_bytes(pair.key)
    made = kubectl(
        *("-n", SYSTEM, "create", "secret", "tls", "httpbin-cred", "--dry-run=client", "-o", "yaml"),
        *(f"--cert={folder / 'tls.crt'}", f"--key={folder / 'tls.key'}"),
    )
    kubectl("apply", "-f", "-", said=made)
    return pair.certificate


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_answer_and_its_echo(protocol: str, ask: Callable[[str], Answer]) -> None:
    wait_for(lambda: ask("h2").header("alt-svc") == ALT_SVC)
    answer = ask(protocol)

    assert answer.status == 200
    assert answer.header("alt-svc") == ALT_SVC
    assert answer.header("server") == "istio-envoy"
    headers = json.loads(answer.body)["headers"]
    assert headers["X-Envoy-Attempt-Count"] == "1"
    assert headers["X-Envoy-Internal"] == "true"
    assert headers["X-B3-Sampled"] in ("0", "1")
    assert headers["X-B3-Traceid"].endswith(headers["X-B3-Parentspanid"])
    assert re.fullmatch(
        r"By=spiffe://cluster.local/ns/httpbin/sa/httpbin;Hash=[0-9a-f]{64};Subject=\"\";"
        r"URI=spiffe://cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account",
        headers["X-Forwarded-Client-Cert"],
    )


def test_it_can_be_seen_that_http3_is_used() -> None:
    said = json.loads(mizzen_("http3", "status", "-o", "json", "-n", SYSTEM))

    assert len(said) == 2  # replicas
    assert {one["announced"] for one in said} == {ALT_SVC}
    assert sum(one["requests"]["http3"] for one in said) > 0
    status = mizzen_("proxy-status", "-n", SYSTEM)
    assert status.count("SYNCED") > 10
    assert "STALE" not in status
    assert "No problems" in mizzen_("analyze", "-A")


def test_a_doctor_looks_at_both_sides(address: str, authority: Authority, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text(authority.pem)
    where = ("--resolve", f"{HOST}:443:{address}", "--cacert", str(ca), "-n", SYSTEM)
    # Whether a client that changes its port comes to the same Pod is chance.
    said = json.loads(run(sys.executable, "-m", "mizzen", "doctor", URL, *where, "-o", "json", status=None))

    assert said["broken"] in (None, "migration")
    checks = {(one["check"], one["ok"]) for one in said["gateway"]}
    fine = (
        "envoy",
        "rejected",
        "server",
        "service",
        "load-balancer",
        "announcement",
        "listener",
        "datagrams",
    )
    assert checks >= {(name, True) for name in fine}
    assert {name for name, _ in checks} >= {"receive-buffer", "client-addresses"}


def test_conditions_tell_what_became_of_the_objects() -> None:
    def conditions() -> dict[str, Any]:
        found = json.loads(
            kubectl("-n", SYSTEM, "get", "gateways.networking.istio.io", "httpbin-gateway", "-o", "json")
        )
        return {one["type"]: one for one in found.get("status", {}).get("conditions", ())}

    found = wait_for(lambda: conditions() if conditions().get("HTTP3", {}).get("status") == "True" else {})
    assert found["Programmed"]["status"] == "True"
    assert "2 of 2" in found["Programmed"]["message"]


TOKENS = """
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: tokens, namespace: istio-system}
spec:
  workloadSelector: {labels: {istio: ingressgateway}}
  configPatches:
  - applyTo: HTTP_FILTER
    match:
      context: GATEWAY
      listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager}}}
    patch:
      operation: INSERT_FIRST
      value:
        name: envoy.filters.http.jwt_authn
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication
          rule: [{match: {prefix: /}, requires: {provider_name: login}}]
"""


def test_a_guard_that_is_not_honoured_closes_and_drops_no_connection(
    address: str, authority: Authority, ask: Callable[[str], Answer]
) -> None:
    with load(address, authority) as loads:
        kubectl("apply", "-f", "-", said=TOKENS)
        wait_for(lambda: all(ask(protocol).status == 403 for protocol in PROTOCOLS))
        assert "EnvoyFilter/istio-system/tokens" in mizzen_("analyze", "-A", status=1)
        kubectl("-n", SYSTEM, "delete", "envoyfilters.networking.istio.io", "tokens")
        wait_for(lambda: all(ask(protocol).status == 200 for protocol in PROTOCOLS))
    for one in loads:
        assert one.tally.reasons, str(one.tally)
        assert all(why.startswith("status 403") for why in one.tally.reasons), str(one.tally)
    assert "No problems" in mizzen_("analyze", "-A")


# --- what changes while traffic flows ---------------------------------------------------------------


def served(address: str) -> bytes:
    """The certificate that the gateway shows over TCP."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((address, 443), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as tls,
    ):
        shown = tls.getpeercert(binary_form=True)
    assert shown
    return ssl.DER_cert_to_PEM_cert(shown).encode()


def test_a_new_certificate_drops_nothing(address: str, authority: Authority, tmp_path: Path) -> None:
    with load(address, authority) as loads:
        wanted = store(authority, tmp_path)
        wait_for(lambda: served(address).strip() == wanted.strip())
    assert_nothing_failed(loads)


def test_a_rollout_of_the_gateway_drops_nothing(address: str, authority: Authority) -> None:
    before = gateways()
    with load(address, authority) as loads:
        kubectl("-n", SYSTEM, "rollout", "restart", GATEWAY)
        rollout(GATEWAY)
        wait_for(lambda: not set(before) & set(gateways()), 90)
    assert_nothing_failed(loads)
    assert len(gateways()) == 2


def test_a_rollout_of_the_control_plane_drops_nothing_and_changes_nothing(
    address: str, authority: Authority, ask: Callable[[str], Answer]
) -> None:
    told = set()
    with load(address, authority) as loads:
        kubectl("-n", SYSTEM, "rollout", "restart", "deploy/istiod")
        waiting = subprocess.Popen(["kubectl", "-n", SYSTEM, "rollout", "status", "deploy/istiod"])
        end = None
        while end is None or time.monotonic() < end:
            told.add(ask("h2").header("alt-svc"))
            if end is None and waiting.poll() is not None:
                end = time.monotonic() + 5
            time.sleep(0.02)
    assert waiting.returncode == 0
    assert told == {ALT_SVC}
    assert_nothing_failed(loads)


def test_a_gateway_that_is_killed_costs_what_was_in_flight_on_it(address: str, authority: Authority) -> None:
    with load(address, authority) as loads:
        kubectl("-n", SYSTEM, "delete", gateways()[0], "--grace-period=0", "--force")
        time.sleep(3)
        rollout(GATEWAY)
    for one in loads:
        assert one.tally.failed <= 12, (
            f"{one.tally} {one.tally.first_failures[:5]}"
        )  # 4 in flight, and their retries
        assert one.tally.ok > 100


@pytest.mark.skipif("MIZZEN_CLUSTER" not in os.environ, reason="needs the API server's process")
def test_an_api_server_that_is_away_takes_nothing_away(
    address: str, authority: Authority, ask: Callable[[str], Answer]
) -> None:
    pid = int((Path(os.environ["MIZZEN_CLUSTER"]) / "pids" / "kube-apiserver").read_text().split()[0])
    with load(address, authority) as loads:
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(20)
            assert ask("h3").status == 200
        finally:
            os.kill(pid, signal.SIGCONT)
        wait_for(lambda: kubectl("get", "--raw", "/readyz", status=None) == "ok")
        patch = '{"spec": {"http": [{"directResponse": {"status": 204}}]}}'
        kubectl(
            "-n",
            SYSTEM,
            "patch",
            "virtualservices.networking.istio.io",
            "httpbin-route",
            "--type=merge",
            "-p",
            patch,
        )
        wait_for(lambda: ask("h3").status == 204, 30)  # a change is followed again
        kubectl("apply", "-f", str(INPUTS / "route.yaml"))
        wait_for(lambda: ask("h3").status == 200, 30)
    for one in loads:
        assert set(one.tally.reasons) <= {"status 204 instead of 200", "status 204"}, str(one.tally)


# --- a gateway of somebody's own --------------------------------------------------------------------

EDGE = """
apiVersion: v1
kind: Namespace
metadata: {name: edge, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: edge, namespace: edge}
spec:
  selector: {matchLabels: {istio: edge}}
  template:
    metadata:
      labels: {istio: edge}
      annotations: {inject.istio.io/templates: gateway}
    spec:
      containers: [{name: istio-proxy, image: auto}]
---
apiVersion: v1
kind: Service
metadata: {name: edge, namespace: edge}
spec: {selector: {istio: edge}, ports: [{name: http, port: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: edge}
spec:
  selector: {istio: edge}
  servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: edge, namespace: edge}
spec:
  hosts: ["*"]
  gateways: [edge]
  http: [{route: [{destination: {host: httpbin.httpbin.svc.cluster.local, port: {number: 8000}}}]}]
"""


def test_a_container_called_istio_proxy_becomes_a_gateway_and_reaches_the_mesh() -> None:
    kubectl("apply", "-f", "-", said=EDGE)
    rollout("deploy/edge", "edge")

    def rows() -> str:
        said = mizzen_("proxy-config", "listeners", "deploy/edge", "-n", "edge")
        return said if " 8080 " in said else ""

    assert "Route: http.8080" in wait_for(rows)
    # From a Pod of the mesh, through its own sidecar and the gateway, and back to the application.
    script = "import urllib.request as u; print(u.urlopen('http://edge.edge:8080/headers', timeout=5).read().decode())"

    def asked() -> str:
        command = ("exec", "deploy/httpbin", "-c", "httpbin", "--", "/opt/mizzen/bin/python", "-c", script)
        return kubectl("-n", "httpbin", *command, status=None)

    assert "spiffe://cluster.local/ns/edge/sa/default" in wait_for(asked)
    kubectl("delete", "namespace", "edge", "--timeout=120s")


# --- what is wrong, and the end ---------------------------------------------------------------------


def test_the_webhook_refuses_what_analyze_calls_an_error() -> None:
    wrong = (INPUTS / "route.yaml").read_text().replace("number: 8000", "number: 8000\n      weight: -5")

    def refused() -> str:
        done = subprocess.run(
            ["kubectl", "apply", "-f", "-"], input=wrong, capture_output=True, text=True, check=False
        )
        return done.stderr if done.returncode else ""

    assert "configuration is invalid" in wait_for(refused)


def test_a_host_that_nobody_has_is_named_with_its_object() -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(
            (INPUTS / "route.yaml").read_text().replace("host: httpbin.httpbin", "host: httpbim.httpbin")
        )
        file.flush()
        kubectl("apply", "-f", file.name)
    said = mizzen_("analyze", "-n", SYSTEM, status=1)
    assert "VirtualService/istio-system/httpbin-route spec.http[0].route[0].destination.host" in said
    assert "Did you mean httpbin.httpbin.svc.cluster.local?" in said
    kubectl("apply", "-f", str(INPUTS / "route.yaml"))


def test_without_its_namespace_the_backend_is_gone_and_the_gateway_stays(
    ask: Callable[[str], Answer],
) -> None:
    kubectl("delete", "namespace", "httpbin", "--timeout=120s")

    wait_for(lambda: ask("h3").status == 503)
    assert ask("h2").header("alt-svc") == ALT_SVC


def test_uninstall_leaves_no_trace() -> None:
    mizzen_("uninstall", "--purge", "-y")

    left = kubectl(
        *("get", "-A", "-l", "app.kubernetes.io/managed-by=mizzen", "-o", "name"),
        "deployments,services,configmaps,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings,"
        "mutatingwebhookconfigurations,validatingwebhookconfigurations,leases,secrets",
    )
    assert left == ""
    assert (
        kubectl("get", "configmaps", "-A", "--field-selector=metadata.name=istio-ca-root-cert", "-o", "name")
        == ""
    )
    wait_for(lambda: "istio.io" not in kubectl("get", "customresourcedefinitions", "-o", "name"))
