"""Bringing a cluster to what manifests say: apply in order, wait until it runs, prune what is no longer said."""

from collections.abc import Callable, Sequence
from dataclasses import field
from enum import Enum

from mizzen.inject.container import Manifest
from mizzen.install.apply.objects import ClusterError, Key, Objects, key_of
from mizzen.install.apply.waiting import Wait
from mizzen.install.changes import is_left, is_ours, said, to_apply
from mizzen.install.manifests import stages
from mizzen.install.site import API_VERSIONS, MANAGED_BY, OWNER, OWNER_NAMESPACE, REVISION
from mizzen.kube.client import Json
from mizzen.lazy import dataclass

Say = Callable[[str], None]

# In the order in which they go when they are no longer wanted: what calls before what is called.
REMOVABLE = (
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "NetworkPolicy",
    "Service",
    "Deployment",
    "ConfigMap",
    "RoleBinding",
    "Role",
    "ClusterRoleBinding",
    "ClusterRole",
    "ServiceAccount",
)

_CALLED = {
    "Base": "Core",
    "Pilot": "Control plane",
    "IngressGateways": "Ingress gateways",
    "EgressGateways": "Egress gateways",
}


class Change(Enum):
    """What became of one object."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    LEFT = "left alone"
    REMOVED = "removed"


class Foreign(ClusterError):
    """Something of this name exists, and is not mizzen's."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """Every object that was looked at, in order."""

    changes: list[tuple[Key, Change]] = field(default_factory=list)

    def count(self, *wanted: Change) -> int:
        return sum(change in wanted for _, change in self.changes)

    @property
    def changed(self) -> bool:
        return self.count(Change.CREATED, Change.CHANGED, Change.REMOVED) > 0


def called(component: str) -> str:
    """A component's name for people."""
    return _CALLED.get(component, component)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer:
    """Applies to one cluster. `say` gets one line for each thing that is done."""

    objects: Objects
    say: Say
    wait: Wait | None  # None: nothing is waited for
    force: bool = False  # take over what another installer has made

    async def install(self, manifests: tuple[Manifest, ...]) -> Outcome:
        """Apply each component and wait for it; then remove what this installation no longer says.

        Raises:
            ClusterError: at the first refusal, or NotReady when something does not come up in time. What was
                applied before stays.
        """
        outcome = Outcome()
        present = await self._present(manifests)
        for component, group in stages(manifests):
            for manifest in group:
                await self._one(manifest, present, outcome)
            if self.wait is not None and not self.objects.dry_run:
                await self.wait.until_ready(called(component), group)
            done = "can be installed" if self.objects.dry_run else "installed"
            self.say(f"✔ {called(component)} {done}")
        await self._prune(manifests, outcome)
        return outcome

    async def _present(self, manifests: tuple[Manifest, ...]) -> dict[Key, Json | None]:
        """What is there, read before anything is written: one object of somebody else stops everything."""
        present = {key: await self.objects.get(key) for key in map(key_of, manifests)}
        if self.force:
            return present
        for manifest in manifests:
            found = present[key_of(manifest)]
            if found is None or is_ours(found) or is_left(manifest, found):
                continue
            raise Foreign(
                f"{key_of(manifest)} exists and was not installed by mizzen; "
                "give this installation a --revision of its own to run beside it, or --force to take it over"
            )
        return present

    async def _one(self, manifest: Manifest, present: dict[Key, Json | None], outcome: Outcome) -> None:
        key = key_of(manifest)
        before = present[key]
        if before is not None and is_left(manifest, before):
            outcome.changes.append((key, Change.LEFT))
            return
        applied = to_apply(manifest)
        if before is None and applied is not manifest:
            # What is said once and then belongs to the control plane must be there from the start.
            await self.objects.create(manifest)
        if before is None and self.objects.dry_run and not await self._can_be_tried(key):
            outcome.changes.append((key, Change.CREATED))
            return
        after = await self.objects.apply(applied)
        change = Change.CREATED if before is None else _compared(before, after)
        outcome.changes.append((key, change))

    async def _can_be_tried(self, key: Key) -> bool:
        """A dry run leaves no namespace behind in which the next object could be tried."""
        if not key.namespace:
            return True
        return await self.objects.get(Key(api_version="v1", kind="Namespace", name=key.namespace)) is not None

    async def _prune(self, manifests: tuple[Manifest, ...], outcome: Outcome) -> None:
        """Remove what the same IstioOperator has installed for the same revision, and no longer says."""
        for key in await unsaid(self.objects, manifests):
            if await self.objects.delete(key):
                outcome.changes.append((key, Change.REMOVED))
                done = "Would remove" if self.objects.dry_run else "Removed"
                self.say(f"✔ {done} {key}, which is no longer asked for")


def _compared(before: Json, after: Json) -> Change:
    return Change.UNCHANGED if said(before) == said(after) else Change.CHANGED


def _owned_by(manifest: Manifest) -> str:
    """The selector of everything that came with a manifest; "" where it is of no installation."""
    labels = manifest["metadata"].get("labels") or {}
    if OWNER not in labels:
        return ""
    names = (MANAGED_BY, OWNER, OWNER_NAMESPACE, REVISION)
    return ",".join(f"{name}={labels[name]}" for name in names)


async def unsaid(objects: Objects, manifests: Sequence[Manifest]) -> list[Key]:
    """What the same IstioOperator has installed for the same revision and `manifests` no longer hold."""
    kept = {key_of(manifest) for manifest in manifests}
    found: list[Key] = []
    for labels in sorted({text for one in manifests if (text := _owned_by(one))}):
        found += [key for key in await installed(objects, labels) if key not in kept]
    return found


async def installed(objects: Objects, labels: str, kinds: Sequence[str] = REMOVABLE) -> list[Key]:
    """What bears `labels`, in the order in which it is to go."""
    found = [await objects.list(API_VERSIONS[kind], kind, labels=labels) for kind in kinds]
    return [key_of(one) for of_kind in found for one in of_kind]
