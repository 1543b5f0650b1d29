"""Taking an installation out of a cluster again, so that nothing of it stays but its namespaces."""

import asyncio
from dataclasses import replace

from mizzen.authority.store import ROOTS
from mizzen.cluster.leader_tasks import MANAGER
from mizzen.dns.endpoints import API_VERSION, KIND
from mizzen.inject.container import ROOTS_CONFIG_MAP, SESSION_TICKETS
from mizzen.install.apply.install import REMOVABLE, Change, Outcome, Say, installed
from mizzen.install.apply.objects import Key, Objects, key_of
from mizzen.install.site import API_VERSIONS, DEFAULT_REVISION, MANAGED_BY, REVISION
from mizzen.kube.client import Json
from mizzen.kube.leader_election import LEASE
from mizzen.lazy import dataclass

_CRD = "CustomResourceDefinition"
_CA_SECRET = "istio-ca-secret"
_STATUS = "sidecar.istio.io/status"
_LAST_WORDS = 30  # seconds in which a control plane that was told to end may still write


@dataclass(frozen=True, slots=True, kw_only=True)
class Uninstaller:
    """`revision`: which one goes; None takes all, and what they share. Methods raise ClusterError."""

    objects: Objects
    say: Say
    revision: str | None

    async def found(self) -> list[Key]:
        """What is there to be removed, in the order in which it goes."""
        kinds = (*REMOVABLE, _CRD) if self.revision is None else REMOVABLE
        return await installed(self.objects, self._ours(), kinds)

    async def proxies(self) -> tuple[str, ...]:
        """Pods (NAME.NAMESPACE) whose sidecar would lose its control plane."""
        found = []
        for pod in await self.objects.list("v1", "Pod"):
            metadata = pod["metadata"]
            annotations = metadata.get("annotations") or {}
            revision = annotations.get(REVISION, "default")
            if _STATUS in annotations and self.revision in (None, revision):
                found.append(f"{metadata['name']}.{metadata['namespace']}")
        return tuple(sorted(found))

    async def uninstall(self) -> Outcome:
        """Remove everything, in the order in which it harms least."""
        outcome = Outcome()
        going = await self._control_planes(self._ours())
        staying = await self._control_planes("") - going
        namespaces = {namespace for namespace, _ in going} or {"istio-system"}
        for key in await self.found():
            await self._remove(key, outcome)
        if not self.objects.dry_run:
            await self._end_of(namespaces)
        for key in (*await self._written(), *await self._leases(namespaces), *await self.records()):
            await self._remove(key, outcome)
        if staying:
            names = ", ".join(sorted(f"{name}.{namespace}" for namespace, name in staying))
            self.say(f"  The root of the mesh stays: {names} may use it")
            return outcome
        for key in await self._roots(namespaces):
            await self._remove(key, outcome)
        return outcome

    def _ours(self) -> str:
        ours = f"{MANAGED_BY}=mizzen"
        return ours if self.revision is None else f"{ours},{REVISION}={self.revision}"

    async def _remove(self, key: Key, outcome: Outcome) -> None:
        if await self.objects.delete(key):
            outcome.changes.append((key, Change.REMOVED))
            self.say(f"  Removed {key}")

    async def _control_planes(self, labels: str) -> set[tuple[str, str]]:
        """(namespace, name) of the control planes with these labels, Istio's among them."""
        selector = f"app=istiod{f',{labels}' if labels else ''}"
        found = await self.objects.list(API_VERSIONS["Deployment"], "Deployment", labels=selector)
        return {(one["metadata"]["namespace"], one["metadata"]["name"]) for one in found}

    async def _end_of(self, namespaces: set[str]) -> None:
        """Wait until nobody is left who would write again what is removed next."""
        labels = f"app=istiod{'' if self.revision is None else f',{REVISION}={self.revision}'}"
        for _ in range(_LAST_WORDS):
            left = [await self.objects.list("v1", "Pod", namespace=one, labels=labels) for one in namespaces]
            if not any(left):
                return
            await asyncio.sleep(1)

    async def _written(self) -> list[Key]:
        """What a control plane has written again while it ended: promises, and which records are its own."""
        return [] if self.objects.dry_run else await installed(self.objects, self._ours(), ("ConfigMap",))

    async def records(self) -> list[Key]:
        """What the control plane handed to external-dns; printed objects that somebody applied are his."""
        labels = f"{self._ours()},{REVISION}" if self.revision is None else self._ours()
        return [key_of(one) for one in await self.objects.list(API_VERSION, KIND, labels=labels)]

    async def _leases(self, namespaces: set[str]) -> list[Key]:
        found = []
        for namespace in sorted(namespaces):
            leases = await self.objects.list("coordination.k8s.io/v1", "Lease", namespace=namespace)
            found += [key_of(one) for one in leases]
        if self.revision is None:
            return [key for key in found if key.name.startswith(LEASE)]
        own = LEASE if self.revision == DEFAULT_REVISION else f"{LEASE}-{self.revision}"
        return [key for key in found if key.name == own]

    async def _roots(self, namespaces: set[str]) -> list[Key]:
        """What the control plane has written of its root: certificates, and with everything, its key; and of tickets."""
        fields = f"metadata.name={ROOTS_CONFIG_MAP}"
        copies = await self.objects.list("v1", "ConfigMap", fields=fields)
        found = [key_of(one) for one in copies if _is_from_us(one)]
        if self.revision is None:
            for namespace in sorted(namespaces):
                key = Key(api_version="v1", kind="Secret", namespace=namespace, name=_CA_SECRET)
                secret = await self.objects.get(key)
                if secret is not None and ROOTS in (secret.get("data") or {}):
                    found.append(key)
                tickets = replace(key, name=SESSION_TICKETS)
                if await self.objects.get(tickets) is not None:
                    found.append(tickets)
        return found


def _is_from_us(found: Json) -> bool:
    """Whether nobody else has a word in an object: another mesh's control plane writes one of the same name."""
    managers = {one.get("manager") for one in found["metadata"].get("managedFields") or ()}
    return managers == {MANAGER}
