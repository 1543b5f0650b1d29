"""Probes of applications: the kubelet has no certificate of the mesh, so it asks the agent, which asks the application.

As Istio: `:15020/app-health/CONTAINER/livez`, and what is behind it in ISTIO_KUBE_APP_PROBERS.
"""

import copy
import json
from collections.abc import Mapping
from typing import Any

from mizzen.inject.container import AGENT_PORT, PROXY, Manifest

PATH = "/app-health"
_PATHS = {"readinessProbe": "readyz", "livenessProbe": "livez", "startupProbe": "startupz"}
_HANDLERS = ("httpGet", "tcpSocket", "grpc")


def rewritten(spec: Manifest) -> str:
    """Change the probes of all containers in place; the JSON of what they were, "" when there is nothing to ask."""
    asked: dict[str, Any] = {}
    for container in (*spec.get("initContainers", ()), *spec.get("containers", ())):
        if container["name"] == PROXY:
            continue
        for kind, word in _PATHS.items():
            probe = container.get(kind)
            if not isinstance(probe, dict):
                continue
            target = _target(probe, container)
            if target is None:
                continue
            path = f"{PATH}/{container['name']}/{word}"
            asked[path] = target
            for handler in _HANDLERS:
                probe.pop(handler, None)
            probe["httpGet"] = {"path": path, "port": AGENT_PORT, "scheme": "HTTP"}
    return json.dumps(asked, sort_keys=True) if asked else ""


def _target(probe: Mapping[str, Any], container: Manifest) -> Manifest | None:
    """What the agent is to ask; None for a probe that needs no network, and for one that is rewritten already."""
    handler = next((name for name in _HANDLERS if name in probe), "")
    if not handler:
        return None
    asked = copy.deepcopy(dict(probe[handler]))
    if str(asked.get("path", "")).startswith(f"{PATH}/"):
        return None
    asked["port"] = _number(asked.get("port"), container)
    seconds = probe.get("timeoutSeconds")
    return {handler: asked, **({"timeoutSeconds": seconds} if seconds else {})}


def _number(port: Any, container: Manifest) -> Any:
    """A port by its number; a name is looked up in the container."""
    for one in container.get("ports") or ():
        if one.get("name") == port:
            return one["containerPort"]
    return int(port) if str(port).isdecimal() else port
