"""CustomResourceDefinitions that go."""

import asyncio
import itertools

from mizzen.install.apply.objects import Key, Objects
from mizzen.kube.client import MERGE_PATCH, KubeError

_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def key_of_definition(name: str) -> Key:
    return Key(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition", name=name)


async def gone(objects: Objects, name: str) -> None:
    """Until a definition that was deleted is no more."""
    async with asyncio.timeout(30):
        while await objects.get(key_of_definition(name)) is not None:
            await hastened(objects)
            await asyncio.sleep(0.2)


async def hastened(objects: Objects) -> None:
    """See to it that definitions which are deleted go now.

    One that was made just before stays for minutes: the API server finds its storage "(re)initializing", and looks
    again only when the definition changes (seen with Kubernetes 1.37).
    """
    for one in await objects.list("apiextensions.k8s.io/v1", "CustomResourceDefinition"):
        conditions = (one.get("status") or {}).get("conditions") or ()
        if one["metadata"].get("deletionTimestamp") and any(
            condition.get("reason") == "InstanceDeletionFailed" for condition in conditions
        ):
            touch = {"metadata": {"annotations": {"touched": str(next(_count))}}}
            try:
                await objects.kube.send(
                    "PATCH", f"{_PATH}/{one['metadata']['name']}", touch, content_type=MERGE_PATCH
                )
            except KubeError as error:
                if error.status not in (404, 409):
                    raise


_count = itertools.count()
