"""What clients were promised (alt-svc), kept in a ConfigMap: the next replica must know it to keep it, or take it back.

All replicas write into one ConfigMap, an entry for each gateway. Whoever writes has read: what others promise is merged
into what is written (`Server.merged`), and the API server refuses what was made of an older version.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import UTC, datetime
from typing import Any

from mizzen.cluster.leader_tasks import MANAGER
from mizzen.errors import Problem
from mizzen.http3.server import Server
from mizzen.kube.client import MERGE_PATCH, Json, Kube, KubeError
from mizzen.lazy import dataclass
from mizzen.plane.announcement_file import from_value, to_value
from mizzen.plane.effects import Promises, ServerKey

LOOK_SECONDS = 2.0
_TRIES = 5  # to write what somebody else writes too

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class SharedPromises:
    """Promises in a ConfigMap."""

    kube: Kube
    namespace: str
    name: str  # of the ConfigMap
    labels: Mapping[str, str]
    replica: str = ""
    _version: str | None = None  # of what was read last; "" when there is no ConfigMap
    _data: Mapping[str, str] = field(default_factory=dict)
    _read: Promises = field(default_factory=dict)

    async def load(self) -> Promises:
        """What is there. Without the ConfigMap, or when it cannot be read, there is nothing."""
        try:
            await self._get()
        except KubeError as error:
            _log.warning("what clients were promised is not known: %s", error)
        return self._read

    async def keep(self, promises: Promises) -> bool:
        """Write these down, merged with what other replicas wrote."""
        for _ in range(_TRIES):
            try:
                if self._version is None:
                    await self._get()
                await self._write(promises)
            except KubeError as error:
                self._version = None
                if error.status in (404, 409):  # somebody made it, wrote into it or removed it
                    continue
                _log.warning("what clients were promised cannot be kept: %s", error)
                return False
            return True
        return False

    async def follow(self, on_change: Callable[[Promises], object]) -> None:
        """Until cancelled: hand on what other replicas write."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            before = self._data
            try:
                await self._get()
            except KubeError as error:
                _log.debug("what clients were promised is not known: %s", error)
                continue
            if self._data != before:
                on_change(self._read)

    def restore(self) -> tuple[str, ...]:
        """Nothing of it is in the run-dir."""
        return ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the API server does not take is told of in the log, and at the mirrors."""
        return ()

    async def _get(self) -> None:
        try:
            found = await self.kube.get(f"{self._path()}/{self.name}")
        except KubeError as error:
            if error.status != 404:
                raise
            found = {}
        self._taken(found)

    def _taken(self, found: Json) -> None:
        self._version = str(found.get("metadata", {}).get("resourceVersion", ""))
        self._data = dict(found.get("data") or {})
        self._read = parsed(self._data)

    async def _write(self, promises: Promises) -> None:
        wanted = entries(merged(promises, self._read, datetime.now(UTC), self.replica))
        changed: dict[str, str | None] = {
            key: text for key, text in wanted.items() if self._data.get(key) != text
        }
        # What nobody remembers any more, and entries of old under the names of proxies.
        changed |= dict.fromkeys(self._data.keys() - wanted.keys(), None)
        if not changed:
            return
        if not self._version:
            manifest = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": self.name, "labels": dict(self.labels)},
                "data": wanted,
            }
            self._taken(await self.kube.send("POST", self._path(), manifest, fieldManager=MANAGER))
            return
        patch = {"metadata": {"resourceVersion": self._version}, "data": changed}
        path = f"{self._path()}/{self.name}"
        self._taken(
            await self.kube.send("PATCH", path, patch, content_type=MERGE_PATCH, fieldManager=MANAGER)
        )

    def _path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/configmaps"


def merged(own: Promises, stored: Promises, now: datetime, replica: str) -> dict[ServerKey, Server]:
    """What is to be written: our own word, and what others promised that still holds."""
    found: dict[ServerKey, Server] = dict(own)
    for key, theirs in stored.items():
        found[key] = own.get(key, Server()).merged(theirs.expired(now), now, replica)
    return found


def entries(promises: Promises) -> dict[str, str]:
    """The data of the ConfigMap: one entry for each gateway. Its keys take letters, digits, dots, dashes, underscores."""
    return {
        called: json.dumps({"gateway": called, "announcements": one}, sort_keys=True)
        for called, one in to_value(promises).items()
    }


def parsed(data: Mapping[str, str]) -> dict[ServerKey, Server]:
    """What such data says. What is not ours is passed over."""
    found: dict[str, Any] = {}
    for text in data.values():
        try:
            one: dict[str, Any] = json.loads(text)
            from_value({one["gateway"]: one["announcements"]})
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        found[one["gateway"]] = one["announcements"]
    return from_value(found)
