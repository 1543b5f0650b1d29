"""The leader's report to users: the status of their objects, and events where a verdict has turned.

Written only where something has changed, a few at a time.
"""

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.request import Request, urlopen

from mizzen.cluster import conditions, ingress_status
from mizzen.cluster.http import HTTP_PORT
from mizzen.cluster.leader_tasks import MANAGER
from mizzen.kube.client import MERGE_PATCH, Json, Kube, KubeError
from mizzen.lazy import dataclass
from mizzen.resources.raw_objects import RawObject
from mizzen.resources.world import World
from mizzen.sources.cluster import Cluster
from mizzen.status import ProblemValue, Status

LOOK_SECONDS = 2.0
MOST_WRITES = 20  # at one look: 600 in a minute
_ASK_SECONDS = 5.0
_WINDOW = 60  # seconds for which what a replica shows its peers is good, and as long again

_log = logging.getLogger(__name__)


def pass_word(key: bytes, at: datetime, *, earlier: int = 0) -> str:
    """What replicas show each other: only they have the `key` of the mesh's authority."""
    window = int(at.timestamp()) // _WINDOW - earlier
    return hmac.new(key, f"status {window}".encode(), hashlib.sha256).hexdigest()


def is_pass_word(text: str, key: bytes, at: datetime) -> bool:
    """Of this minute, or of the last."""
    return any(hmac.compare_digest(text, pass_word(key, at, earlier=one)) for one in (0, 1))


@dataclass(slots=True)
class Reporter:
    """Looks again and again, and writes while `may_write`."""

    kube: Kube
    cluster: Cluster
    own: Callable[[], Status]  # what this replica says of itself
    peers: Callable[[], tuple[str, ...]]  # the addresses of the others
    key: Callable[[], bytes]
    may_write: Callable[[], bool]
    world: Callable[[], World | None] = lambda: None  # what was built last
    heard: Callable[[Sequence[Status]], object] = lambda _: None  # is told what all replicas say
    _refused: dict[str, str] = field(default_factory=dict)
    # The status that was written last, and into which version of an object: a watch may tell of it later.
    _written: dict[str, tuple[RawObject, Json]] = field(default_factory=dict)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self.may_write():
                try:
                    await self._report()
                except Exception:  # noqa: BLE001  # a report that fails takes nothing from anybody
                    _log.exception("the status of objects could not be written")

    async def _report(self) -> None:
        replicas = [self.own(), *await asyncio.gather(*(self._ask(address) for address in self.peers()))]
        self.heard(replicas)
        held = await asyncio.to_thread(conditions.holders, replicas)
        problems: dict[str, list[ProblemValue]] = {}
        for problem in replicas[0].problems:
            problems.setdefault(problem.resource, []).append(problem)
        writes = 0
        for one in self._objects():
            ref, before = str(one.ref), self._status_of(one)
            after = conditions.status_of(
                one.kind,
                generation=int(one.data["metadata"].get("generation", 0)),
                problems=problems.get(ref, ()),
                held=held.get(ref, conditions.Held()),
                before=before,
                now=datetime.now(UTC),
            )
            if conditions.changed(before, after):
                await self._write(one, before, after)
                writes += 1
            if writes >= MOST_WRITES:
                return
        await self._report_ingresses(MOST_WRITES - writes)

    async def _report_ingresses(self, most: int) -> None:
        world = self.world()
        found = list(islice(ingress_status.outdated(world), most)) if world is not None else []
        for ingress, addresses in found:
            ref = str(ingress.ref)
            path = (
                f"/apis/networking.k8s.io/v1/namespaces/{ingress.namespace}/ingresses/{ingress.name}/status"
            )
            status = {"status": {"loadBalancer": {"ingress": addresses}}}
            try:
                await self.kube.send("PATCH", path, status, content_type=MERGE_PATCH, fieldManager=MANAGER)
                self._refused.pop(ref, None)
            except KubeError as error:
                self._say_refused(ref, error)

    def _say_refused(self, ref: str, error: KubeError) -> None:
        if error.status != 404 and self._refused.get(ref) != str(error):
            self._refused[ref] = str(error)
            _log.warning("the status of %s cannot be written: %s", ref, error)

    def _status_of(self, one: RawObject) -> Mapping[str, Any]:
        """As the API server has it. What was read is left as it is: others read it in their threads."""
        written = self._written.get(str(one.ref))
        if written is not None and written[0] is one:
            return written[1]
        return one.data.get("status") or {}

    def _objects(self) -> list[RawObject]:
        found = [
            one
            for reflector in self.cluster.reflectors.values()
            if reflector.watched.kind in conditions.KINDS
            for one in list(reflector.objects.values())
        ]
        return sorted(found, key=lambda one: str(one.ref))

    async def _ask(self, address: str) -> Status:
        """What another replica says; nothing of one that does not answer."""
        request = Request(
            f"http://{address}:{HTTP_PORT}/debug/status",
            headers={"authorization": f"Bearer {pass_word(self.key(), datetime.now(UTC))}"},
        )
        try:
            return Status.from_json(await asyncio.to_thread(_fetched, request))
        except (OSError, ValueError) as error:
            _log.debug("the replica at %s does not answer: %s", address, error)
            return Status()

    async def _write(self, one: RawObject, before: Mapping[str, Any], after: Json) -> None:
        ref = str(one.ref)
        plural = self._plural(one)
        path = f"/apis/{one.api_version}/namespaces/{one.namespace}/{plural}/{one.name}/status"
        try:
            written = await self.kube.send(
                "PATCH", path, {"status": after}, content_type=MERGE_PATCH, fieldManager=MANAGER
            )
            self._refused.pop(ref, None)
        except KubeError as error:
            self._say_refused(ref, error)
            return
        self._written[ref] = (one, written.get("status", {}))
        self.cluster.follow_status(one, written.get("status", {}))
        for condition in conditions.turned(before, after):
            await self._tell(one, condition)

    def _plural(self, one: RawObject) -> str:
        return next(r.watched.plural for r in self.cluster.reflectors.values() if r.watched.kind == one.kind)

    async def _tell(self, one: RawObject, condition: Mapping[str, Any]) -> None:
        """An event about an object, as `kubectl describe` shows it."""
        now = datetime.now(UTC)
        meta = one.data["metadata"]
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{one.name[:200]}.", "namespace": one.namespace},
            "involvedObject": {
                "apiVersion": one.api_version,
                "kind": one.kind,
                "namespace": one.namespace,
                "name": one.name,
                "uid": meta.get("uid", ""),
                "resourceVersion": meta.get("resourceVersion", ""),
            },
            "type": "Normal" if condition["status"] == "True" else "Warning",
            "reason": f"{condition['type']}{'' if condition['status'] == 'True' else 'Failed'}",
            "message": condition["message"],
            "source": {"component": MANAGER},
            "firstTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lastTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "count": 1,
        }
        try:
            await self.kube.send("POST", f"/api/v1/namespaces/{one.namespace}/events", event)
        except KubeError as error:
            _log.debug("no event of %s: %s", one.ref, error)


def _fetched(request: Request) -> Any:
    with urlopen(request, timeout=_ASK_SECONDS) as answer:
        return json.loads(answer.read())
