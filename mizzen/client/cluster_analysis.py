"""A look at a cluster with the rights of whoever asks: what a control plane would find wrong there."""

import asyncio
from dataclasses import replace
from datetime import datetime

from mizzen.errors import Problem
from mizzen.kube.client import Kube, KubeError
from mizzen.pipeline import Settings, analysed, build
from mizzen.resolve.context import ByService
from mizzen.resolve.proxies.pods import PROXY_CONTAINER
from mizzen.resources.kubernetes.core import Pod
from mizzen.sources.cluster import Cluster

PATIENCE = 30.0  # seconds until everything must have been read
_TLS_MODE = "security.istio.io/tlsMode"  # what sidecars have, and gateways have not


async def look(kube: Kube, system_namespace: str, settings: Settings, now: datetime) -> tuple[Problem, ...]:
    """All problems of the objects in a cluster. KubeError when it cannot be read at all."""
    await kube.get("/version")  # whoever cannot even ask this is told so at once
    cluster = Cluster(kube, system_namespace, needs_guards=False)
    cluster.start()
    try:
        await _read(cluster)
        listing = cluster.listing()
        settings = replace(settings, external_ports=ByService.SERVICE, routers=frozenset())
        pods = build(listing.objects, (), settings).world.pods
        routers = frozenset(f"{pod.namespace}/{pod.name}" for pod in pods if _is_gateway(pod))
        cluster.read_secrets({router.partition("/")[0] for router in routers})
        await _read(cluster)
        listing = cluster.listing()
        found = build(listing.objects, listing.problems, replace(settings, routers=routers))
        return analysed(found, now)
    finally:
        await cluster.stop()


async def _read(cluster: Cluster) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            await cluster.ready()
    except TimeoutError:
        raise KubeError(0, cluster.unread) from None


def _is_gateway(pod: Pod) -> bool:
    return _TLS_MODE not in pod.meta.labels and any(
        one.name == PROXY_CONTAINER for one in pod.spec.containers
    )
