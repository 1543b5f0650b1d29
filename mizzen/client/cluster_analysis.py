"""A look at a cluster with the rights of whoever asks: what a control plane would find wrong there."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from mizzen.client.analysis import analysis
from mizzen.errors import Problem
from mizzen.kube.client import Kube, KubeError
from mizzen.lazy import dataclass
from mizzen.pipeline import Settings, build
from mizzen.resolve.context import ByService
from mizzen.resolve.proxies.pods import PROXY_CONTAINER
from mizzen.resources.decode import identify
from mizzen.resources.kubernetes.core import Pod
from mizzen.resources.raw_objects import RawObject
from mizzen.sources.cluster import Cluster
from mizzen.sources.listing import Listing

PATIENCE = 30.0  # seconds until everything must have been read
_TLS_MODE = "security.istio.io/tlsMode"  # what sidecars have, and gateways have not


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A cluster as it was looked at, and how its control plane goes by it."""

    objects: tuple[RawObject, ...]
    problems: tuple[Problem, ...]  # of reading them
    settings: Settings


async def seen(
    kube: Kube,
    system_namespace: str,
    settings: Settings,
    *,
    revision: str = "default",
    patience: float = PATIENCE,
) -> Seen:
    """The objects of a cluster. KubeError when it cannot be read at all.

    `revision`: of the control plane that is meant. `patience`: seconds.
    """
    await kube.get("/version")  # whoever cannot even ask this is told so at once
    cluster = Cluster(kube, system_namespace, revision=revision, needs_guards=False, keeps_applied=True)
    cluster.start()
    try:
        await _read(cluster, patience)
        listing = cluster.listing()
        settings = replace(settings, external_ports=ByService.SERVICE, routers=frozenset())
        pods = build(listing.objects, (), settings).world.pods
        routers = frozenset(f"{pod.namespace}/{pod.name}" for pod in pods if _is_gateway(pod))
        cluster.read_secrets({router.partition("/")[0] for router in routers})
        await _read(cluster, patience)
        listing = cluster.listing()
        settings = replace(settings, routers=routers)
        return Seen(objects=listing.objects, problems=listing.problems, settings=settings)
    finally:
        await cluster.stop()


async def look(
    kube: Kube,
    system_namespace: str,
    settings: Settings,
    now: datetime,
    *,
    files: Listing | None,
    prepare: Callable[[tuple[RawObject, ...]], tuple[tuple[RawObject, ...], tuple[Problem, ...]]],
    revision: str = "default",
    patience: float = PATIENCE,
) -> tuple[tuple[Problem, ...], tuple[RawObject, ...]]:
    """All problems of the objects in a cluster, and these. KubeError when it cannot be read at all.

    `files`: objects that would be applied to it. `prepare`: what is made of all objects at last. The rest: as in `seen`.
    """
    one = await seen(kube, system_namespace, settings, revision=revision, patience=patience)
    objects = applied(one.objects, files.objects if files else (), settings.default_namespace)
    objects, beside = prepare(objects)
    problems = (*one.problems, *(files.problems if files else ()), *beside)
    return analysis(objects, problems, one.settings, now), objects


def applied(
    there: tuple[RawObject, ...], given: tuple[RawObject, ...], namespace: str
) -> tuple[RawObject, ...]:
    """The objects of a cluster once others are applied: each takes the place of the one of its name."""
    names = {identify(raw, namespace) for raw in given}
    return (*(raw for raw in there if identify(raw, namespace) not in names), *given)


async def _read(cluster: Cluster, patience: float) -> None:
    try:
        async with asyncio.timeout(patience):
            await cluster.ready()
    except TimeoutError:
        raise KubeError(0, cluster.unread) from None


def _is_gateway(pod: Pod) -> bool:
    return _TLS_MODE not in pod.meta.labels and any(
        one.name == PROXY_CONTAINER for one in pod.spec.containers
    )
