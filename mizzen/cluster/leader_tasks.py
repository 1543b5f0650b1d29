"""What one replica does for all: the root in every namespace, and the webhooks' trust in it."""

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable
from dataclasses import field

from mizzen.inject.container import ROOTS_CONFIG_MAP
from mizzen.inject.validating import FORCED
from mizzen.kube.client import MERGE_PATCH, Json, Kube, KubeError
from mizzen.kube.reflector import Reflector, Watched
from mizzen.lazy import dataclass
from mizzen.sources.cluster import Cluster

MANAGER = "mizzen-pilot"  # not that of `mizzen install`, which leaves these fields alone
ROOT_KEY = "root-cert.pem"
LABELS = {"istio.io/config": "true"}
LOOK_SECONDS = 1.0
# Where Istio writes none either.
_SKIPPED = frozenset({"kube-public", "kube-node-lease", "local-path-storage"})
_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_INJECTOR, _VALIDATOR = "sidecar-injector.istio.io", "validation.istio.io"

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Chores:
    """Looks again and again whether something is to be done, and does it while `may_write`."""

    kube: Kube
    cluster: Cluster
    roots: Callable[[], str]  # PEM: what to trust
    may_write: Callable[[], bool]
    config_maps: Reflector = field(init=False)
    _told: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        watched = Watched(
            kind="ConfigMap", group="", versions=("v1",), plural="configmaps", name=ROOTS_CONFIG_MAP
        )
        self.config_maps = Reflector(self.kube, watched, _root_in, lambda: None)

    async def run(self) -> None:
        """Until cancelled."""
        watching = asyncio.create_task(self.config_maps.run())
        try:
            await self.config_maps.read.wait()
            while True:
                if self.may_write():
                    await self._spread()
                    await self._vouch()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            watching.cancel()

    async def _spread(self) -> None:
        """The root's certificate, in the ConfigMap of each namespace."""
        roots = self.roots()
        there = {namespace: text for (namespace, _), text in list(self.config_maps.objects.items())}
        for one in list(self.cluster.reflectors["namespaces"].objects.values()):
            name = one.name
            ends = one.data.get("metadata", {}).get("deletionTimestamp")
            if name in _SKIPPED or ends or there.get(name) == roots:
                continue
            manifest = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": ROOTS_CONFIG_MAP, "namespace": name, "labels": LABELS},
                "data": {ROOT_KEY: roots},
            }
            path = f"/api/v1/namespaces/{name}/configmaps/{ROOTS_CONFIG_MAP}"
            if await self._try(
                self.kube.apply(path, manifest, manager=MANAGER), f"the ConfigMap {name}/{ROOTS_CONFIG_MAP}"
            ):
                self.config_maps.objects[name, ROOTS_CONFIG_MAP] = roots

    async def _vouch(self) -> None:
        """The root in the webhooks of this revision, so that the API server trusts who answers.

        Validation begins with `failurePolicy: Ignore`, and gets `Fail` once an object that must be refused is.
        """
        bundle = base64.b64encode(self.roots().encode()).decode()
        for plural in ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"):
            try:
                found = await self.kube.get(
                    f"{_ADMISSION}/{plural}", labelSelector=f"istio.io/rev={self.cluster.revision}"
                )
            except KubeError as error:
                self._tell(plural, str(error))
                continue
            for one in found.get("items", ()):
                patch = trusting(one, bundle)
                if patch is None and is_lenient(one) and await self._is_refused():
                    patch = strict(one)
                if patch:
                    name = one["metadata"]["name"]
                    path = f"{_ADMISSION}/{plural}/{name}"
                    sent = self.kube.send(
                        "PATCH", path, patch, content_type=MERGE_PATCH, fieldManager=MANAGER
                    )
                    await self._try(sent, f"the webhook {name}")

    async def _is_refused(self) -> bool:
        """Does our webhook refuse a Gateway that asks for it? Nothing is kept of the trial."""
        namespace = self.cluster.system_namespace
        gateway = {
            "apiVersion": "networking.istio.io/v1",
            "kind": "Gateway",
            "metadata": {
                "name": "mizzen-always-rejected",
                "namespace": namespace,
                "annotations": {FORCED: "true"},
                "labels": {"istio.io/rev": self.cluster.revision},
            },
            "spec": {"servers": []},
        }
        path = f"/apis/networking.istio.io/v1/namespaces/{namespace}/gateways"
        try:
            await self.kube.send("POST", path, gateway, dryRun="All")
        except KubeError as error:
            return FORCED in str(error)
        return False

    async def _try(self, request: Awaitable[Json], what: str) -> bool:
        try:
            await request
        except KubeError as error:
            if error.status != 409:  # somebody else wrote: look again
                self._tell(what, str(error))
            return False
        self._told.pop(what, None)
        return True

    def _tell(self, what: str, why: str) -> None:
        if self._told.get(what) != why:
            self._told[what] = why
            _log.warning("%s is not as it should be: %s", what, why)


def trusting(configuration: Json, bundle: str) -> Json | None:
    """A merge patch that puts the trust (base64 of PEM) into every webhook that is ours; None when it is there."""
    webhooks = configuration.get("webhooks", [])
    wanted = [
        {**one, "clientConfig": {**one.get("clientConfig", {}), "caBundle": bundle}} if _is_ours(one) else one
        for one in webhooks
    ]
    if wanted == webhooks:
        return None
    version = configuration["metadata"]["resourceVersion"]
    return {"metadata": {"resourceVersion": version}, "webhooks": wanted}


def is_lenient(configuration: Json) -> bool:
    """Does a validating webhook of ours let pass what it could not be asked about?"""
    return configuration.get("kind") != "MutatingWebhookConfiguration" and any(
        _is_ours(one) and _VALIDATOR in one["name"] and one.get("failurePolicy") == "Ignore"
        for one in configuration.get("webhooks", ())
    )


def strict(configuration: Json) -> Json:
    """A merge patch that refuses what our webhooks could not be asked about."""
    webhooks = [
        {**one, "failurePolicy": "Fail"} if _is_ours(one) else one for one in configuration["webhooks"]
    ]
    return {
        "metadata": {"resourceVersion": configuration["metadata"]["resourceVersion"]},
        "webhooks": webhooks,
    }


def _is_ours(webhook: Json) -> bool:
    name = str(webhook.get("name", ""))
    return name.endswith((_INJECTOR, f".{_VALIDATOR}")) or name == _VALIDATOR


def _root_in(config_map: Json) -> str:
    return str((config_map.get("data") or {}).get(ROOT_KEY, ""))
