"""Asking a control plane and the Envoys of a cluster, with the rights of whoever asks: ports are forwarded to Pods."""

import asyncio
import json
from typing import Any
from urllib.parse import quote

from mizzen.agent.pod import READING_PORT
from mizzen.cluster.http import HTTP_PORT
from mizzen.kube.client import Json, Kube, KubeError
from mizzen.kube.port_forward import fetch
from mizzen.status import EnvoyStatus, Status

_APPS, _CORE = "/apis/apps/v1", "/api/v1"
# kubectl's names of what has Pods, and where its selector is.
_OWNERS = {
    **dict.fromkeys(("deploy", "deployment", "deployments"), (_APPS, "deployments")),
    **dict.fromkeys(("ds", "daemonset", "daemonsets"), (_APPS, "daemonsets")),
    **dict.fromkeys(("sts", "statefulset", "statefulsets"), (_APPS, "statefulsets")),
    **dict.fromkeys(("rs", "replicaset", "replicasets"), (_APPS, "replicasets")),
    **dict.fromkeys(("svc", "service", "services"), (_CORE, "services")),
}
_PODS = frozenset({"pod", "pods", "po"})


class NotFound(Exception):
    """Nothing is called so. The message is a sentence for users."""


async def status(kube: Kube, system_namespace: str) -> Status:
    """What all replicas of the control plane say, put together: each proxy is connected to one of them."""
    pods = await running_pods(kube, system_namespace, "app=istiod")
    if not pods:
        raise NotFound(
            f"no control plane runs in the namespace {system_namespace}; install one with 'mizzen install', "
            "or say where it is with --istioNamespace"
        )
    answers = await asyncio.gather(
        *(_ask(kube, system_namespace, pod, HTTP_PORT, "/debug/status") for pod in pods),
        return_exceptions=True,
    )
    heard = [Status.from_json(json.loads(one)) for one in answers if isinstance(one, bytes)]
    if not heard:
        raise next(one for one in answers if isinstance(one, BaseException))
    gateways: dict[str, EnvoyStatus] = {}
    for one in heard:
        for name, gateway in one.gateways.items():
            if gateway.version or name not in gateways:
                gateways[name] = gateway
    return Status(
        problems=tuple(dict.fromkeys(p for one in heard for p in one.problems)),
        gateways=gateways,
        nodes=max(one.nodes for one in heard),
    )


async def admin(kube: Kube, namespace: str, pod: str, target: str) -> str:
    """What the Envoy of a Pod answers to a question that changes nothing."""
    return (await _ask(kube, namespace, pod, READING_PORT, target)).decode()


async def _ask(kube: Kube, namespace: str, pod: str, port: int, target: str) -> bytes:
    code, body = await fetch(kube, namespace, pod, port, target)
    if code != 200:
        raise KubeError(
            code, f"{namespace}/{pod} answered {code}: {body[:200].decode(errors='replace').strip()}"
        )
    return body


async def pod_named(kube: Kube, wanted: str, namespace: str) -> tuple[str, str]:
    """Namespace and name of the Pod that is meant by POD, POD.NAMESPACE, pod/NAME, deploy/NAME, svc/NAME ...

    NotFound, KubeError.
    """
    kind, slash, name = wanted.rpartition("/")
    if not slash or kind in _PODS:
        return await _pod(kube, name, namespace)
    if kind not in _OWNERS:
        raise NotFound(
            f"{kind!r} is nothing that has Pods; say deploy/NAME, svc/NAME, sts/NAME, ds/NAME or a Pod's name"
        )
    group, plural = _OWNERS[kind]
    candidates = [(namespace, name)]
    if "." in name:
        bare, _, inside = name.rpartition(".")
        candidates.append((inside, bare))
    for where, one in candidates:
        try:
            found = await kube.get(f"{group}/namespaces/{quote(where)}/{plural}/{quote(one)}")
        except KubeError as error:
            if error.status != 404:
                raise
            continue
        pods = await running_pods(kube, where, _selector(found["spec"].get("selector") or {}))
        if not pods:
            raise NotFound(f"no Pod of {kind}/{one} runs in the namespace {where}")
        return where, pods[0]
    raise NotFound(f"there is no {kind}/{name} in the namespace {namespace}")


async def _pod(kube: Kube, name: str, namespace: str) -> tuple[str, str]:
    candidates = [(namespace, name)]
    if "." in name:
        bare, _, inside = name.rpartition(".")
        candidates.insert(0, (inside, bare))
    for where, one in candidates:
        try:
            await kube.get(f"{_CORE}/namespaces/{quote(where)}/pods/{quote(one)}")
        except KubeError as error:
            if error.status != 404:
                raise
            continue
        return where, one
    raise NotFound(f"there is no Pod {name} in the namespace {namespace}")


async def running_pods(kube: Kube, namespace: str, selector: str) -> list[str]:
    """The names of the Pods that run and fit, those that are ready first."""
    found = await kube.get(f"{_CORE}/namespaces/{quote(namespace)}/pods", labelSelector=selector)
    items: list[Any] = found.get("items") or []
    running = [
        one
        for one in items
        if one.get("status", {}).get("phase") == "Running" and not one["metadata"].get("deletionTimestamp")
    ]
    return [one["metadata"]["name"] for one in sorted(running, key=_unready)]


def _unready(pod: Json) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return not any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def _selector(said: Json) -> str:
    """Of a workload (matchLabels and matchExpressions) or of a Service (labels)."""
    if not ({"matchLabels", "matchExpressions"} & said.keys()):
        return ",".join(f"{key}={value}" for key, value in said.items())
    parts = [f"{key}={value}" for key, value in (said.get("matchLabels") or {}).items()]
    for one in said.get("matchExpressions") or ():
        key, values = one["key"], ",".join(one.get("values") or ())
        parts.append(
            {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key}.get(
                one["operator"], f"!{key}"
            )
        )
    return ",".join(parts)
