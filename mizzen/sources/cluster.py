"""The objects of a Kubernetes cluster: list, and watch for changes. The same face as `sources.files`."""

import asyncio
import hashlib
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import field, replace
from functools import partial
from itertools import chain
from typing import Any

import msgspec

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.guard import words_of
from mizzen.kube.client import Json, Kube
from mizzen.kube.reflector import Key, Reflector, Watched
from mizzen.lazy import dataclass
from mizzen.resources.closing import GUARDS
from mizzen.resources.kinds import EXTENSIONS, INERT, KINDS, NETWORKING, OWN, SECURITY, TELEMETRY, group_of
from mizzen.resources.kubernetes.metadata import LAST_APPLIED
from mizzen.resources.raw_objects import RawObject
from mizzen.sources.hold_off import HoldOff
from mizzen.sources.listing import Difference, Listing, difference
from mizzen.sources.mesh_text import Mesh, MeshText

CATALOGUE = {
    "K8S-001": "A kind of objects may not be read: the ServiceAccount lacks a right.",
    "K8S-002": "The API server does not answer; what was read last stays in force.",
    "K8S-003": "A kind that was there is gone from the API server; its objects stay in force.",
    "K8S-004": "The mesh's configuration in its ConfigMap cannot be read; the last good one stays in force, and "
    "without one nothing is served.",
}

SYSTEM_NAMESPACE = "istio-system"
REVISION_LABEL = "istio.io/rev"
INJECTOR = "istio-sidecar-injector"
# What takes part in nothing and would fill the memory: Helm's releases, tokens of old.
_SECRETS = "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token"
# What a load balancer refused.
_EVENTS = "involvedObject.kind=Service,reason=SyncLoadBalancerFailed"
_FROM_CLUSTER = ("Service", "EndpointSlice", "Pod", "Namespace", "Node", "Ingress", "IngressClass")
_ISTIO = frozenset({NETWORKING, SECURITY, TELEMETRY, EXTENSIONS})
_CONCERNED = _ISTIO | {OWN}
# Of metadata: what the API server says of every version.
_TOLD = frozenset({"resourceVersion", "generation"})

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Cluster:
    """Watches what a control plane needs."""

    kube: Kube
    system_namespace: str = SYSTEM_NAMESPACE
    revision: str = "default"
    # Is whatever keeps requests out read before anything is served? Whoever only looks does without.
    needs_guards: bool = True
    # Is what kubectl notes of an object kept, for whoever asks what applying files would make of it?
    keeps_applied: bool = False
    reflectors: dict[str, Reflector] = field(default_factory=dict)
    # Whoever builds of a listing may tell it what that costs.
    hold_off: HoldOff = field(default_factory=HoldOff)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    # What has been read, and no listing knows of yet: by reflector. The event loop puts in, listings take out.
    _news: deque[tuple[Watched, Key, Any]] = field(default_factory=deque)
    # Of all that follows, since threads ask for listings.
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _parts: dict[str, dict[Key, RawObject]] = field(default_factory=dict)  # by reflector
    _mesh: "Mesh" = field(init=False)
    _last: Listing | None = None

    def __post_init__(self) -> None:
        self._mesh = Mesh(self.system_namespace, self.mesh_config_map)

    def start(self) -> None:
        """Begin to read. `ready` tells when everything has been read once."""
        for kind in KINDS.values():
            if kind.group in _CONCERNED or kind.kind in _FROM_CLUSTER:
                self._follow(
                    Watched(
                        kind=kind.kind,
                        group=kind.group,
                        versions=kind.versions,
                        plural=plural(kind.kind),
                        has_status=kind.group in _CONCERNED,
                        is_needed=self.needs_guards and (kind.may_guard or kind.kind in GUARDS),
                    )
                )
        for inert in INERT.values():
            versions = ("v1", "v1beta1", "v1alpha3", "v1alpha1")
            self._follow(
                Watched(kind=inert.kind, group=inert.group, versions=versions, plural=plural(inert.kind))
            )
        self._follow(self._config_map(self.mesh_config_map), keep=MeshText.of)
        self._follow(Watched(kind="Event", group="", versions=("v1",), plural="events", fields=_EVENTS))
        self.read_secrets((self.system_namespace,))

    @property
    def mesh_config_map(self) -> str:
        """Where the mesh's configuration is, by revision."""
        return self._revised("istio")

    def follow_injector(self) -> None:
        """Watch what the injector is told, too."""
        self._follow(self._config_map(self._revised(INJECTOR)), keep=lambda one: one.get("data") or {})

    @property
    def injector(self) -> Mapping[str, str]:
        """What the injector is told: the data of its ConfigMap; {} without one."""
        watched = self._config_map(self._revised(INJECTOR))
        reflector = self.reflectors.get(str(watched))
        return next(iter(reflector.objects.values()), {}) if reflector else {}

    def _config_map(self, name: str) -> Watched:
        return Watched(
            kind="ConfigMap",
            group="",
            versions=("v1",),
            plural="configmaps",
            namespace=self.system_namespace,
            name=name,
        )

    def _revised(self, name: str) -> str:
        return name if self.revision == "default" else f"{name}-{self.revision}"

    def read_secrets(self, namespaces: Iterable[str]) -> None:
        """Secrets are read where gateways are, and nowhere else."""
        for namespace in namespaces:
            watched = Watched(
                kind="Secret",
                group="",
                versions=("v1",),
                plural="secrets",
                namespace=namespace,
                fields=_SECRETS,
            )
            if str(watched) not in self.reflectors:
                self._follow(watched)

    def secrets_of(self, namespace: str) -> dict[str, RawObject]:
        """The Secrets of a namespace that is read, by name."""
        reflector = self.reflectors.get(f"secrets in {namespace}")
        return {name: one for (_, name), one in reflector.objects.items()} if reflector else {}

    def _follow(self, watched: Watched, keep: Callable[[Json], Any] | None = None) -> None:
        api_version = f"{watched.group}/{watched.versions[0]}" if watched.group else watched.versions[0]
        reflector = Reflector(
            self.kube,
            watched,
            keep or partial(taken, watched.kind, api_version, keeps_applied=self.keeps_applied),
            self._on_change,
            lambda key, one: self._news.append((watched, key, one)),
        )
        self.reflectors = {**self.reflectors, str(watched): reflector}  # threads may be reading the other one
        self._tasks[str(watched)] = asyncio.create_task(reflector.run())

    async def ready(self) -> None:
        """Until every kind has been read once, or is known not to be had."""
        await asyncio.gather(*(one.read.wait() for one in self.reflectors.values()))

    @property
    def unread(self) -> str:
        """What has not been read yet, and why; "" when everything has."""
        waiting = [one for one in self.reflectors.values() if not one.read.is_set()]
        told = next((str(one.trouble) for one in waiting if one.trouble), "")
        names = ", ".join(str(one.watched) for one in waiting[:3])
        return f"{names} not read yet{': ' + told if told else ''}" if waiting else ""

    async def stop(self) -> None:
        """End all watches."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self.kube.close()

    # --- as files -----------------------------------------------------------------------------------

    def reader(self) -> Callable[[], Listing]:
        """What lists all objects; it may be called in another thread, while these go on changing."""
        return self.listing

    def listing(self) -> Listing:
        """All objects as they were read last. Threads may ask."""
        with self._lock:
            before, changed = self._last, self._take_in()
            objects = before.objects if before else ()
            if before is None or changed.added or changed.gone:
                objects = tuple(chain(self._mesh.objects, *(part.values() for part in self._parts.values())))
            self._last = Listing(
                objects=objects,
                problems=tuple(self._problems()),
                added=changed.added if before else objects,
                gone=changed.gone,
                since=before.token if before else None,
            )
            return self._last

    def _take_in(self) -> Difference:
        """What has been read since the listing before."""
        was: dict[tuple[str, Key], RawObject | None] = {}
        before = self._mesh.objects
        while self._news:
            watched, key, one = self._news.popleft()
            if watched.kind == "ConfigMap":
                if watched.name == self.mesh_config_map:
                    self._mesh.hear(one)
                continue
            part = self._parts.setdefault(str(watched), {})
            was.setdefault((str(watched), key), part.get(key))
            if one is None or (watched.group in _ISTIO and not self._is_ours(one)):
                part.pop(key, None)
            else:
                part[key] = one
        now = (self._parts[name].get(key) for name, key in was)
        return difference((*before, *filter(None, was.values())), (*self._mesh.objects, *filter(None, now)))

    async def changes(self) -> AsyncIterator[None]:
        """One item whenever a listing would differ from the one before. A burst of changes is one item, at its end."""
        loop = asyncio.get_running_loop()
        while True:
            await self._changed.wait()
            self._changed.clear()
            while wait := self.hold_off.seconds(loop.time()):
                await asyncio.sleep(wait)
            self.hold_off.begin(loop.time())
            yield

    def _on_change(self) -> None:
        self.hold_off.on_change(asyncio.get_running_loop().time())
        self._changed.set()

    def follow_status(self, one: RawObject, status: Json) -> None:
        """Somebody has written the status of an object, and an event will tell of it later."""
        for reflector in self.reflectors.values():
            if reflector.watched.kind == one.kind:
                reflector.put(one, replace(one, data={**one.data, "status": status}))

    def _is_ours(self, one: RawObject) -> bool:
        """An object that names a revision is for that revision alone."""
        labels = one.data.get("metadata", {}).get("labels") or {}
        return bool(labels.get(REVISION_LABEL, self.revision) == self.revision)

    def _problems(self) -> Iterable[Problem]:
        silent: list[Reflector] = []
        for reflector in self.reflectors.values():
            error = reflector.trouble
            if error is None:
                continue
            if error.status == 403:
                yield _problem(
                    "K8S-001",
                    str(reflector.watched),
                    str(error),
                    "Give its ServiceAccount the verbs list and watch for it (mizzen install does).",
                )
            elif error.status == 404:
                if reflector.objects:
                    yield _problem("K8S-003", str(reflector.watched), str(error), "Apply its CRD again.")
            else:
                silent.append(reflector)
        if silent:
            names = f"{len(silent)} kinds" if len(silent) > 1 else str(silent[0].watched)
            yield _problem("K8S-002", names, str(silent[0].trouble), "It is asked again, every few seconds.")
        if self._mesh.problem:
            yield self._mesh.problem


def plural(kind: str) -> str:
    """The name of a kind in paths."""
    name = kind.lower()
    if name.endswith("s"):
        return f"{name}es"
    if name.endswith("y") and name[-2] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}s"


def taken(kind: str, api_version: str, one: Json, *, keeps_applied: bool = False) -> RawObject:
    """As `kept`; an object at which that raises takes no part, and says so."""
    try:
        return kept(kind, api_version, one, keeps_applied=keeps_applied)
    except Exception as error:  # noqa: BLE001  # the other objects are read all the same
        meta = one["metadata"]
        ref = _ref(kind, api_version, meta.get("namespace", ""), meta["name"])
        return RawObject(
            kind=kind,
            api_version=api_version,
            namespace=ref.namespace,
            name=ref.name,
            data={"apiVersion": api_version, "kind": kind, "metadata": {"name": ref.name}},
            ref=ref,
            digest=f"{kind}/{ref}/unread/{meta.get('resourceVersion', '')}",
            unread=words_of(error, ref),
        )


def kept(kind: str, api_version: str, one: Json, *, keeps_applied: bool = False) -> RawObject:
    """An object of the API server as the stages after this read it, without what takes memory for nothing.

    `keeps_applied`: with what kubectl notes of what it was applied as.
    """
    meta = {key: value for key, value in one["metadata"].items() if key != "managedFields"}
    if (annotations := meta.get("annotations")) and not keeps_applied:
        meta["annotations"] = {key: value for key, value in annotations.items() if key != LAST_APPLIED}
    data: Json = {**one, "apiVersion": one.get("apiVersion") or api_version, "kind": kind, "metadata": meta}
    if kind == "Pod":
        data = _of_pod(data)
    elif kind == "Node":
        data = {key: data[key] for key in ("apiVersion", "kind", "metadata")}
    namespace, name = meta.get("namespace", ""), meta["name"]
    return RawObject(
        kind=kind,
        api_version=data["apiVersion"],
        namespace=namespace,
        name=name,
        data=data,
        ref=_ref(kind, data["apiVersion"], namespace, name),
        digest=_digest(kind, data),
    )


def _ref(kind: str, api_version: str, namespace: str, name: str) -> ResourceRef:
    return ResourceRef(kind=kind, group=group_of(kind, api_version), namespace=namespace, name=name)


def _digest(kind: str, data: Json) -> str:
    """Of all that an object says. What is told of it (versions, the status of Istio's kinds) is no part of that."""
    meta = {key: value for key, value in data["metadata"].items() if key not in _TOLD}
    group = data["apiVersion"].rpartition("/")[0]
    without = {"metadata", "status"} if group in _ISTIO else {"metadata"}
    said = {key: value for key, value in data.items() if key not in without}
    content = msgspec.json.encode([meta, said], order="deterministic")
    return f"{kind}/{hashlib.blake2b(content, digest_size=16).hexdigest()}"


def _of_pod(pod: Json) -> Json:
    """A cluster has thousands of them, and of each a tenth takes part."""
    spec, status = pod.get("spec", {}), pod.get("status", {})
    containers = [
        {
            "name": one["name"],
            "ports": one.get("ports", []),
            **(
                {"env": [v for v in one.get("env", []) if "value" in v]}
                if one["name"] == "istio-proxy"
                else {}
            ),
        }
        for one in (*spec.get("initContainers", ()), *spec.get("containers", ()))
        if one.get("ports") or one["name"] == "istio-proxy"
    ]
    conditions = [
        {"type": one["type"], "status": one["status"]}
        for one in status.get("conditions", ())
        if one.get("type") == "Ready"
    ]
    return {
        "apiVersion": pod["apiVersion"],
        "kind": pod["kind"],
        "metadata": {
            key: value
            for key, value in pod["metadata"].items()
            if key in ("name", "namespace", "labels", "annotations", "creationTimestamp", "deletionTimestamp")
        },
        "spec": {
            "containers": containers,
            **{key: spec[key] for key in ("nodeName", "serviceAccountName", "hostNetwork") if key in spec},
        },
        "status": {
            "conditions": conditions,
            **{key: status[key] for key in ("phase", "podIP", "podIPs") if key in status},
        },
    }


def _problem(code: str, name: str, message: str, hint: str) -> Problem:
    return Problem(
        severity=Severity.WARNING if code == "K8S-002" else Severity.ERROR,
        code=code,
        resource=ResourceRef(kind="Cluster", name=name),
        message=message,
        hint=hint,
    )
