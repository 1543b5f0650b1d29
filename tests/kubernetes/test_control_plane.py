"""What a control plane does with the API alone: no Pod needs to run. Twins of what fakes imitate elsewhere."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from click.testing import CliRunner

from mizzen.authority.identity import Identity
from mizzen.authority.store import ROOTS
from mizzen.cli import cli
from mizzen.cluster.announcement_config_map import SharedPromises
from mizzen.cluster.ingress_status import outdated
from mizzen.cluster.leader_tasks import Chores
from mizzen.cluster.shared_root import SharedRoot
from mizzen.cluster.shared_tickets import SharedTickets
from mizzen.cluster.status_writer import Reporter
from mizzen.cluster.token_review import Accounts
from mizzen.doctor import operator_gateway
from mizzen.doctor.links import Name
from mizzen.doctor.operator_sight import EnvoySight, Sight
from mizzen.http3.announcement import Phase
from mizzen.http3.announcement import State as Announced
from mizzen.http3.server import Server
from mizzen.http3.session_tickets import ROTATION
from mizzen.inject.container import SESSION_TICKETS
from mizzen.install.apply.objects import ClusterError, Key, Objects, key_of
from mizzen.install.crds import crds
from mizzen.install.declaring import declared
from mizzen.install.manifests import manifests
from mizzen.kube import reflector
from mizzen.kube.client import Kube, KubeError, connect
from mizzen.kube.leader_election import Leader
from mizzen.kube.reflector import Reflector, Watched
from mizzen.model.route import Fail, Respond
from mizzen.pipeline import Settings, build
from mizzen.plane.effects import Promises
from mizzen.plane.gateway_services import services
from mizzen.resolve.context import ByService
from mizzen.resources.kinds import KINDS
from mizzen.resources.kubernetes.metadata import LAST_APPLIED
from mizzen.resources.raw_objects import RawObject
from mizzen.resources.world import World
from mizzen.serve.credentials import Refused
from mizzen.sources.cluster import Cluster
from mizzen.status import EnvoyStatus, MirrorStatus, Status
from tests.kubernetes.definitions import gone, key_of_definition

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(120)]

NAMESPACE = "mizzen-control-plane"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"


async def until(holds: Callable[[], object], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.05)


@pytest_asyncio.fixture(loop_scope="module", scope="module", autouse=True)
async def namespace(module_objects: Objects) -> AsyncIterator[None]:
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    async with asyncio.timeout(60):
        while True:  # that of a run before may still be going
            found = await module_objects.apply(manifest)
            if not found["metadata"].get("deletionTimestamp"):
                break
            await asyncio.sleep(0.2)
    yield
    await module_objects.delete(Key(api_version="v1", kind="Namespace", name=NAMESPACE))


@pytest_asyncio.fixture
async def rootless(objects: Objects) -> AsyncIterator[None]:
    """Without a root in the namespace, before and after."""
    key = Key(api_version="v1", kind="Secret", namespace=NAMESPACE, name="istio-ca-secret")
    await objects.delete(key)
    yield
    await objects.delete(key)


@pytest.fixture
def kube(objects: Objects) -> Kube:
    return objects.kube


def another(kube: Kube) -> Kube:
    """The same user, with connections of its own."""
    return Kube(kube.config)


def crd(kind: str) -> dict[str, Any]:
    (found,) = (one for one in crds() if one["spec"]["names"]["kind"] == kind)
    return found


async def removed(objects: Objects, kind: str) -> None:
    name = crd(kind)["metadata"]["name"]
    await objects.delete(key_of_definition(name))
    await gone(objects, name)


# --- watching ---------------------------------------------------------------------------------------


async def test_a_version_that_is_forgotten_is_answered_with_410(objects: Objects, kube: Kube) -> None:
    """A watch cache that was made just now knows nothing of version 1."""
    await removed(objects, "Telemetry")
    await objects.apply(crd("Telemetry"))
    path = "/apis/telemetry.istio.io/v1/telemetries"
    watched = Watched(kind="Telemetry", group="telemetry.istio.io", versions=("v1",), plural="telemetries")
    telemetries = Reflector(kube, watched, lambda one: one["metadata"]["name"], lambda: None)
    task = asyncio.create_task(telemetries.run())
    await until(lambda: telemetries.trouble is None and telemetries.read.is_set())
    try:
        status = 0
        async with asyncio.timeout(30):
            while status != 410:
                try:
                    async for event in kube.watch(path, "1"):
                        status = int(event["object"].get("code", 0)) if event["type"] == "ERROR" else 0
                        break
                except KubeError as error:
                    status = error.status
                await asyncio.sleep(0.1)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await removed(objects, "Telemetry")


async def test_a_watch_that_is_about_to_end_gets_a_bookmark(kube: Kube) -> None:
    path = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
    begun = (await kube.get(path))["metadata"]["resourceVersion"]
    # Elsewhere, so that the watch has no event of it, and only a bookmark tells that time went on.
    other = "/api/v1/namespaces/default/configmaps"
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "of-mizzens-tests"}}

    async def write() -> None:
        await asyncio.sleep(2)
        await kube.send("POST", other, manifest)
        await kube.send("DELETE", f"{other}/of-mizzens-tests")

    writing = asyncio.create_task(write())
    events = [event async for event in kube.watch(path, begun, timeoutSeconds=20)]
    await writing
    assert events[-1]["type"] == "BOOKMARK"
    assert int(events[-1]["object"]["metadata"]["resourceVersion"]) > int(begun)


async def test_a_kind_that_is_defined_later_is_read_without_a_restart(objects: Objects, kube: Kube) -> None:
    await removed(objects, "ProxyConfig")
    cluster = Cluster(another(kube), NAMESPACE)
    cluster.start()
    try:
        await asyncio.wait_for(cluster.ready(), 20)
        await objects.apply(crd("ProxyConfig"))
        path = f"/apis/networking.istio.io/v1beta1/namespaces/{NAMESPACE}/proxyconfigs"
        body = {
            "apiVersion": "networking.istio.io/v1beta1",
            "kind": "ProxyConfig",
            "metadata": {"name": "a"},
            "spec": {},
        }
        async with asyncio.timeout(20):
            while True:
                try:
                    await kube.send("POST", path, body)
                    break
                except KubeError:
                    await asyncio.sleep(0.2)
        await until(lambda: any(one.kind == "ProxyConfig" for one in cluster.listing().objects))
    finally:
        await cluster.stop()
        await removed(objects, "ProxyConfig")


async def test_what_may_not_be_read_costs_that_kind_alone_and_is_named(
    objects: Objects, kube: Kube, kubeconfig: str, tmp_path: Path
) -> None:
    read = ["list", "watch"]
    needed = ("security.istio.io", "extensions.istio.io", "networking.istio.io")
    rules = [{"apiGroups": [group], "resources": ["*"], "verbs": read} for group in needed]
    services = {"apiGroups": [""], "resources": ["services"], "verbs": read}
    await allow(objects, "ClusterRole", [services, *rules])
    cluster = Cluster(await as_account(kube, kubeconfig, tmp_path), NAMESPACE)
    cluster.start()
    try:
        await asyncio.wait_for(cluster.ready(), 30)
        listing = cluster.listing()
        assert any(one.kind == "Service" and one.name == "kubernetes" for one in listing.objects)
        refused = {one.resource.name for one in listing.problems if one.code == "K8S-001"}
        assert {"pods", "namespaces", f"secrets in {NAMESPACE}"} <= refused
        assert "services" not in refused
    finally:
        await cluster.stop()
        await disallow(objects, "ClusterRole")


RIGHTS = "rbac.authorization.k8s.io"


async def allow(objects: Objects, kind: str, rules: list[dict[str, Any]]) -> None:
    """Give the ServiceAccount `default` of the namespace rights: a ClusterRole, or a Role there."""
    of = {"name": "a-little", **({"namespace": NAMESPACE} if kind == "Role" else {})}
    version = f"{RIGHTS}/v1"
    await objects.apply({"apiVersion": version, "kind": kind, "metadata": of, "rules": rules})
    await objects.apply(
        {
            "apiVersion": version,
            "kind": f"{kind}Binding",
            "metadata": of,
            "roleRef": {"apiGroup": RIGHTS, "kind": kind, "name": "a-little"},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": NAMESPACE}],
        }
    )


async def disallow(objects: Objects, kind: str) -> None:
    namespace = NAMESPACE if kind == "Role" else ""
    for one in (f"{kind}Binding", kind):
        await objects.delete(Key(api_version=f"{RIGHTS}/v1", kind=one, namespace=namespace, name="a-little"))


def installed(kind: str) -> list[dict[str, Any]]:
    """The rules of the control plane's ClusterRole, or of its Role, as `mizzen install` makes them."""
    found = declared((), ("hub=h", "tag=1"))
    assert found.operator is not None
    made = manifests(found.operator, found.mesh, version="1")
    (role,) = (one for one in made if one["kind"] == kind and one["metadata"]["name"].startswith("istiod"))
    rules: list[dict[str, Any]] = role["rules"]
    return rules


async def test_a_kind_that_guards_is_waited_for_until_it_may_be_read(
    objects: Objects, kube: Kube, kubeconfig: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it traffic would be let through that it refuses."""
    monkeypatch.setattr(reflector, "REFUSED_RETRY", 0.2)
    for kind in ("AuthorizationPolicy", "EnvoyFilter"):
        await objects.apply(crd(kind))
    rules = installed("ClusterRole")
    without = [
        {
            **rule,
            "resources": [
                one for one in rule["resources"] if one not in ("envoyfilters", "authorizationpolicies")
            ],
        }
        for rule in rules
    ]
    await allow(objects, "ClusterRole", without)
    await allow(objects, "Role", installed("Role"))
    cluster = Cluster(await as_account(kube, kubeconfig, tmp_path), NAMESPACE)
    cluster.start()
    ready = asyncio.create_task(cluster.ready())
    try:
        needed = ("authorizationpolicies.security.istio.io", "envoyfilters.networking.istio.io")
        await until(lambda: all(cluster.reflectors[one].trouble for one in needed))
        await until(lambda: sum(not one.read.is_set() for one in cluster.reflectors.values()) == len(needed))
        assert not ready.done()
        assert "forbidden" in cluster.unread
        await allow(objects, "ClusterRole", rules)
        await asyncio.wait_for(ready, 20)
        # A definition that is new may be "(re)initializing" for a moment.
        await until(lambda: cluster.listing().problems == ())
    finally:
        await stopped(ready)
        await cluster.stop()
        for kind in ("ClusterRole", "Role"):
            await disallow(objects, kind)
        for kind in ("AuthorizationPolicy", "EnvoyFilter"):
            await removed(objects, kind)


async def as_account(kube: Kube, kubeconfig: str, folder: Path) -> Kube:
    """As the ServiceAccount `default` of the namespace."""
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"
    async with asyncio.timeout(20):
        while True:
            try:
                token = await kube.send("POST", f"{path}/token", {"spec": {}})
                break
            except KubeError:
                await asyncio.sleep(0.2)
    config = yaml.safe_load(Path(kubeconfig).read_text())
    for user in config["users"]:
        user["user"] = {"token": token["status"]["token"]}
    theirs = folder / "kubeconfig"
    theirs.write_text(json.dumps(config))
    return connect(str(theirs))


# --- what guards ------------------------------------------------------------------------------------

GUARDS = ("EnvoyFilter", "WasmPlugin", "TrafficExtension")
UNAPPLIED = {
    "EnvoyFilter": {
        "workloadSelector": {"labels": {"istio": "edge"}},
        "configPatches": [
            {
                "applyTo": "HTTP_FILTER",
                "match": {"context": "GATEWAY"},
                "patch": {
                    "operation": "INSERT_FIRST",
                    "value": {
                        "name": "envoy.filters.http.jwt_authn",
                        "typed_config": {
                            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
                            "rule": [{"match": {"prefix": "/"}, "requires": {"provider_name": "login"}}],
                        },
                    },
                },
            }
        ],
    },
    "WasmPlugin": {"selector": {"matchLabels": {"istio": "edge"}}, "url": "oci://a/b", "phase": "AUTHN"},
    "TrafficExtension": {"selector": {"matchLabels": {"istio": "edge"}}, "wasm": {"url": "oci://a/b"}},
}
EDGES = ("edge", "other")


def resource(kind: str, name: str, spec: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": KINDS[kind].api_version, "kind": kind, "metadata": meta, "spec": spec}


@pytest_asyncio.fixture
async def edges(objects: Objects) -> AsyncIterator[None]:
    """Two gateways with a route each, as the API server has them: nothing runs."""
    defined = ("Gateway", "VirtualService", *GUARDS)
    for kind in defined:
        await objects.apply(crd(kind))
    for name in EDGES:
        server = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}
        answer = {"directResponse": {"status": 200}}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"istio": name}},
            "spec": {"containers": [{"name": "istio-proxy", "image": "none"}]},
        }
        await applied(objects, pod)
        await applied(objects, resource("Gateway", name, {"selector": {"istio": name}, "servers": [server]}))
        route = {"hosts": ["*"], "gateways": [name], "http": [answer]}
        await applied(objects, resource("VirtualService", name, route))
    yield
    for name in EDGES:
        await objects.delete(Key(api_version="v1", kind="Pod", namespace=NAMESPACE, name=name))
    for kind in defined:
        await removed(objects, kind)


async def applied(objects: Objects, manifest: dict[str, Any]) -> None:
    """As soon as its kind is served and its ServiceAccount is there."""
    async with asyncio.timeout(20):
        while True:
            try:
                await objects.apply(manifest)
                return
            except KubeError:
                await asyncio.sleep(0.2)


def answers(cluster: Cluster) -> dict[str, set[int]]:
    """With which statuses the gateways answer, by name."""
    routers = frozenset(f"{NAMESPACE}/{name}" for name in EDGES)
    listing = cluster.listing()
    found = build(listing.objects, listing.problems, Settings(routers=routers))
    return {
        gateway.proxy.name: {
            route.action.status
            for table in gateway.model.route_tables
            for host in table.hosts.values()
            for route in host.routes
            if isinstance(route.action, (Respond, Fail))
        }
        for gateway in found.gateways
    }


@pytest.mark.usefixtures("edges")
@pytest.mark.parametrize(
    ("kind", "status"), [("EnvoyFilter", 403), ("WasmPlugin", 503), ("TrafficExtension", 503)]
)
async def test_a_guard_that_is_not_honoured_closes_what_it_selects(
    objects: Objects, kube: Kube, kind: str, status: int
) -> None:
    cluster = Cluster(another(kube), NAMESPACE)
    cluster.start()
    try:
        await asyncio.wait_for(cluster.ready(), 20)
        assert answers(cluster) == {"edge": {200}, "other": {200}}
        guard = resource(kind, "guard", UNAPPLIED[kind])
        await applied(objects, guard)
        await until(lambda: answers(cluster) == {"edge": {status}, "other": {200}})
        await objects.delete(key_of(guard))
        await until(lambda: answers(cluster) == {"edge": {200}, "other": {200}})
    finally:
        await cluster.stop()


async def test_without_the_definitions_of_guards_nothing_is_wrong(objects: Objects, kube: Kube) -> None:
    for kind in GUARDS:
        await removed(objects, kind)
    cluster = Cluster(another(kube), NAMESPACE)
    cluster.start()
    try:
        await asyncio.wait_for(cluster.ready(), 20)
        assert cluster.listing().problems == ()
    finally:
        await cluster.stop()


# --- who writes -------------------------------------------------------------------------------------


async def stopped(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_one_of_two_leads_and_the_other_takes_over_at_once_when_it_leaves(kube: Kube) -> None:
    first = Leader(kube, NAMESPACE, "one", "first", retry=0.1)
    second = Leader(kube, NAMESPACE, "one", "second", retry=0.1)
    leading = asyncio.create_task(first.run())
    await until(lambda: first.is_leader)
    following = asyncio.create_task(second.run())
    await until(lambda: second.holder == "first")
    assert not second.is_leader
    await stopped(leading)
    await until(lambda: second.is_leader, 3)
    assert not first.is_leader
    await stopped(following)
    assert (await kube.get(f"{LEASES}/one"))["spec"]["holderIdentity"] == ""


async def test_a_leader_that_died_is_followed_when_its_time_is_over(kube: Kube) -> None:
    spec = {
        "holderIdentity": "gone",
        "leaseDurationSeconds": 2,
        "renewTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "two"},
        "spec": spec,
    }
    await kube.send("POST", LEASES, lease)
    leader = Leader(kube, NAMESPACE, "two", "next", retry=0.1)
    task = asyncio.create_task(leader.run())
    await until(lambda: leader.holder == "gone")
    await asyncio.sleep(1)
    assert not leader.is_leader
    await until(lambda: leader.is_leader, 5)
    await stopped(task)


async def test_of_two_that_write_at_once_one_is_told_of_the_conflict(kube: Kube) -> None:
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "three"},
        "spec": {},
    }
    made = await kube.send("POST", LEASES, lease)
    await kube.send("PUT", f"{LEASES}/three", {**made, "spec": {"holderIdentity": "first"}})
    with pytest.raises(KubeError) as refused:
        await kube.send("PUT", f"{LEASES}/three", {**made, "spec": {"holderIdentity": "second"}})
    assert refused.value.status == 409


# --- who proxies are --------------------------------------------------------------------------------


async def token_of(kube: Kube, audience: str) -> str:
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default/token"
    async with asyncio.timeout(20):
        while True:
            try:
                made = await kube.send("POST", path, {"spec": {"audiences": [audience]}})
                return str(made["status"]["token"])
            except KubeError:
                await asyncio.sleep(0.2)  # the ServiceAccount follows its namespace


async def test_a_token_for_us_tells_who_somebody_is_and_one_for_others_does_not(kube: Kube) -> None:
    accounts = Accounts(kube, "cluster.local")
    assert await accounts.whose(await token_of(kube, "istio-ca")) == Identity(
        trust_domain="cluster.local", namespace=NAMESPACE, service_account="default"
    )
    for token in (await token_of(kube, "somebody-else"), "nonsense"):
        with pytest.raises(Refused):
            await accounts.whose(token)


async def test_secrets_are_for_whom_the_api_server_would_give_them(objects: Objects, kube: Kube) -> None:
    identity = Identity(trust_domain="cluster.local", namespace=NAMESPACE, service_account="default")
    assert not await Accounts(kube, "cluster.local").may_read_secrets(identity)
    version = "rbac.authorization.k8s.io/v1"
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch"]}]
    meta = {"name": "reads", "namespace": NAMESPACE}
    await objects.apply({"apiVersion": version, "kind": "Role", "metadata": meta, "rules": rules})
    await objects.apply(
        {
            "apiVersion": version,
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reads"},
            "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": NAMESPACE}],
        }
    )
    async with asyncio.timeout(10):
        while not await Accounts(kube, "cluster.local").may_read_secrets(identity):
            await asyncio.sleep(0.1)


# --- the root ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("rootless")
async def test_replicas_that_start_together_have_one_root(kube: Kube, tmp_path: Path) -> None:
    roots = [SharedRoot(kube, NAMESPACE, tmp_path / str(number), "cluster.local") for number in range(3)]
    await asyncio.gather(*(one.open(datetime.now(UTC)) for one in roots))
    contents = {(tmp_path / str(number) / ROOTS).read_bytes() for number in range(3)}
    assert len(contents) == 1
    secret = await kube.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/istio-ca-secret")
    assert secret["type"] == "istio.io/ca-root"
    assert {"ca-cert.pem", "ca-key.pem", "root-cert.pem", "cert-chain.pem", "key.pem"} <= set(secret["data"])


async def test_replicas_have_the_same_keys_of_session_tickets_and_rotate_them_once(
    objects: Objects, kube: Kube
) -> None:
    key = Key(api_version="v1", kind="Secret", namespace=NAMESPACE, name=SESSION_TICKETS)
    await objects.delete(key)
    now = datetime.now(UTC)
    replicas = [SharedTickets(kube, NAMESPACE) for _ in range(3)]
    await asyncio.gather(*(one.open(now) for one in replicas))
    assert len({one.seeds.served(now) for one in replicas}) == 1
    leader, other, late = replicas
    await leader.maintain(now + ROTATION)
    with pytest.raises(KubeError, match="modified"):  # what was made of the version before
        await other.maintain(now + ROTATION)
    secret = await kube.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/{SESSION_TICKETS}")
    late.take(secret)
    assert (late.seeds, len(late.seeds.seeds)) == (leader.seeds, 2)
    await objects.delete(key)
    await leader.open(now)
    assert not set(leader.seeds.served(now)) & set(late.seeds.served(now))
    await objects.delete(key)


@pytest.mark.usefixtures("rootless")
async def test_the_root_of_an_istio_is_taken_over(kube: Kube, tmp_path: Path) -> None:
    first = SharedRoot(kube, NAMESPACE, tmp_path / "a", "cluster.local")
    await first.open(datetime.now(UTC))
    path = f"/api/v1/namespaces/{NAMESPACE}/secrets/istio-ca-secret"
    secret = await kube.get(path)
    del secret["data"][ROOTS]  # as Istio writes it
    await kube.send("PUT", path, secret)
    second = SharedRoot(kube, NAMESPACE, tmp_path / "b", "cluster.local")
    await second.open(datetime.now(UTC))
    assert (tmp_path / "b" / "ca-key.pem").exists()
    assert not (tmp_path / "b" / ROOTS).exists()


async def test_the_root_is_in_every_namespace_and_comes_back_when_it_is_removed(
    objects: Objects, kube: Kube
) -> None:
    cluster = Cluster(another(kube), NAMESPACE)
    cluster.start()
    await asyncio.wait_for(cluster.ready(), 20)
    chores = Chores(kube, cluster, lambda: "the roots", lambda: True)
    task = asyncio.create_task(chores.run())
    key = Key(api_version="v1", kind="ConfigMap", namespace=NAMESPACE, name="istio-ca-root-cert")

    async def there() -> bool:
        found = await objects.get(key)
        return found is not None and found["data"] == {"root-cert.pem": "the roots"}

    try:
        for _ in range(2):
            async with asyncio.timeout(15):
                while not await there():
                    await asyncio.sleep(0.2)
            await objects.delete(key)
    finally:
        await stopped(task)
        for namespace in await objects.list("v1", "Namespace"):
            name = namespace["metadata"]["name"]
            await objects.delete(
                Key(api_version="v1", kind="ConfigMap", namespace=name, name="istio-ca-root-cert")
            )
        await cluster.stop()


async def test_what_clients_were_promised_is_known_to_the_next_replica(kube: Kube) -> None:
    def shared(replica: str) -> SharedPromises:
        return SharedPromises(kube, NAMESPACE, "promises", {}, replica=replica)

    def promised(hours: int) -> Server:
        until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)
        return Server(states={443: Announced(phase=Phase.ANNOUNCED, promised_until=until, listener="udp")})

    first, second, third = shared("first"), shared("second"), shared("third")
    assert await first.load() == {}
    assert await second.load() == {}
    short, long, other = promised(5), promised(9), promised(7)
    assert await first.keep({("gw.a", "alt-svc/x"): long})
    # The second has not read that, and is told so by the API server.
    assert await second.keep({("gw.a", "alt-svc/x"): short, ("gw.b", "alt-svc/y"): other})

    found = await third.load()
    assert found.keys() == {("gw.a", "alt-svc/x"), ("gw.b", "alt-svc/y")}
    assert found["gw.a", "alt-svc/x"].states[443].promised_until == long.states[443].promised_until
    heard: list[Promises] = []
    following = asyncio.create_task(first.follow(heard.append))
    async with asyncio.timeout(15):
        while not heard:
            await asyncio.sleep(0.1)
    await stopped(following)
    assert heard[0].keys() == found.keys()


async def test_a_status_that_is_written_is_no_change(objects: Objects, kube: Kube) -> None:
    """Else every report would be followed by a rebuild, and that by a report."""
    await objects.apply(crd("VirtualService"))
    path = f"/apis/networking.istio.io/v1/namespaces/{NAMESPACE}/virtualservices"
    body = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "a"},
        "spec": {"hosts": ["a.b"]},
    }
    async with asyncio.timeout(20):
        while True:
            try:
                await kube.send("POST", path, body)
                break
            except KubeError:
                await asyncio.sleep(0.2)
    cluster = Cluster(another(kube), NAMESPACE)
    cluster.start()
    try:
        await asyncio.wait_for(cluster.ready(), 20)
        before = route(cluster)
        await kube.send(
            "PATCH",
            f"{path}/a/status",
            {"status": {"conditions": []}},
            content_type="application/merge-patch+json",
        )
        known = cluster.reflectors["virtualservices.networking.istio.io"].objects
        await until(lambda: "status" in known[NAMESPACE, "a"].data)
        assert route(cluster) is before
        await kube.send(
            "PATCH", f"{path}/a", {"spec": {"hosts": ["b.c"]}}, content_type="application/merge-patch+json"
        )
        await until(lambda: route(cluster) != before)
    finally:
        await cluster.stop()
        await removed(objects, "VirtualService")


def route(cluster: Cluster) -> RawObject:
    (found,) = (one for one in cluster.listing().objects if one.kind == "VirtualService")
    return found


async def test_a_changed_mesh_config_map_is_followed(objects: Objects, kube: Kube) -> None:
    def config_map(text: str) -> dict[str, Any]:
        meta = {"name": "istio", "namespace": NAMESPACE}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"mesh": text}}

    def domain() -> str:
        listing = cluster.listing()
        built = build(listing.objects, listing.problems, Settings())
        return "" if built.is_partial else built.trust_domain

    await objects.apply(config_map("trustDomain: [broken"))
    cluster = Cluster(another(kube), NAMESPACE)
    cluster.start()
    try:
        await asyncio.wait_for(cluster.ready(), 20)
        assert domain() == ""  # not the default: somebody has written another one
        changes = cluster.changes()
        await asyncio.wait_for(anext(changes), 20)
        for text in ("trustDomain: one.example", "trustDomain: other.example"):
            await objects.apply(config_map(text))
            async with asyncio.timeout(20):
                while domain() != text.split()[-1]:
                    await anext(changes)
    finally:
        await cluster.stop()
        await objects.delete(key_of(config_map("")))


async def test_an_ingress_gets_the_addresses_of_the_gateways_service(objects: Objects, kube: Kube) -> None:
    def made(api_version: str, kind: str, name: str, **rest: Any) -> dict[str, Any]:
        return {
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {"name": name, "namespace": NAMESPACE},
            **rest,
        }

    def world() -> World:
        listing = cluster.listing()
        return build(listing.objects, listing.problems, Settings(routers=frozenset())).world

    mesh = made("v1", "ConfigMap", "istio", data={"mesh": f"ingressService: {NAMESPACE}/front"})
    front = made("v1", "Service", "front", spec={"ports": [{"port": 80}], "externalIPs": ["192.0.2.7"]})
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    ours, other = (
        made(
            "networking.k8s.io/v1",
            "Ingress",
            name,
            spec={"ingressClassName": name, "defaultBackend": backend},
        )
        for name in ("mizzen", "nginx")
    )
    path = f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/ingresses"
    for manifest in (mesh, front):
        await objects.apply(manifest)
    for manifest in (ours, other):
        await kube.send("POST", path, manifest)
    cluster = Cluster(another(kube), NAMESPACE)
    cluster.start()
    reporter = Reporter(kube, cluster, Status, tuple, bytes, may_write=lambda: True, world=world)
    try:
        await asyncio.wait_for(cluster.ready(), 20)
        assert [one.name for one, _ in outdated(world())] == ["mizzen"]
        await reporter._report_ingresses(10)
        await until(lambda: not list(outdated(world())))
        written = {one["metadata"]["name"]: one["status"] for one in (await kube.get(path))["items"]}
        assert written["mizzen"] == {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}
        assert written["nginx"] == {"loadBalancer": {}}
    finally:
        await cluster.stop()
        for manifest in (mesh, front):
            await objects.delete(key_of(manifest))
        for manifest in (ours, other):
            await kube.send("DELETE", f"{path}/{manifest['metadata']['name']}")


async def test_what_a_load_balancer_made_of_udp_is_told_with_its_service(
    objects: Objects, kube: Kube
) -> None:
    meta = {"name": "edge", "namespace": NAMESPACE, "labels": {"istio": "edge"}}
    ports = [
        {"name": "https", "port": 443, "targetPort": 8443},
        {"name": "http3", "port": 443, "targetPort": 8443, "protocol": "UDP"},
    ]
    service = {"type": "LoadBalancer", "selector": {"istio": "edge"}, "ports": ports}
    pod = {"containers": [{"name": "istio-proxy", "image": "auto"}]}
    carried = [{"port": 443, "protocol": "TCP"}]
    refused = [{"port": 443, "protocol": "UDP", "error": "MixedProtocolNotSupported"}]
    core = f"/api/v1/namespaces/{NAMESPACE}"
    await token_of(kube, "anybody")  # a Pod needs the ServiceAccount
    for kind, spec in (("Service", service), ("Pod", pod)):
        manifest = {"apiVersion": "v1", "kind": kind, "metadata": meta, "spec": spec}
        await kube.send("POST", f"{core}/{kind.lower()}s", manifest)
    status = {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7", "ports": carried + refused}]}}}
    patch = "application/merge-patch+json"
    await kube.send("PATCH", f"{core}/services/edge/status", status, content_type=patch)
    cluster = Cluster(another(kube), NAMESPACE)
    cluster.start()
    try:
        await asyncio.wait_for(cluster.ready(), 20)
        listing = cluster.listing()
        settings = Settings(routers=frozenset({f"{NAMESPACE}/edge"}), external_ports=ByService.SERVICE)
        made = build(listing.objects, listing.problems, settings)
        (told,) = services(made.world, made.gateways[0].proxy)
    finally:
        await cluster.stop()
        for kind in ("pods", "services"):
            await kube.send("DELETE", f"{core}/{kind}/edge")
    envoy = EnvoySight(name="edge", status=EnvoyStatus(services=(told,)))
    mirror, sight = MirrorStatus(server="s", number=443), Sight(where="the cluster", nodes=1)
    ports_told, udp, addresses = operator_gateway.services(sight, [envoy], mirror)
    assert (ports_told.ok, addresses.ok) == (True, True)
    assert (udp.ok, udp.links) == (False, (Name.UDP,))
    assert udp.said.endswith("does not carry 443/UDP: MixedProtocolNotSupported")


# --- plans ------------------------------------------------------------------------------------------

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "edge", "namespace": NAMESPACE, "labels": {"planned": "edge"}},
    "spec": {"containers": [{"name": "istio-proxy", "image": "mizzen.local/mizzen:1"}]},
}
EDGE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "edge", "namespace": NAMESPACE},
    "spec": {
        "selector": {"planned": "edge"},
        "ports": [{"name": "http", "port": 80, "targetPort": 8080}],
    },
}
WEB = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "web", "namespace": NAMESPACE},
    "spec": {
        "selector": {"planned": "edge"},
        "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["a.test"]}],
    },
}
ANSWERS = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "VirtualService",
    "metadata": {"name": "web", "namespace": NAMESPACE},
    "spec": {
        "hosts": ["a.test"],
        "gateways": ["web"],
        "http": [{"name": "all", "directResponse": {"status": 200}}],
    },
}


async def test_a_plan_is_what_applying_files_to_the_cluster_would_do(
    objects: Objects, kubeconfig: str, tmp_path: Path
) -> None:
    """What the API server wrote beside is no difference; what is not among the files stays."""
    for kind in ("Gateway", "VirtualService"):
        await objects.apply(crd(kind))
    applied = (POD, EDGE, WEB, ANSWERS)
    async with asyncio.timeout(30):
        for manifest in applied:
            while True:  # a definition that is new may not be served yet
                try:
                    await objects.apply(manifest)
                    break
                except ClusterError:
                    await asyncio.sleep(0.2)
    file = tmp_path / "new.yaml"

    async def planned(*manifests: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        file.write_text(yaml.safe_dump_all(manifests))
        command = ["plan", "-f", str(file), "--against", "cluster", "--kubeconfig", kubeconfig, "-o", "json"]
        done = await asyncio.to_thread(CliRunner().invoke, cli, command)
        assert done.exit_code in (0, 2), done.output
        return done.exit_code, json.loads(done.stdout)

    try:
        assert await planned(EDGE, WEB, ANSWERS) == (0, {"worst": "none", "changes": []})
        other = {"name": "all", "directResponse": {"status": 204}}
        status, plan = await planned({**ANSWERS, "spec": {**ANSWERS["spec"], "http": [other]}})
        [change] = plan["changes"]

        assert (status, change["gateway"], change["listener"]) == (0, f"edge.{NAMESPACE}", "0.0.0.0_8080")
        assert (change["host"], change["effect"]) == ("a.test", "routes")
        [cause] = change["because"]
        assert cause["field"] == "spec.http[0].directResponse.status"
        assert cause["origin"].startswith(f"{file}:")

        gated = {**ANSWERS, "spec": {**ANSWERS["spec"], "exportTo": ["."]}}
        noted = {**ANSWERS["metadata"], "annotations": {LAST_APPLIED: json.dumps(gated)}}
        await objects.apply({**gated, "metadata": noted})  # as kubectl does
        _, plan = await planned(ANSWERS)
        assert [one["field"] for change in plan["changes"] for one in change["because"]] == ["spec.exportTo"]
    finally:
        for manifest in reversed(applied):
            await objects.delete(key_of(manifest))
