"""Taking an installation out of a cluster again, so that nothing of it stays but its namespaces."""

from collections.abc import Iterator
from dataclasses import dataclass

from mizzen.inject.container import ROOTS_CONFIG_MAP
from mizzen.install.site import API_VERSIONS, MANAGED_BY, REVISION
from mizzen.run.cluster import Cluster, Key
from mizzen.run.install import REMOVABLE, Change, Outcome, Say, installed

_CRD = "CustomResourceDefinition"
_CA_SECRET = "istio-ca-secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A Pod whose proxy is configured by the revision that goes."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Uninstaller:
    """`revision`: which one goes; None takes all, and what they share."""

    cluster: Cluster
    say: Say
    revision: str | None
    dry_run: bool = False

    def selector(self) -> str:
        """The labels of what goes."""
        ours = f"{MANAGED_BY}=mizzen"
        return ours if self.revision is None else f"{ours},{REVISION}={self.revision}"

    def found(self) -> list[Key]:
        """What is there to be removed. Raises ClusterError."""
        return list(installed(self.cluster, self.selector(), self._kinds()))

    def _kinds(self) -> tuple[str, ...]:
        return (*REMOVABLE, _CRD) if self.revision is None else REMOVABLE

    def proxies(self) -> list[Proxy]:
        """Sidecars that would lose their control plane. Raises ClusterError."""
        wanted = None if self.revision is None else self.revision
        found = []
        for pod in self.cluster.list("v1", "Pod"):
            metadata = pod["metadata"]
            annotations = metadata.get("annotations") or {}
            if "sidecar.istio.io/status" not in annotations:
                continue
            if wanted is None or annotations.get(REVISION, "default") == wanted:
                found.append(Proxy(namespace=metadata.get("namespace", ""), name=metadata["name"]))
        return found

    def uninstall(self) -> Outcome:
        """Remove everything, in the order in which it harms least. Raises ClusterError."""
        outcome = Outcome()
        namespaces = self._of_control_planes()
        for key in self.found():
            self._remove(key, outcome)
        if self._others():
            self.say("The certificates of the mesh stay: another control plane uses them.")
            return outcome
        for key in self._written(namespaces):
            self._remove(key, outcome)
        return outcome

    def _remove(self, key: Key, outcome: Outcome) -> None:
        if self.cluster.delete(key, dry_run=self.dry_run):
            outcome.changes.append((key, Change.REMOVED))
            self.say(f"  Removed {key}")

    def _of_control_planes(self) -> list[str]:
        """Where the control planes are that go."""
        labels = f"{self.selector()},app=istiod"
        found = self.cluster.list(API_VERSIONS["Deployment"], "Deployment", labels=labels)
        return sorted({one["metadata"]["namespace"] for one in found} | {"istio-system"})

    def _others(self) -> bool:
        """Whether a control plane stays, Istio's or another revision."""
        going = f"app=istiod,{MANAGED_BY}=mizzen"
        every = {_key(one) for one in self.cluster.list("apps/v1", "Deployment", labels="app=istiod")}
        if self.revision is not None:
            going += f",{REVISION}={self.revision}"
        return bool(every - {_key(one) for one in self.cluster.list("apps/v1", "Deployment", labels=going)})

    def _written(self, namespaces: list[str]) -> Iterator[Key]:
        """What the control plane has written while it ran."""
        for found in list(self.cluster.list("v1", "ConfigMap")):
            metadata = found["metadata"]
            if metadata["name"] == ROOTS_CONFIG_MAP:
                yield Key(
                    api_version="v1", kind="ConfigMap", namespace=metadata["namespace"], name=ROOTS_CONFIG_MAP
                )
        labels = self.selector()
        for namespace in namespaces:
            for lease in list(
                self.cluster.list("coordination.k8s.io/v1", "Lease", namespace=namespace, labels=labels)
            ):
                name = lease["metadata"]["name"]
                yield Key(api_version="coordination.k8s.io/v1", kind="Lease", namespace=namespace, name=name)
            if self.revision is None:
                yield Key(api_version="v1", kind="Secret", namespace=namespace, name=_CA_SECRET)


def _key(found: dict[str, object]) -> tuple[object, object]:
    metadata = found["metadata"]
    assert isinstance(metadata, dict)
    return metadata.get("namespace"), metadata["name"]
