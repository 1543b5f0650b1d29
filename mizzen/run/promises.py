"""What clients were promised (alt-svc), kept in a ConfigMap: the next replica must know it to keep it, or take it back."""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mizzen.run import private_file
from mizzen.run.chores import MANAGER
from mizzen.sources.kube import MERGE_PATCH, Kube, KubeError

LOOK_SECONDS = 1.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class SharedPromises:
    """Carries promises between the ConfigMap and the file in which a control plane keeps them."""

    kube: Kube
    namespace: str
    name: str  # of the ConfigMap
    path: Path
    labels: Mapping[str, str]
    _written: dict[str, str] = field(default_factory=dict)  # by key in the ConfigMap

    async def load(self) -> None:
        """Bring them here. Without the ConfigMap, or when it cannot be read, there are none."""
        try:
            found = await self.kube.get(f"{self._path()}/{self.name}")
        except KubeError as error:
            if error.status != 404:
                _log.warning("what clients were promised is not known: %s", error)
            return
        self._written = dict(found.get("data") or {})
        promises: dict[str, Any] = {}
        for text in self._written.values():
            try:
                one = json.loads(text)
                promises[one["gateway"]] = one["announcements"]
            except (ValueError, KeyError, TypeError):
                continue  # not ours
        try:
            private_file.write(self.path, json.dumps(promises).encode())
        except OSError as error:
            _log.warning("what clients were promised is not known: %s: %s", self.path, error.strerror)

    async def follow(self) -> None:
        """Write what has changed, until cancelled. Gateways of other replicas stay as those wrote them."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                promises = json.loads(self.path.read_text())
            except (OSError, ValueError):
                continue
            wanted = {entry(key): text(key, one) for key, one in promises.items()}
            changed = {key: said for key, said in wanted.items() if self._written.get(key) != said}
            if changed and await self._write(changed):
                self._written |= changed

    async def _write(self, changed: Mapping[str, str]) -> bool:
        try:
            await self.kube.send(
                "PATCH",
                f"{self._path()}/{self.name}",
                {"data": dict(changed)},
                content_type=MERGE_PATCH,
                fieldManager=MANAGER,
            )
        except KubeError as error:
            if error.status != 404:
                _log.warning("what clients were promised cannot be kept: %s", error)
                return False
            return await self._make(changed)
        return True

    async def _make(self, changed: Mapping[str, str]) -> bool:
        manifest = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": self.name, "labels": dict(self.labels)},
            "data": dict(changed),
        }
        try:
            await self.kube.send("POST", self._path(), manifest, fieldManager=MANAGER)
        except KubeError as error:
            _log.warning("what clients were promised cannot be kept: %s", error)
            return False
        return True

    def _path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/configmaps"


def entry(gateway: str) -> str:
    """The key of a gateway in the ConfigMap, which takes letters, digits, dots, dashes and underscores."""
    return gateway.replace("~", "_")


def text(gateway: str, announcements: Any) -> str:
    """Its value."""
    return json.dumps({"gateway": gateway, "announcements": announcements}, sort_keys=True)
