"""Waiting for what was applied, and saying all the while for what, and why it is not ready."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from mizzen.inject.container import Manifest
from mizzen.install import readiness
from mizzen.install.apply.objects import ClusterError, Key, Objects, key_of
from mizzen.install.readiness import READY, Waiting
from mizzen.kube.client import Json
from mizzen.lazy import dataclass

INTERVAL = timedelta(seconds=1)
_WEBHOOK = "MutatingWebhookConfiguration"

Progress = Callable[[str], None]  # gets the whole line whenever it differs from the one before


class NotReady(ClusterError):
    """It did not come up in time, or never will."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long, and who is told meanwhile."""

    objects: Objects
    patience: timedelta
    progress: Progress

    async def until_ready(self, component: str, manifests: Sequence[Manifest]) -> None:
        """Return when everything of a component is ready.

        Raises:
            NotReady: names what is not, and why, when patience is at its end or waiting cannot help.
        """
        left = {key_of(one): one for one in manifests if one["kind"] in _JUDGES}
        ends = time.monotonic() + self.patience.total_seconds()
        told = ""
        while True:
            states = {key: await self._state(key, manifest) for key, manifest in left.items()}
            left = {key: manifest for key, manifest in left.items() if not states[key].ready}
            if not left:
                return
            # A webhook waits for whom it calls: that is told first, and alone.
            first = [key for key in left if key.kind != _WEBHOOK] or [*left]
            lines = [f"{key}: {states[key].why}" for key in first]
            hopeless = [f"{key}: {states[key].why}" for key in left if states[key].hopeless]
            if hopeless or time.monotonic() >= ends:
                raise NotReady(f"{component} did not become ready: {' | '.join(hopeless or lines)}")
            line = f"Processing resources for {component}. Waiting for {' | '.join(lines)}"
            if line != told:
                self.progress(line)
                told = line
            await asyncio.sleep(min(INTERVAL.total_seconds(), max(ends - time.monotonic(), 0.05)))

    async def _state(self, key: Key, manifest: Manifest) -> Waiting:
        """An API server that does not answer for a while is one more thing to wait for."""
        try:
            found = await self.objects.get(key)
            if found is None:
                return Waiting(why="it has been deleted", hopeless=True)
            return await _JUDGES[key.kind](self.objects, found)
        except ClusterError as error:
            if error.status in (401, 403):
                raise
            return Waiting(why=str(error))


async def _deployment(objects: Objects, found: Json) -> Waiting:
    simple = readiness.of_deployment(found, (), ())
    if simple.ready:
        return READY
    namespace = found["metadata"]["namespace"]
    labels = ",".join(f"{name}={value}" for name, value in found["spec"]["selector"]["matchLabels"].items())
    pods = await objects.list("v1", "Pod", namespace=namespace, labels=labels)
    events: Sequence[Mapping[str, Any]] = ()
    try:
        events = await objects.list("v1", "Event", namespace=namespace, fields="type=Warning")
    except ClusterError as error:
        if error.status != 403:  # who may not read events waits with fewer words
            raise
    return readiness.of_deployment(found, pods, events)


async def _crd(_: Objects, found: Json) -> Waiting:
    return readiness.of_crd(found)


async def _webhook(_: Objects, found: Json) -> Waiting:
    return readiness.of_webhook(found)


_JUDGES: Mapping[str, Callable[[Objects, Json], Awaitable[Waiting]]] = {
    "CustomResourceDefinition": _crd,
    "Deployment": _deployment,
    _WEBHOOK: _webhook,
}
