"""What a process in a Pod knows of itself, from its environment and the files that Kubernetes mounts."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from mizzen.errors import ResourceRef
from mizzen.http3.server_ids import ANNOTATION, VARIABLE
from mizzen.inject.container import POD_INFO
from mizzen.resolve.overlay import overlay
from mizzen.resolve.proxies.declared import annotated
from mizzen.resolve.proxies.pods import CONFIG_ANNOTATION
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.istio.mesh import ProxyConfig

READING_PORT = 15000  # where istioctl asks an Envoy
POD_FOLDER = "envoy"
MOST_THREADS = 4096
_META = "ISTIO_META_"
# Set by a controller, and different in each Pod of one Deployment.
_DROPPED = frozenset({"pod-template-hash", "controller-revision-hash"})


def in_pod(environment: Mapping[str, str]) -> bool:
    """Does the Pod's manifest say who this process is?"""
    return bool(environment.get("POD_NAME")) and bool(environment.get("INSTANCE_IP"))


def node_metadata(environment: Mapping[str, str]) -> dict[str, str]:
    """What an Envoy says of itself: every variable ISTIO_META_X as X, as Istio's agent does."""
    return {
        name.removeprefix(_META): value
        for name, value in sorted(environment.items())
        if name.startswith(_META)
    }


def proxy_config(environment: Mapping[str, str], path: Path = Path(POD_INFO) / "annotations") -> ProxyConfig:
    """How the Pod's Envoy shall behave: its annotation proxy.istio.io/config over its variable PROXY_CONFIG (YAML or JSON, as
    an injector writes it). What is broken in either says nothing here: the control plane tells of it."""
    nobody = Findings(ResourceRef(kind="Pod"))
    said = [
        annotated(text, "", nobody)
        for text in (environment.get("PROXY_CONFIG", ""), _downward(path).get(CONFIG_ANNOTATION, ""))
    ]
    return overlay(*said)


def server_id(environment: Mapping[str, str], path: Path = Path(POD_INFO) / "annotations") -> str:
    """By which a balancer finds this Pod, as it is written: its annotation mizzen.dev/server-id, else the variable
    MIZZEN_SERVER_ID; "" when nobody wrote any."""
    return _downward(path).get(ANNOTATION, "") or environment.get(VARIABLE, "")


def counts_cpu(folder: Path = Path("/sys/fs/cgroup")) -> bool:
    """Does the kernel tell Envoy of its container's CPU? Without these files Envoy would not start with its monitor of it."""
    versions = (("cpu.stat", "cpu.max"), ("cpu/cpu.shares", "cpuacct/cpuacct.usage"))
    return any(all(os.access(folder / name, os.R_OK) for name in files) for files in versions)


def concurrency(config: ProxyConfig) -> int | None:
    """How many worker threads an Envoy shall have; None: one for each CPU."""
    wanted = config.concurrency
    return wanted if wanted is not None and 0 < wanted <= MOST_THREADS else None


def drain_seconds(config: ProxyConfig) -> int | None:
    """How long connections get to what is removed; None: as long as usual."""
    said = config.drain_duration
    return max(1, round(said.total_seconds())) if said is not None else None


def leaving_seconds(config: ProxyConfig, environment: Mapping[str, str]) -> float | None:
    """How long clients get to leave: the variable TERMINATION_DRAIN_DURATION_SECONDS (of Istio's agent), else
    terminationDrainDuration; None: neither says it."""
    text = environment.get("TERMINATION_DRAIN_DURATION_SECONDS", "")
    if re.fullmatch(r"[0-9]{1,5}", text):
        return float(text)
    said = config.termination_drain_duration
    return said.total_seconds() if said is not None else None


def _downward(path: Path) -> dict[str, str]:
    """A file of the downward API: a line KEY="VALUE" for each, the value as Go quotes it; {} without the file."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    found = {}
    for key, _, quoted in (line.partition("=") for line in lines if "=" in line):
        try:
            found[key] = str(json.loads(quoted))
        except ValueError:  # Go has escapes that JSON has not
            found[key] = quoted.strip('"')
    return found


def pod_labels(path: Path = Path(POD_INFO) / "labels") -> dict[str, str]:
    """The labels of the Pod, as the downward API writes them: a line KEY="VALUE" for each; {} without the file."""
    return {key: value for key, value in _downward(path).items() if key not in _DROPPED}
