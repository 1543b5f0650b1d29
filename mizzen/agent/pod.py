"""What a process in a Pod knows of itself, from its environment and the files that Kubernetes mounts."""

from collections.abc import Mapping
from pathlib import Path

from mizzen.inject.container import POD_INFO

READING_PORT = 15000  # where istioctl asks an Envoy
POD_FOLDER = "envoy"
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


def pod_labels(path: Path = Path(POD_INFO) / "labels") -> dict[str, str]:
    """The labels of the Pod, as the downward API writes them: a line KEY="VALUE" for each; {} without the file."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {key: value.strip('"') for key, _, value in pairs if key not in _DROPPED}
