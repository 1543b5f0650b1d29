"""HTTPS records in a cluster: objects for external-dns, notes on what was written, and what all replicas announce."""

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any

from mizzen.cluster.leader_tasks import MANAGER
from mizzen.dns.endpoints import API_VERSION, MANAGED, PLURAL, dns_endpoint
from mizzen.kube.client import Json, Kube, KubeError
from mizzen.lazy import dataclass
from mizzen.plane.dns_keeper import NotesUnread, NotesUnwritten
from mizzen.plane.dns_upkeep import Objects
from mizzen.plane.effects import ServerKey
from mizzen.status import Status

_GROUP = f"/apis/{API_VERSION}"
_LONGEST_NAME = 253
_KEY = "dns.json"

_log = logging.getLogger(__name__)


def listed_of(replicas: Iterable[Status]) -> dict[ServerKey, bool]:
    """Whether DNS may name a server, as the replicas say to which its Envoys are connected: each of these must say so."""
    found: dict[ServerKey, bool] = {}
    for replica in replicas:
        for envoy in replica.gateways.values():
            if not envoy.version:
                continue  # it is connected elsewhere, or nowhere
            called = envoy.key.partition("~")[0]
            for mirror in envoy.mirrors:
                key = (called, f"alt-svc/{mirror.server}")
                is_listed = mirror.dns is not None and mirror.dns.is_listed
                found[key] = found.get(key, True) and is_listed
    return found


@dataclass(slots=True)
class DnsEndpoints:
    """The objects of one control plane, found again by its labels."""

    kube: Kube
    revision: str

    async def apply(self, objects: Objects) -> str:
        """Have exactly these, an object for each policy; why that failed, "" when it did not."""
        labels = self._labels
        wanted: dict[tuple[str, str], Json] = {}
        for policy, listed in objects.items():
            if listed:
                name = f"mizzen-{policy.name}"[:_LONGEST_NAME].rstrip("-.")
                made = dns_endpoint(name, policy.namespace, listed)
                made["metadata"]["labels"] = dict(labels)
                wanted[policy.namespace, name] = made
        try:
            selector = ",".join(f"{key}={value}" for key, value in labels.items())
            found = await self.kube.get(f"{_GROUP}/{PLURAL}", labelSelector=selector)
            there = {_key_of(one): one for one in found.get("items") or ()}
            for key in sorted(there.keys() - wanted.keys()):
                await self.kube.send("DELETE", _path(key))
            for key, made in sorted(wanted.items()):
                if key not in there or there[key].get("spec") != made["spec"]:
                    await self._take(key, made)
        except KubeError as error:
            return self._why(error, is_wanted=bool(wanted))
        return ""

    async def _take(self, key: tuple[str, str], made: Json) -> None:
        try:
            other = await self.kube.get(_path(key))
        except KubeError as error:
            if error.status != 404:
                raise
        else:
            said = other.get("metadata", {}).get("labels") or {}
            if any(said.get(label) != value for label, value in self._labels.items()):
                raise KubeError(409, f"the DNSEndpoint {key[0]}/{key[1]} is somebody else's")
        await self.kube.apply(_path(key), made, manager=MANAGER)

    @staticmethod
    def _why(error: KubeError, *, is_wanted: bool) -> str:
        if error.status == 404:
            return "the cluster has no kind DNSEndpoint (externaldns.k8s.io/v1alpha1)" if is_wanted else ""
        return str(error)

    @property
    def _labels(self) -> Mapping[str, str]:
        return {**MANAGED, "istio.io/rev": self.revision}


def _key_of(one: Json) -> tuple[str, str]:
    return one["metadata"]["namespace"], one["metadata"]["name"]


def _path(key: tuple[str, str]) -> str:
    namespace, name = key
    return f"{_GROUP}/namespaces/{namespace}/{PLURAL}/{name}"


@dataclass(slots=True)
class ConfigMapNotes:
    """Notes in a ConfigMap, for the next leader."""

    kube: Kube
    namespace: str
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)

    async def load(self) -> Any:
        """What the leader before noted down."""
        try:
            found = await self.kube.get(self._path)
            return json.loads((found.get("data") or {}).get(_KEY, "null"))
        except KubeError as error:
            if error.status != 404:
                raise NotesUnread(str(error)) from error
        except ValueError:
            _log.warning(
                "what was written into DNS before is not known: the ConfigMap %s holds none", self.name
            )
        return None

    async def save(self, value: Any) -> None:
        manifest = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": dict(self.labels)},
            "data": {_KEY: json.dumps(value, sort_keys=True)},
        }
        try:
            await self.kube.apply(self._path, manifest, manager=MANAGER)
        except KubeError as error:
            why = f"what is written cannot be noted down in the ConfigMap {self.name}: {error}"
            raise NotesUnwritten(why) from error

    @property
    def _path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/configmaps/{self.name}"
