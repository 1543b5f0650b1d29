"""Names of images in registries: `registry.test/team/auth:1.0`, `registry.test/auth@sha256:...`. Pure.

(The grammar of distribution/reference, which Docker, Kubernetes and Istio go by; OCI Distribution Specification 1.1, section "Pull".)
"""

import re
from ipaddress import ip_address

from mizzen.lazy import dataclass

DOCKER_HUB = "index.docker.io"
_HUBS = frozenset({"docker.io", "registry-1.docker.io", DOCKER_HUB})
LONGEST = 255
_REGISTRY = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReference:
    registry: str  # host, or host:port
    repository: str
    tag: str = "latest"
    digest: str = ""  # "sha256:...", which goes before the tag

    @property
    def may_be_plain(self) -> bool:
        """May it be asked without TLS, where it speaks none? It is on this machine, or in a network of one's own."""
        host = self.registry.rpartition(":")[0] if _has_port(self.registry) else self.registry
        host = host.strip("[]")
        if host == "localhost" or host.endswith((".localhost", ".local")):
            return True
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return address.is_loopback or address.is_private


def image_reference(text: str) -> ImageReference | str:
    """What is meant, without `oci://`; or what is wrong with it."""
    rest, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        return "the digest of an image is sha256: and 64 hexadecimal digits in lower case"
    first, slash, other = rest.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        registry, rest = first, other
    else:
        registry = DOCKER_HUB
    name, colon, tag = rest.partition(":")
    registry = DOCKER_HUB if registry in _HUBS else registry
    if registry == DOCKER_HUB and "/" not in name:
        name = f"library/{name}"
    if not _REGISTRY.fullmatch(registry):
        return "the name of an image begins with its registry: HOST[:PORT]/REPOSITORY"
    if len(name) > LONGEST or not _REPOSITORY.fullmatch(name):
        return "the repository of an image has lower-case letters, digits, and . _ - / between them"
    if colon and not _TAG.fullmatch(tag):
        return "the tag of an image has up to 128 letters, digits, and . _ -"
    return ImageReference(registry=registry, repository=name, tag=tag or "latest", digest=digest)


def _has_port(registry: str) -> bool:
    return bool(re.search(r":[0-9]+$", registry)) and (not registry.startswith("[") or "]:" in registry)
