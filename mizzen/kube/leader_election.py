"""One of several replicas writes: who holds a Lease. As client-go's leader election, without its clocks' trust."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import field
from datetime import UTC, datetime
from typing import Any

from mizzen.kube.client import Json, Kube, KubeError
from mizzen.lazy import dataclass

LEASE = "mizzen-leader"  # with -REVISION behind it where it has a name
DURATION, RETRY = 30.0, 5.0  # seconds; Istio's lease, and how often it is renewed or tried for

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Leader:
    """Tries for the Lease until it holds it, and keeps it. `is_leader` tells."""

    kube: Kube
    namespace: str
    name: str
    identity: str
    on_change: Callable[[], None] = lambda: None
    duration: float = DURATION
    retry: float = RETRY
    is_leader: bool = False
    holder: str = ""  # as it was read last
    _seen: tuple[str, float] = ("", 0.0)  # (what the holder wrote, when we saw it change)
    _renewed: float = 0.0
    _lease: Json = field(default_factory=dict)

    async def run(self) -> None:
        """Until cancelled; then the Lease is given up, so that another need not wait for its end."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    holds = await self._step(loop.time())
                    self._renewed = loop.time() if holds else self._renewed
                except KubeError as error:
                    _log.debug("the Lease %s: %s", self.name, error)
                    # Nobody else may take it before its time is over, and we must stop before that.
                    holds = self.is_leader and loop.time() - self._renewed < self.duration * 0.6
                self._set(holds)
                await asyncio.sleep(self.retry)
        finally:
            if self.is_leader:
                self._set(False)
                await self._release()

    def _set(self, holds: bool) -> None:
        if holds != self.is_leader:
            self.is_leader = holds
            _log.info("%s %s the Lease %s", self.identity, "holds" if holds else "does not hold", self.name)
            self.on_change()

    async def _step(self, now: float) -> bool:
        path = f"/apis/coordination.k8s.io/v1/namespaces/{self.namespace}/leases"
        try:
            self._lease = await self.kube.get(f"{path}/{self.name}")
        except KubeError as error:
            if error.status != 404:
                raise
            fresh = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": self.name}}
            return await self._write("POST", path, fresh)
        spec: dict[str, Any] = self._lease.get("spec") or {}
        self.holder = spec.get("holderIdentity") or ""
        written = f"{self.holder} {spec.get('renewTime')}"
        if written != self._seen[0]:
            self._seen = (written, now)
        is_free = not self.holder or now - self._seen[1] >= float(spec.get("leaseDurationSeconds") or 0)
        if self.holder != self.identity and not is_free:
            return False
        return await self._write("PUT", f"{path}/{self.name}", self._lease)

    async def _write(self, method: str, path: str, lease: Json) -> bool:
        """False when somebody else was quicker."""
        before = lease.get("spec") or {}
        is_new = before.get("holderIdentity") != self.identity
        now = _now()
        spec = {
            **before,
            "holderIdentity": self.identity,
            "leaseDurationSeconds": max(int(self.duration), 1),
            "renewTime": now,
            "acquireTime": now if is_new else before.get("acquireTime", now),
            "leaseTransitions": int(before.get("leaseTransitions") or 0) + (1 if is_new else 0),
        }
        try:
            self._lease = await self.kube.send(method, path, {**lease, "spec": spec})
        except KubeError as error:
            if error.status == 409:
                return False
            raise
        self.holder = self.identity
        return True

    async def _release(self) -> None:
        path = f"/apis/coordination.k8s.io/v1/namespaces/{self.namespace}/leases/{self.name}"
        given_up = {**(self._lease.get("spec") or {}), "holderIdentity": "", "renewTime": _now()}
        try:
            await self.kube.send("PUT", path, {**self._lease, "spec": given_up})
        except KubeError as error:
            _log.debug("the Lease %s was not given up: %s", self.name, error)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
