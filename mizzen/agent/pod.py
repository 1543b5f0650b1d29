"""What a process in a Pod knows of itself, from its environment and the files that Kubernetes mounts."""

import json
from collections.abc import Mapping
from pathlib import Path

from mizzen.inject.container import POD_INFO
from mizzen.resolve.proxies.pods import CONFIG_ANNOTATION
from mizzen.resources.yaml.construct import Broken, construct

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


def concurrency(environment: Mapping[str, str], path: Path = Path(POD_INFO) / "annotations") -> int | None:
    """How many worker threads the Pod's Envoy shall have: as its annotation proxy.istio.io/config says, else its variable
    PROXY_CONFIG (YAML or JSON, as Istio's injector writes it); None: one for each CPU."""
    for text in (_downward(path).get(CONFIG_ANNOTATION, ""), environment.get("PROXY_CONFIG", "")):
        try:
            documents = construct(text) if text.strip() else []
        except Broken:
            continue  # the control plane tells of it
        value = documents[0].value if documents else None
        wanted = value.get("concurrency") if isinstance(value, dict) else None
        if isinstance(wanted, int) and not isinstance(wanted, bool) and 0 <= wanted <= MOST_THREADS:
            return wanted or None
    return None


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
