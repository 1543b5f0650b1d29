"""What a ProxyConfig says to the proxy of one Pod: variables of its container, as Istio's templates write them."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from mizzen.errors import ResourceRef
from mizzen.inject.container import Manifest
from mizzen.inject.settings import Configure
from mizzen.resolve.overlay import overlay
from mizzen.resolve.proxies.declared import annotated
from mizzen.resolve.proxies.pods import CONFIG_ANNOTATION
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.istio.mesh import ProxyConfig

VARIABLE = "PROXY_CONFIG"
# What an API server takes as the name of a variable everywhere. Another name would have the whole Pod refused.
_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")


def configured_pod(pod: Manifest, namespace: str, configure: Configure) -> ProxyConfig:
    """How the proxy of a Pod shall behave: the mesh's and ProxyConfig objects' settings with its annotation on top."""
    meta = pod.get("metadata") or {}
    text = str((meta.get("annotations") or {}).get(CONFIG_ANNOTATION, ""))
    config = configure(namespace, meta.get("labels") or {})
    # What is wrong with the annotation is told by the control plane once the Pod is there.
    return overlay(config, annotated(text, "", Findings(ResourceRef(kind="Pod"))))


def variables(config: ProxyConfig) -> dict[str, str]:
    """PROXY_CONFIG (JSON) with what an Envoy is started with, and every variable of proxyMetadata."""
    text = _started_with(config)
    metadata = {name: value for name, value in config.proxy_metadata.items() if _NAME.fullmatch(name)}
    return {**({VARIABLE: text} if text else {}), **metadata}


def _started_with(config: ProxyConfig) -> str:
    said: Mapping[str, Any] = {
        "concurrency": config.concurrency,
        "drainDuration": _duration(config.drain_duration),
        "terminationDrainDuration": _duration(config.termination_drain_duration),
        "runtimeValues": dict(config.runtime_values) or None,
    }
    written = {name: value for name, value in said.items() if value is not None}
    return json.dumps(written) if written else ""


def _duration(value: timedelta | None) -> str | None:
    return f"{value.total_seconds():g}s" if value is not None else None
