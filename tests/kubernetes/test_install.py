"""Installing into a real API server: its answers, its merging of fields, its rights."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from lightkube.config.models import User

from mizzen.cluster.leader_tasks import MANAGER
from mizzen.install.apply.install import Change, Installer, Outcome
from mizzen.install.apply.objects import Key, Objects, key_of
from mizzen.install.apply.waiting import Wait
from mizzen.install.declaring import declared
from mizzen.install.manifests import manifests
from mizzen.kube.client import Kube, KubeError, connect
from tests.kubernetes.definitions import hastened

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(180)]

WALKTHROUGH = Path(__file__).parent.parent / "unit" / "install" / "walkthrough.yaml"
SYSTEM = "istio-system"
INJECTOR = Key(
    api_version="admissionregistration.k8s.io/v1",
    kind="MutatingWebhookConfiguration",
    name="istio-sidecar-injector",
)
VALIDATOR = Key(
    api_version="admissionregistration.k8s.io/v1",
    kind="ValidatingWebhookConfiguration",
    name="istio-validator-istio-system",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    status: int
    out: str
    err: str


Mizzen = Callable[..., Awaitable[Ended]]


async def mizzen(*arguments: str, kubeconfig: str = "", said: str = "") -> Ended:
    """Run the command as a user does."""
    environment = {**os.environ, **({"KUBECONFIG": kubeconfig} if kubeconfig else {})}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mizzen", *arguments, stdin=pipe, stdout=pipe, stderr=pipe, env=environment
    )
    out, err = await process.communicate(said.encode())
    assert b"Traceback" not in err, err.decode()
    assert process.returncode is not None
    return Ended(status=process.returncode, out=out.decode(), err=err.decode())


async def install(*arguments: str) -> Ended:
    ended = await mizzen("install", "-f", str(WALKTHROUGH), "-y", *arguments)
    assert ended.status == 0, ended.err
    return ended


async def ours(objects: Objects) -> list[str]:
    """Everything in the cluster that bears our label."""
    from mizzen.install.site import API_VERSIONS

    found = []
    for kind, version in API_VERSIONS.items():
        for one in await objects.list(version, kind, labels="app.kubernetes.io/managed-by=mizzen"):
            found.append(f"{kind}/{one['metadata']['name']}")
    return sorted(found)


async def emptied(objects: Objects) -> list[str]:
    """What is ours once that has had time to go: definitions and their objects go in the background."""
    left = await ours(objects)
    for _ in range(100):
        if not left:
            break
        await hastened(objects)
        await asyncio.sleep(0.2)
        left = await ours(objects)
    return left


@pytest_asyncio.fixture(autouse=True)
async def clean(objects: Objects) -> AsyncIterator[None]:
    """Nothing of mizzen before and after each test."""
    assert await emptied(objects) == [], (
        "mizzen is installed in this cluster: these tests need one without it"
    )
    yield
    ended = await mizzen("uninstall", "--purge", "-y")
    assert ended.status == 0, ended.err


@pytest.mark.usefixtures("kubelet")
async def test_the_walkthrough_is_installed_and_a_second_time_nothing_changes(objects: Objects) -> None:
    first = await install()
    versions = await _versions(objects)

    assert "✔ Control plane installed" in first.out
    assert "✔ Ingress gateways installed" in first.out
    assert "ports 15021/TCP, 443/TCP, 443/UDP" in first.out
    service = await objects.get(
        Key(api_version="v1", kind="Service", namespace=SYSTEM, name="istio-ingressgateway")
    )
    assert service is not None
    ports = [f"{one['port']}/{one['protocol']}" for one in service["spec"]["ports"]]
    assert ports == ["15021/TCP", "443/TCP", "443/UDP"]

    second = await install()
    assert "✔ Nothing changed" in second.out
    assert await _versions(objects) == versions


async def _versions(objects: Objects) -> dict[str, str]:
    """Of everything but Deployments, autoscalers and Services, whose status others write."""
    from mizzen.install.site import API_VERSIONS

    found = {}
    for kind in ("ClusterRole", "Role", "ConfigMap", "ServiceAccount", "ValidatingWebhookConfiguration"):
        for one in await objects.list(API_VERSIONS[kind], kind, labels="app.kubernetes.io/managed-by=mizzen"):
            found[f"{kind}/{one['metadata']['name']}"] = one["metadata"]["resourceVersion"]
    return found


@pytest.mark.usefixtures("kubelet")
async def test_what_the_control_plane_writes_into_webhooks_is_left_alone(objects: Objects) -> None:
    await install()
    before = await objects.get(VALIDATOR)
    assert before is not None
    assert {hook["failurePolicy"] for hook in before["webhooks"]} == {"Ignore"}
    for hook in before["webhooks"]:
        hook["failurePolicy"] = "Fail"
    path = f"/apis/{VALIDATOR.api_version}/validatingwebhookconfigurations/{VALIDATOR.name}"
    await objects.kube.send(
        "PATCH", path, {"webhooks": before["webhooks"]}, content_type="application/merge-patch+json"
    )

    await install("--set", "values.pilot.env.A=1")

    after = await objects.get(VALIDATOR)
    injector = await objects.get(INJECTOR)
    assert after is not None
    assert injector is not None
    assert {hook["failurePolicy"] for hook in after["webhooks"]} == {"Fail"}
    assert all(hook["clientConfig"]["caBundle"] for hook in injector["webhooks"])


@pytest.mark.usefixtures("kubelet")
async def test_a_port_that_is_taken_away_goes_and_its_twin_of_the_other_protocol_stays(
    objects: Objects, tmp_path: Path
) -> None:
    await install()
    without = yaml.safe_load(WALKTHROUGH.read_text())
    ports = without["spec"]["components"]["ingressGateways"][0]["k8s"]["service"]["ports"]
    ports[:] = [port for port in ports if port.get("name") != "http3"]
    changed = tmp_path / "istio.yaml"
    changed.write_text(yaml.safe_dump(without))

    told = await mizzen("manifest", "diff", "-f", str(changed))
    assert told.status == 1
    assert "-  - name: http3" in told.out
    ended = await mizzen("upgrade", "-f", str(changed), "-y")

    assert ended.status == 0, ended.err
    service = await objects.get(
        Key(api_version="v1", kind="Service", namespace=SYSTEM, name="istio-ingressgateway")
    )
    assert service is not None
    assert [(one["port"], one["protocol"]) for one in service["spec"]["ports"]] == [
        (15021, "TCP"),
        (443, "TCP"),
    ]
    after = await mizzen("manifest", "diff", "-f", str(changed))
    assert (after.status, [line for line in after.out.splitlines() if line[:1] in "+-"]) == (0, [])


@pytest.mark.usefixtures("kubelet")
async def test_what_is_no_longer_declared_is_removed(objects: Objects) -> None:
    await install()
    assert "Deployment/istio-ingressgateway" in await ours(objects)

    ended = await install("--set", "components.ingressGateways[0].enabled=false")

    assert "✔ Removed Deployment/istio-system/istio-ingressgateway" in ended.out
    left = await ours(objects)
    assert not [name for name in left if "ingressgateway" in name]
    assert "Deployment/istiod" in left


@pytest.mark.usefixtures("kubelet")
async def test_two_revisions_live_side_by_side_and_one_goes_alone(objects: Objects) -> None:
    await install("--set", "profile=minimal", "--set", "components.ingressGateways=[]")
    await install("--set", "profile=minimal", "--set", "components.ingressGateways=[]", "-r", "canary")
    assert {"Deployment/istiod", "Deployment/istiod-canary"} <= set(await ours(objects))
    await _write_root(objects)

    ended = await mizzen("uninstall", "--revision", "canary", "-y")

    assert ended.status == 0, ended.err
    left = await ours(objects)
    assert "Deployment/istiod" in left
    assert not [name for name in left if "canary" in name]
    assert "The root of the mesh stays" in ended.out
    unknown = await mizzen("uninstall", "--revision", "other", "-y")
    assert unknown.status == 1
    assert "no revision 'other'" in unknown.err
    assert "there is default" in unknown.err


async def _write_root(objects: Objects) -> None:
    """What a control plane writes."""
    root = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "istio-ca-root-cert", "namespace": "default"},
        "data": {"root-cert.pem": "x"},
    }
    await objects.kube.apply(
        "/api/v1/namespaces/default/configmaps/istio-ca-root-cert", root, manager=MANAGER
    )
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "istio-ca-secret", "namespace": SYSTEM},
        "stringData": {"authority.json": "{}"},
    }
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "mizzen-leader", "namespace": SYSTEM},
    }
    await objects.apply(secret)
    await objects.apply(lease)


@pytest.mark.usefixtures("kubelet")
async def test_purging_leaves_nothing_but_the_namespace(objects: Objects) -> None:
    await install()
    await _write_root(objects)
    tried = await mizzen("uninstall", "--purge", "--dry-run")
    assert "would go" in tried.out
    assert "Deployment/istiod" in await ours(objects)

    ended = await mizzen("uninstall", "--purge", said="y\n")

    assert ended.status == 0, ended.err
    assert "✔ Uninstall complete" in ended.out
    assert await emptied(objects) == []
    assert await objects.list("v1", "ConfigMap", fields="metadata.name=istio-ca-root-cert") == []
    assert await objects.list("v1", "Secret", namespace=SYSTEM) == []
    assert await objects.list("coordination.k8s.io/v1", "Lease", namespace=SYSTEM) == []
    assert await objects.get(Key(api_version="v1", kind="Namespace", name=SYSTEM)) is not None
    assert "Nothing of mizzen" in (await mizzen("uninstall", "--purge", "-y")).out


@pytest.mark.usefixtures("kubelet")
async def test_the_control_plane_may_do_what_it_does_and_no_more(objects: Objects, kubeconfig: str) -> None:
    await install()
    kube = await _as(objects, kubeconfig, SYSTEM, "istiod")
    only_roots = {"fieldSelector": "metadata.name=istio-ca-root-cert"}
    root = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio-ca-root-cert"}}

    for path in ("pods", "services", "namespaces", "nodes"):
        await kube.get(f"/api/v1/{path}")
    await kube.get("/apis/discovery.k8s.io/v1/endpointslices")
    await kube.get("/api/v1/configmaps", **only_roots)
    await kube.get(f"/api/v1/namespaces/{SYSTEM}/configmaps/istio")
    await kube.get(f"/api/v1/namespaces/{SYSTEM}/secrets")
    await kube.apply("/api/v1/namespaces/default/configmaps/istio-ca-root-cert", root)
    await kube.get(f"/apis/{INJECTOR.api_version}/mutatingwebhookconfigurations")
    for refused in (
        "/api/v1/secrets",
        "/api/v1/namespaces/default/secrets",
        "/api/v1/configmaps",
        "/apis/apps/v1/deployments",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    ):
        with pytest.raises(KubeError) as caught:
            await kube.get(refused)
        assert caught.value.status == 403, refused
    await kube.close()


async def _as(objects: Objects, kubeconfig: str, namespace: str, account: str) -> Kube:
    """A client with the rights of a ServiceAccount."""
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    token = (await objects.kube.send("POST", path, {"spec": {}}))["status"]["token"]
    config = connect(kubeconfig).config
    return Kube(config._replace(user=User(token=token)))


async def test_a_dry_run_keeps_nothing(objects: Objects) -> None:
    ended = await install("--dry-run")

    assert "✔ Control plane can be installed" in ended.out
    assert "nothing was kept" in ended.out
    assert await emptied(objects) == []


def _crd() -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.mizzen.example"},
        "spec": {
            "group": "mizzen.example",
            "names": {"kind": "Thing", "plural": "things"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


async def _install_crd(objects: Objects) -> Outcome:
    found = declared((), ("hub=h", "profile=empty", "components.base.enabled=true"))
    assert found.operator is not None
    made = manifests(found.operator, found.mesh, version="1", crds=(_crd(),))
    wait = Wait(objects=objects, patience=timedelta(seconds=20), progress=lambda _: None)
    return await Installer(objects=objects, say=lambda _: None, wait=wait).install(made)


async def test_our_crds_come_and_go_with_us_and_those_of_others_stay(objects: Objects) -> None:
    key = key_of(_crd())
    first = await _install_crd(objects)
    assert first.changes[0] == (key, Change.CREATED)
    assert (await _install_crd(objects)).changes[0] == (key, Change.UNCHANGED)
    assert "CustomResourceDefinition/things" in (await mizzen("uninstall", "--purge", "-y")).out
    while await objects.get(key) is not None:
        await asyncio.sleep(0.1)

    await objects.create(_crd())
    try:
        assert (await _install_crd(objects)).changes[0] == (key, Change.LEFT)
        await mizzen("uninstall", "--purge", "-y")
        found = await objects.get(key)
        assert found is not None
        assert "deletionTimestamp" not in found["metadata"]
    finally:
        await objects.delete(key)


async def test_a_refusal_to_go_on_installs_nothing(objects: Objects) -> None:
    ended = await mizzen("install", "-f", str(WALKTHROUGH), said="n\n")

    assert ended.status == 1
    assert "Proceed? (y/N)" in ended.out
    assert ended.out.endswith("Cancelled.\n")
    assert await emptied(objects) == []


async def test_what_does_not_come_up_is_named_with_its_reason(objects: Objects) -> None:
    ended = await mizzen("install", "-f", str(WALKTHROUGH), "-y", "--readiness-timeout", "3s")

    assert ended.status == 1
    assert "Waiting for Deployment/istio-system/istiod" in ended.err
    assert "Error: Control plane did not become ready" in ended.err
    assert "0 of 1 Pods are ready" in ended.err


async def test_what_another_installer_has_made_is_not_touched(objects: Objects) -> None:
    await install("--dry-run")
    foreign: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "istio", "namespace": SYSTEM},
        "data": {"mesh": "theirs"},
    }
    if await objects.get(Key(api_version="v1", kind="Namespace", name=SYSTEM)) is None:
        await objects.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}})
    await objects.create(foreign)
    key = Key(api_version="v1", kind="ConfigMap", namespace=SYSTEM, name="istio")

    ended = await mizzen("install", "-f", str(WALKTHROUGH), "-y")

    found = await objects.get(key)
    await objects.delete(key)
    assert ended.status == 1
    assert "ConfigMap/istio-system/istio exists and was not installed by mizzen" in ended.err
    assert found is not None
    assert found["data"] == {"mesh": "theirs"}
    assert await emptied(objects) == []


async def test_a_missing_right_is_named(objects: Objects, kubeconfig: str, tmp_path: Path) -> None:
    account = Key(api_version="v1", kind="ServiceAccount", namespace="default", name="nobody")
    await objects.apply(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody", "namespace": "default"}}
    )
    token = await objects.kube.send(
        "POST", "/api/v1/namespaces/default/serviceaccounts/nobody/token", {"spec": {}}
    )
    config = yaml.safe_load(Path(kubeconfig).read_text())
    for user in config["users"]:
        user["user"] = {"token": token["status"]["token"]}
    theirs = tmp_path / "kubeconfig"
    theirs.write_text(json.dumps(config))

    ended = await mizzen("install", "-f", str(WALKTHROUGH), "-y", kubeconfig=str(theirs))

    await objects.delete(account)
    assert ended.status == 1
    assert "you may not get CustomResourceDefinition/" in ended.err
    assert "system:serviceaccount:default:nobody" in ended.err


async def test_a_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    dead = tmp_path / "kubeconfig"
    dead.write_text(
        "{apiVersion: v1, kind: Config, current-context: a, users: [{name: a, user: {}}],"
        " clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}],"
        " contexts: [{name: a, context: {cluster: a, user: a}}]}"
    )
    ended = await mizzen("install", "-f", str(WALKTHROUGH), "-y", kubeconfig=str(dead))

    assert ended.status == 1
    assert ended.err.startswith("Error: https://127.0.0.1:1 cannot be reached")
