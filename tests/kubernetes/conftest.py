"""Tests that ask a real API server: that of $KUBECONFIG. Nothing in the cluster may be mizzen's already.

KUBECONFIG=... python -m pytest -m kubernetes     an API server will do; Pods need not run
KUBECONFIG=... python -m pytest -m node           a node that runs Pods, with mizzen's image, and a load balancer
"""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from mizzen.install.apply.objects import Objects
from mizzen.kube.client import Kube, KubeError, connect


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    why = ""
    if not os.environ.get("KUBECONFIG"):
        why = "needs a cluster: set KUBECONFIG"
    elif config.option.markexpr.strip() not in ("kubernetes", "node"):
        why = "needs a way to the cluster: ask for these tests alone with -m kubernetes, or -m node"
    for item in items:
        if why and (item.get_closest_marker("kubernetes") or item.get_closest_marker("node")):
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture
def kubeconfig() -> str:
    return os.environ["KUBECONFIG"]


@pytest_asyncio.fixture
async def objects(kubeconfig: str) -> AsyncIterator[Objects]:
    kube = connect(kubeconfig)
    yield Objects(kube=kube)
    await kube.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def module_objects() -> AsyncIterator[Objects]:
    kube = connect(os.environ["KUBECONFIG"])
    yield Objects(kube=kube)
    await kube.close()


class Kubelet:
    """What a node would do: Pods become ready; and what a control plane would: webhooks get their authority."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self.kube, self.namespace = kube, namespace
        # Any authority will do: nothing is called in these tests.
        self.authority = kube.config.cluster.certificate_auth_data

    async def run(self) -> None:
        while True:
            try:
                await self._pods()
                await self._webhooks()
            except KubeError as error:
                if error.status not in (404, 409):  # what is deleted or changed meanwhile is seen again
                    raise
            await asyncio.sleep(0.1)

    async def _pods(self) -> None:
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        for pod in (await self.kube.get(path))["items"]:
            if not pod["status"].get("containerStatuses"):
                statuses = [
                    {
                        "name": one["name"],
                        "ready": True,
                        "image": one["image"],
                        "imageID": "",
                        "restartCount": 0,
                    }
                    for one in pod["spec"]["containers"]
                ]
                ready = [{"type": "Ready", "status": "True"}, {"type": "PodScheduled", "status": "True"}]
                status = {"status": {"phase": "Running", "conditions": ready, "containerStatuses": statuses}}
                await self._patch(f"{path}/{pod['metadata']['name']}/status", status, "strategic-merge-patch")

    async def _webhooks(self) -> None:
        path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
        for one in (await self.kube.get(path, labelSelector="app.kubernetes.io/managed-by=mizzen"))["items"]:
            for hook in one["webhooks"]:
                hook["clientConfig"]["caBundle"] = self.authority
            await self._patch(
                f"{path}/{one['metadata']['name']}", {"webhooks": one["webhooks"]}, "merge-patch"
            )

    async def _patch(self, path: str, body: object, kind: str) -> None:
        await self.kube.send("PATCH", path, body, content_type=f"application/{kind}+json")


@pytest.fixture
def system_namespace() -> str:
    return "istio-system"


@pytest_asyncio.fixture
async def kubelet(objects: Objects, system_namespace: str) -> AsyncIterator[None]:
    task = asyncio.create_task(Kubelet(objects.kube, system_namespace).run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
