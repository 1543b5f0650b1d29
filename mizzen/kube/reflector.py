"""Keeps all objects of one kind as the API server has them: list in pages, then watch, for ever.

What could not be read is never taken for gone: whatever goes wrong, the objects stay as they were read last.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import field
from typing import Any

from mizzen.kube.client import Json, Kube, KubeError
from mizzen.lazy import dataclass

PAGE = 500  # objects, as kubectl asks
FIRST_RETRY, LAST_RETRY = 0.2, 10.0  # seconds
ABSENT_RETRY = 2.0  # a kind whose CRD is not there yet
REFUSED_RETRY = 15.0  # a kind that we may not read

_log = logging.getLogger(__name__)

Key = tuple[str, str]  # namespace, name
Keep = Callable[[Json], Any]
OnObject = Callable[[Key, Any], None]  # what is kept of an object that is new or changed; None: it is gone


def _hear_nothing(_key: Key, _kept: Any) -> None:
    """Where nobody wants to know which object it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is watched: "virtualservices" of a group, in the first of its versions that is served."""

    kind: str
    group: str  # "" for the core
    versions: tuple[str, ...]
    plural: str
    namespace: str = ""  # "": all
    fields: str = ""  # a field selector
    name: str = ""  # one object
    has_status: bool = False  # its status is no part of what an object says, and somebody wants to know it
    is_needed: bool = False  # without it more would be let through: one that may not be read is waited for

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        name = f" {self.name}" if self.name else ""
        return f"{self.plural}{'.' + self.group if self.group else ''}{name}{where}"

    def path(self, version: str) -> str:
        root = f"/apis/{self.group}/{version}" if self.group else f"/api/{version}"
        inside = f"/namespaces/{self.namespace}" if self.namespace else ""
        return f"{root}{inside}/{self.plural}"


@dataclass(slots=True)
class Reflector:
    """The objects of one kind. `keep` makes of an object what is kept of it. All of this is of the event loop."""

    kube: Kube
    watched: Watched
    keep: Keep
    on_change: Callable[[], None]
    on_object: OnObject = _hear_nothing  # hears first what `on_change` is called for
    objects: dict[Key, Any] = field(default_factory=dict)
    # What `on_object` has heard last; equal to what is kept.
    _told: dict[Key, Any] = field(default_factory=dict)
    trouble: KubeError | None = None  # why it is not up to date; None while it is
    read: asyncio.Event = field(default_factory=asyncio.Event)  # listed once, or done without
    _failures: int = 0
    _is_listed: bool = False

    async def run(self) -> None:
        """Until cancelled."""
        path = version = ""
        while True:
            try:
                if not version:
                    path, version = await self._list()
                began = asyncio.get_running_loop().time()
                async for event in self.kube.watch(path, version, **self._selectors()):
                    version = self._take(event)
                    self._well()
                if asyncio.get_running_loop().time() - began < FIRST_RETRY:
                    await asyncio.sleep(FIRST_RETRY)  # a server that ends every watch at once
            except KubeError as error:
                if error.status in (404, 410):
                    version = ""  # list again: what was deleted meanwhile is not among the events
                await self._wait(await self._precise(error))

    # --- list ---------------------------------------------------------------------------------------

    async def _list(self) -> tuple[str, str]:
        """Read all anew; the path and the version to watch from."""
        path = self.watched.path(await self._served_version())
        found: dict[Key, Any] = {}
        page, version, limit = "", "", PAGE
        while True:
            try:
                answer = await self.kube.get(
                    path, limit=limit or None, **{"continue": page or None}, **self._selectors()
                )
            except KubeError as error:
                if error.status == 410 and page:  # the pages were too slow: all at once, as client-go does
                    found, page, limit = {}, "", 0
                    continue
                raise
            # Somebody else may go on meanwhile: a page takes some milliseconds.
            found |= await asyncio.to_thread(self._kept, answer.get("items") or ())
            meta = answer.get("metadata", {})
            page, version = meta.get("continue", ""), meta.get("resourceVersion", "")
            if not page:
                break
        changed = not self._is_listed
        for key in self.objects.keys() - found.keys():
            changed |= self._set(key, None)
        for key, kept in found.items():
            changed |= self._set(key, kept)
        self._is_listed = True
        self._well()
        self.read.set()
        if changed:
            self.on_change()
        return path, version

    def _kept(self, items: Iterable[Json]) -> dict[Key, Any]:
        return {_key(one): self.keep(one) for one in items}

    def _set(self, key: Key, kept: Any) -> bool:
        """Keep this of an object; None is that it is gone. Has it changed?

        Of many events nothing is new: a heartbeat, a status that we wrote ourselves. Then the object that was told
        of stays the one that counts.
        """
        if kept is None:
            self.objects.pop(key, None)
            if self._told.pop(key, None) is None:
                return False
        else:
            is_new = key not in self._told or self._told[key] != kept
            if is_new or self.watched.has_status:
                self.objects[key] = kept
            if not is_new:
                return False
            self._told[key] = kept
        self.on_object(key, kept)
        return True

    def put(self, before: Any, now: Any) -> None:
        """Another version of an object, of which no event has come yet, and which says the same."""
        key = (before.namespace, before.name)
        if self.objects.get(key) is before:
            self.objects[key] = now

    async def _served_version(self) -> str:
        if not self.watched.group or len(self.watched.versions) == 1:
            return self.watched.versions[0]
        answer = await self.kube.get(f"/apis/{self.watched.group}")
        served = {one.get("version") for one in answer.get("versions", ())}
        for version in self.watched.versions:
            if version in served:
                return version
        raise KubeError(404, f"{self.watched.group} is served in none of {', '.join(self.watched.versions)}")

    def _selectors(self) -> dict[str, str]:
        selectors = [self.watched.fields] if self.watched.fields else []
        if self.watched.name:
            selectors.append(f"metadata.name={self.watched.name}")
        return {"fieldSelector": ",".join(selectors)} if selectors else {}

    # --- watch --------------------------------------------------------------------------------------

    def _take(self, event: Json) -> str:
        """Follow one event; the version to go on from. KubeError for one that tells of an error."""
        kind, one = event.get("type"), event.get("object") or {}
        if kind == "ERROR":
            raise KubeError(int(one.get("code", 500)), str(one.get("message", "the watch failed")))
        version = str(one.get("metadata", {}).get("resourceVersion", ""))
        if kind == "BOOKMARK":
            return version
        if self._set(_key(one), None if kind == "DELETED" else self.keep(one)):
            self.on_change()
        return version

    # --- trouble ------------------------------------------------------------------------------------

    def _well(self) -> None:
        self._failures = 0
        if self.trouble is not None:
            _log.info("%s: read", self.watched)
            self.trouble = None
            self.on_change()

    async def _precise(self, error: KubeError) -> KubeError:
        """Rights are judged first: of a kind that may not be read, whether there is any such kind."""
        if error.status != 403 or not self.watched.is_needed:
            return error
        for version in self.watched.versions:
            try:
                answer = await self.kube.get(f"/apis/{self.watched.group}/{version}")
            except KubeError as other:
                if other.status == 404:
                    continue
                return error
            if any(one.get("name") == self.watched.plural for one in answer.get("resources", ())):
                return error
        return KubeError(404, f"{self.watched} is not defined")

    async def _wait(self, error: KubeError) -> None:
        if error.status == 410:
            return
        self._failures += 1
        wait = min(FIRST_RETRY * 2 ** min(self._failures - 1, 10), LAST_RETRY)
        if error.status == 404:
            wait = ABSENT_RETRY
        elif error.status == 403:
            wait = REFUSED_RETRY
        if error.status == 404 or (error.status == 403 and not self.watched.is_needed):
            self.read.set()
        if self.trouble is None or str(self.trouble) != str(error):
            # A CRD may come later; and a server that does not answer is told of once, not for each kind.
            is_quiet = error.status == 0 or (error.status == 404 and not self._is_listed)
            _log.log(logging.DEBUG if is_quiet else logging.WARNING, "%s: %s", self.watched, error)
            self.trouble = error
            self.on_change()
        await asyncio.sleep(max(wait * random.uniform(0.8, 1.2), error.retry_after))


def _key(one: Json) -> Key:
    meta = one.get("metadata", {})
    return meta.get("namespace", ""), meta.get("name", "")
