"""Why an object is not ready yet, in words for whoever waits: conditions, states of Pods, events."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mizzen.lazy import dataclass

Object = Mapping[str, Any]

# What a container waits for without anything being wrong.
_BEGINNING = frozenset({"ContainerCreating", "PodInitializing", ""})
_LONGEST = 300  # letters of a message; runtimes repeat themselves


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """`why`: for whom it is ready, "". `hopeless`: waiting longer will not help."""

    why: str = ""
    hopeless: bool = False

    @property
    def ready(self) -> bool:
        return not self.why


READY = Waiting()


def of_deployment(deployment: Object, pods: Sequence[Object], events: Sequence[Object]) -> Waiting:
    """`pods`: those of its selector. `events`: of its namespace; only what concerns it is used."""
    spec, status = deployment.get("spec", {}), deployment.get("status", {})
    wanted = spec.get("replicas", 1)
    if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 0):
        return Waiting(why="nobody has taken notice of it yet")
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    old = status.get("replicas", 0) - updated
    if updated >= wanted and available >= wanted and old <= 0:
        return READY
    hash_label = "pod-template-hash"
    newest = _newest(pods, hash_label)
    causes = [cause for pod in newest if (cause := of_pod(pod, events))]
    failed = _condition(status, "ReplicaFailure")
    if failed is not None and failed.get("status") == "True":
        causes.insert(0, _short(failed.get("message") or ""))
    stuck = _condition(status, "Progressing")
    hopeless = bool(stuck and stuck.get("reason") == "ProgressDeadlineExceeded")
    fresh = max(available - max(old, 0), 0)  # older Pods are taken away only when newer ones are ready
    count = f"{fresh} of {wanted} {'new ' if old > 0 else ''}Pods are ready"
    if fresh >= wanted:
        count = f"{old} older Pod{'s have' if old > 1 else ' has'} still to go"
    return Waiting(why="; ".join([count, *dict.fromkeys(causes)]), hopeless=hopeless)


def of_pod(pod: Object, events: Sequence[Object] = ()) -> str:
    """Why a Pod is not ready; "" when it is."""
    name, status = pod["metadata"]["name"], pod.get("status", {})
    ready = _condition(status, "Ready")
    if ready is not None and ready.get("status") == "True":
        return ""
    if pod["metadata"].get("deletionTimestamp"):
        return f"Pod {name} is ending"
    scheduled = _condition(status, "PodScheduled")
    if scheduled is not None and scheduled.get("status") == "False":
        return f"Pod {name}: no node takes it: {_short(scheduled.get('message', ''))}"
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    for container in containers:
        if cause := _of_container(container):
            return f"Pod {name}: {cause}"
    warning = _latest_warning(pod, events)
    if warning:
        return f"Pod {name}: {warning}"
    if scheduled is None:
        return f"Pod {name}: no node has been found for it yet"
    waiting = [one["name"] for one in containers if not one.get("ready")]
    return f"Pod {name}: container {waiting[0]} is not ready" if waiting else f"Pod {name} is starting"


def _of_container(container: Object) -> str:
    name, state = container.get("name", ""), container.get("state", {})
    waiting = state.get("waiting")
    if waiting is not None and waiting.get("reason", "") not in _BEGINNING:
        before = container.get("lastState", {}).get("terminated")
        ended = f", it ended with {_ending(before)}" if before else ""
        message = "" if before else _short(waiting.get("message") or "")
        return f"container {name}: {waiting['reason']}{ended}{f': {message}' if message else ''}"
    ended_now = state.get("terminated")
    if ended_now is not None and ended_now.get("exitCode"):
        return f"container {name} ended with {_ending(ended_now)}"
    return ""


def _ending(terminated: Object) -> str:
    text = f"exit status {terminated.get('exitCode')}"
    reason = terminated.get("reason", "")
    message = _short(terminated.get("message") or "")
    detail = ": ".join(part for part in (reason if reason != "Error" else "", message) if part)
    return f"{text} ({detail})" if detail else text


def _latest_warning(pod: Object, events: Iterable[Object]) -> str:
    """The newest warning of a Pod: a volume that cannot be mounted, a probe that fails."""
    uid = pod["metadata"].get("uid")
    about = [
        event
        for event in events
        if event.get("type") == "Warning" and event.get("involvedObject", {}).get("uid") == uid and uid
    ]
    if not about:
        return ""
    newest = max(about, key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")
    return f"{newest.get('reason', '')}: {_short(newest.get('message', ''))}"


def _newest(pods: Sequence[Object], label: str) -> list[Object]:
    """The Pods of the template that is being rolled out: those of the youngest ReplicaSet."""
    alive = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    if not alive:
        return []
    youngest = max(alive, key=lambda pod: pod["metadata"].get("creationTimestamp") or "")
    template = youngest["metadata"].get("labels", {}).get(label)
    return [pod for pod in alive if pod["metadata"].get("labels", {}).get(label) == template]


def of_crd(crd: Object) -> Waiting:
    """A CRD serves when its names are accepted."""
    status = crd.get("status", {})
    established = _condition(status, "Established")
    if established is not None and established.get("status") == "True":
        return READY
    refused = _condition(status, "NamesAccepted")
    if refused is not None and refused.get("status") == "False":
        return Waiting(why=f"its names are taken: {_short(refused.get('message', ''))}", hopeless=True)
    return Waiting(why="the API server does not serve it yet")


def of_webhook(configuration: Object) -> Waiting:
    """A webhook can be called when the control plane has written by which authority it is known."""
    if all(hook.get("clientConfig", {}).get("caBundle") for hook in configuration.get("webhooks") or ()):
        return READY
    return Waiting(why="the control plane has not written its certificate authority yet")


def _condition(status: Object, kind: str) -> Object | None:
    found = (one for one in status.get("conditions") or () if one.get("type") == kind)
    return next(found, None)


def _short(message: str) -> str:
    text = " ".join(message.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
