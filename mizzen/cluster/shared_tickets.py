"""What the keys of session tickets are made of, in a Secret: all replicas, and whoever follows them, have the same.

The leader alone rotates; the others follow the Secret. Who removes it makes all tickets worthless at once: the leader
begins anew.
"""

import base64
import binascii
import json
import logging
import secrets
from datetime import datetime
from typing import Any

from mizzen.cluster.leader_tasks import MANAGER
from mizzen.http3.session_tickets import SEED_BYTES, Seeds, from_json, to_json
from mizzen.inject.container import SESSION_TICKETS
from mizzen.kube.client import Json, Kube, KubeError
from mizzen.lazy import dataclass

_KEY = "session-tickets.json"

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class SharedTickets:
    """Carries them between the Secret and the control plane."""

    kube: Kube
    namespace: str
    seeds: Seeds = Seeds()
    version: str = ""  # of the Secret that they are of

    async def open(self, now: datetime) -> None:
        """Read the Secret; make it when there is none. KubeError when neither can be done."""
        if (there := await self._read()) is not None:
            self.take(there)
            return
        made = Seeds().advanced(now, _fresh())
        try:
            self._taken(await self.kube.send("POST", self._path(), self._secret(made), fieldManager=MANAGER))
        except KubeError as error:
            if error.status != 409:
                raise
            if (there := await self._read()) is not None:  # another replica was quicker
                self.take(there)

    def take(self, secret: Json) -> None:
        """What a Secret says. One that is not ours counts as nothing, and is overwritten when it is time for other keys."""
        version = str(secret["metadata"].get("resourceVersion", ""))
        if version and version == self.version:
            return
        try:
            self._taken(secret)
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            _log.warning("the Secret %s/%s holds no keys of session tickets", self.namespace, SESSION_TICKETS)
            self.version = version

    async def maintain(self, now: datetime) -> None:
        """The leader's: rotate, if it is time for it. KubeError when that cannot be written: it is as if it had not been."""
        seeds = self.seeds.advanced(now, _fresh())
        if seeds == self.seeds:
            return
        secret = self._secret(seeds)
        secret["metadata"]["resourceVersion"] = self.version
        self._taken(
            await self.kube.send("PUT", f"{self._path()}/{SESSION_TICKETS}", secret, fieldManager=MANAGER)
        )

    def _taken(self, secret: Json) -> None:
        value: Any = json.loads(base64.b64decode((secret.get("data") or {})[_KEY]))
        self.seeds = from_json(value)
        self.version = str(secret["metadata"].get("resourceVersion", ""))

    async def _read(self) -> Json | None:
        try:
            return await self.kube.get(f"{self._path()}/{SESSION_TICKETS}")
        except KubeError as error:
            if error.status == 404:
                return None
            raise

    def _path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/secrets"

    def _secret(self, seeds: Seeds) -> Json:
        content = base64.b64encode(json.dumps(to_json(seeds)).encode()).decode()
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": SESSION_TICKETS, "namespace": self.namespace},
            "type": "Opaque",
            "data": {_KEY: content},
        }


def _fresh() -> bytes:
    return secrets.token_bytes(SEED_BYTES)
