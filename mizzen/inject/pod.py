"""A Pod with its sidecar, or with the proxy that it is a gateway for: Istio's templates `sidecar` and `gateway`."""

import copy
import json
from collections.abc import Mapping
from typing import Any

from mizzen.inject.container import (
    AGENT_PORT,
    PROXY,
    STATUS_PORT,
    Manifest,
    ProxySettings,
    proxy_container,
    proxy_volumes,
)
from mizzen.inject.merge import laid_over
from mizzen.inject.probes import rewritten
from mizzen.inject.proxy_config import configured_pod, variables
from mizzen.inject.settings import InjectorSettings
from mizzen.resolve.services.endpoints import OWN_SIDECAR, TLS_MODE

INIT = "istio-init"
STATUS = "sidecar.istio.io/status"
TEMPLATES = "inject.istio.io/templates"
AUTO = "auto"  # the image of a container that a template fills in
_TRAFFIC = "traffic.sidecar.istio.io"
_OWN = "sidecar.istio.io"
_RESERVED = ("15090", "15021", "15020")
_OWNERS = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "ReplicaSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
}


class Unfit(ValueError):
    """A Pod that cannot be injected as it is; the message is a sentence for its author."""


def injected(pod: Manifest, *, namespace: str, settings: InjectorSettings, native: bool) -> Manifest:
    """The Pod with its proxy; the argument stays as it was. One that has been injected is injected anew.

    `native`: the cluster has native sidecars (an init container that goes on). Raises Unfit.
    """
    made = _without_ours(copy.deepcopy(pod))
    meta, spec = made.setdefault("metadata", {}), made["spec"]
    template = (meta.get("annotations") or {}).get(TEMPLATES, "sidecar")
    workload, owner = owner_of(made, namespace)
    env = {**_env(settings), **variables(configured_pod(made, namespace, settings.configure))}
    if template == "gateway":
        _add_gateway(spec, settings, workload, owner, env)
    elif template == "sidecar":
        _add_sidecar(made, settings, workload, owner, env, native)
    else:
        raise Unfit(f"there is no template {template!r}; there are sidecar and gateway")
    _add_volumes(spec, settings)
    _mark(made, settings, workload, is_sidecar=template == "sidecar")
    return made


def owner_of(pod: Manifest, namespace: str) -> tuple[str, str]:
    """What a Pod is of: the name of its Deployment (or Job ...), and Istio's path to it ("" for a bare Pod)."""
    meta = pod.get("metadata") or {}
    owner = next((one for one in meta.get("ownerReferences") or () if one.get("controller")), None)
    if owner is None:
        return str(meta.get("name") or str(meta.get("generateName", "")).rstrip("-") or PROXY), ""
    kind, name = owner["kind"], owner["name"]
    suffix = (meta.get("labels") or {}).get("pod-template-hash", "")
    if kind == "ReplicaSet" and suffix and name.endswith(f"-{suffix}"):
        kind, name = "Deployment", name.removesuffix(f"-{suffix}")
    api = _OWNERS.get(kind, owner.get("apiVersion", "v1"))
    return name, f"kubernetes://apis/{api}/namespaces/{namespace}/{kind.lower()}s/{name}"


# --- what was injected before -----------------------------------------------------------------------


def _without_ours(pod: Manifest) -> Manifest:
    """As it was before it was injected, as far as its status tells."""
    annotations = (pod.get("metadata") or {}).get("annotations") or {}
    try:
        status = json.loads(annotations.pop(STATUS, "{}"))
    except ValueError:
        status = {}
    spec = pod.setdefault("spec", {})
    for field in ("initContainers", "containers", "volumes"):
        names = frozenset(status.get(field) or ())
        if names and field in spec:
            spec[field] = [one for one in spec[field] if one.get("name") not in names]
    return pod


# --- the two templates ------------------------------------------------------------------------------


def _add_gateway(
    spec: Manifest, settings: InjectorSettings, workload: str, owner: str, env: Mapping[str, Any]
) -> None:
    own = next((one for one in spec.get("containers", ()) if one.get("name") == PROXY), None)
    if own is None:
        raise Unfit(
            f"the template gateway fills in a container called {PROXY}, with the image {AUTO}; there is none"
        )
    made = proxy_container("router", settings.proxy, workload=workload, owner=owner, env=env)
    spec["containers"] = [_customised(made, own) if one is own else one for one in spec["containers"]]


def _add_sidecar(
    pod: Manifest,
    settings: InjectorSettings,
    workload: str,
    owner: str,
    said: Mapping[str, Any],
    native: bool,
) -> None:
    spec, annotations = pod["spec"], pod["metadata"].get("annotations") or {}
    mode = annotations.get(f"{_OWN}/interceptionMode", "REDIRECT")
    if mode not in ("REDIRECT", "NONE"):
        raise Unfit(f"the interception mode {mode} is not there; use REDIRECT")
    containers = [one for one in spec.get("containers", ()) if one.get("name") != PROXY]
    custom = next((one for one in spec.get("containers", ()) if one.get("name") == PROXY), None)
    env = {**_of_applications(containers), "ISTIO_META_INTERCEPTION_MODE": mode, **said}
    if annotations.get(f"{_OWN}/rewriteAppHTTPProbers", "true") != "false" and (asked := rewritten(spec)):
        env["ISTIO_KUBE_APP_PROBERS"] = asked
    made = proxy_container(
        "sidecar", _as_said(settings.proxy, annotations), workload=workload, owner=owner, env=env
    )
    made = _customised(made, custom) if custom else made
    before = [_redirecting(settings, annotations)] if mode == "REDIRECT" else []
    if native:
        made["restartPolicy"] = "Always"
        made["startupProbe"] = {
            "httpGet": {"path": "/healthz/ready", "port": STATUS_PORT},
            "periodSeconds": 1,
            "timeoutSeconds": 3,
            "failureThreshold": 600,
        }
        before.append(made)
    else:
        containers.insert(0, made)
    spec["containers"] = containers
    if before:
        spec["initContainers"] = [*before, *spec.get("initContainers", ())]


def _customised(made: Manifest, own: Manifest) -> Manifest:
    """The user's container over ours; the image `auto` is ours, and so is when it is pulled.

    (An image without a tag is "Always" pulled: the API server says so before it asks us.)
    """
    ours = {"image", "imagePullPolicy"} if own.get("image") == AUTO else set()
    found: Manifest = laid_over(made, {key: value for key, value in own.items() if key not in ours})
    return found


def _env(settings: InjectorSettings) -> dict[str, Any]:
    return {
        "ISTIO_META_CLUSTER_ID": settings.cluster_id,
        "ISTIO_META_MESH_ID": settings.proxy.trust_domain,
    }


def _of_applications(containers: list[Manifest]) -> dict[str, str]:
    ports = [port for one in containers for port in one.get("ports") or ()]
    return {
        "ISTIO_META_POD_PORTS": json.dumps(ports),
        "ISTIO_META_APP_CONTAINERS": ",".join(one["name"] for one in containers),
    }


def _as_said(proxy: ProxySettings, annotations: Mapping[str, str]) -> ProxySettings:
    """The installation's settings with the Pod's annotations on top."""
    requests = {"cpu": annotations.get(f"{_OWN}/proxyCPU"), "memory": annotations.get(f"{_OWN}/proxyMemory")}
    limits = {
        "cpu": annotations.get(f"{_OWN}/proxyCPULimit"),
        "memory": annotations.get(f"{_OWN}/proxyMemoryLimit"),
    }
    said = {
        name: {key: value for key, value in part.items() if value}
        for name, part in (("requests", requests), ("limits", limits))
    }
    # As in Istio: whoever says one of them says all of them.
    resources = {name: part for name, part in said.items() if part} or dict(proxy.resources)
    return ProxySettings(
        image=annotations.get(f"{_OWN}/proxyImage") or proxy.image,
        pilot=proxy.pilot,
        trust_domain=proxy.trust_domain,
        pull_policy=proxy.pull_policy,
        resources=resources,
        log_level=proxy.log_level,
    )


def _redirecting(settings: InjectorSettings, annotations: Mapping[str, str]) -> Manifest:
    """The init container that sets the rules, and is the only one with rights to do so."""

    def said(name: str, usual: str) -> str:
        return annotations.get(f"{_TRAFFIC}/{name}", usual)

    closed = ",".join(dict.fromkeys((*_RESERVED, *filter(None, said("excludeInboundPorts", "").split(",")))))
    arguments = [
        "redirect",
        *("-p", "15001", "-z", "15006", "-u", "1337", "-m", "REDIRECT"),
        *("-i", said("includeOutboundIPRanges", "*"), "-x", said("excludeOutboundIPRanges", "")),
        *("-b", said("includeInboundPorts", "*"), "-d", closed),
        *("-q", said("includeOutboundPorts", ""), "-o", said("excludeOutboundPorts", "")),
        *("-c", said("excludeInterfaces", "")),
    ]
    proxy = settings.proxy
    return {
        "name": INIT,
        "image": annotations.get(f"{_OWN}/proxyImage") or proxy.image,
        **({"imagePullPolicy": proxy.pull_policy} if proxy.pull_policy else {}),
        "args": arguments,
        "resources": dict(settings.init_resources)
        or {"requests": {"cpu": "10m", "memory": "40Mi"}, "limits": {"cpu": "2000m", "memory": "1024Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"add": ["NET_ADMIN", "NET_RAW"], "drop": ["ALL"]},
            "privileged": False,
            "readOnlyRootFilesystem": False,  # iptables keeps a lock in /run
            "runAsGroup": 0,
            "runAsNonRoot": False,
            "runAsUser": 0,
        },
    }


# --- around the containers --------------------------------------------------------------------------


def _add_volumes(spec: Manifest, settings: InjectorSettings) -> None:
    own = {one.get("name") for one in spec.get("volumes") or ()}
    spec["volumes"] = [
        *(spec.get("volumes") or ()),
        *(one for one in proxy_volumes() if one["name"] not in own),
    ]
    secrets = [{"name": name} for name in settings.pull_secrets]
    known = spec.get("imagePullSecrets") or []
    if missing := [one for one in secrets if one not in known]:
        spec["imagePullSecrets"] = [*known, *missing]


def _mark(pod: Manifest, settings: InjectorSettings, workload: str, *, is_sidecar: bool) -> None:
    meta, spec = pod["metadata"], pod["spec"]
    labels = dict(meta.get("labels") or {})
    if is_sidecar:
        labels.setdefault(TLS_MODE, "istio")
    labels.setdefault(
        "service.istio.io/canonical-name",
        labels.get("app.kubernetes.io/name") or labels.get("app") or workload,
    )
    labels.setdefault(
        "service.istio.io/canonical-revision",
        labels.get("app.kubernetes.io/version") or labels.get("version") or "latest",
    )
    annotations = dict(meta.get("annotations") or {})
    annotations["istio.io/rev"] = settings.revision
    first = next((one["name"] for one in spec["containers"] if one["name"] != PROXY), PROXY)
    for name in ("default-container", "default-logs-container"):
        annotations.setdefault(f"kubectl.kubernetes.io/{name}", first)
    annotations.setdefault("prometheus.io/scrape", "true")
    annotations.setdefault("prometheus.io/port", str(AGENT_PORT))
    annotations.setdefault("prometheus.io/path", "/stats/prometheus")
    if is_sidecar:
        annotations[STATUS] = _status(spec, settings)
        annotations[OWN_SIDECAR] = "true"
    meta["labels"], meta["annotations"] = labels, annotations


def _status(spec: Manifest, settings: InjectorSettings) -> str:
    ours = {INIT, PROXY}

    def named(field: str) -> list[str]:
        return [one["name"] for one in spec.get(field) or () if one["name"] in ours]

    return json.dumps(
        {
            "initContainers": named("initContainers"),
            "containers": named("containers"),
            "volumes": [one["name"] for one in proxy_volumes()],
            "imagePullSecrets": list(settings.pull_secrets),
            "revision": settings.revision,
        }
    )
