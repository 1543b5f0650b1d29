"""Who somebody is to a registry: what a Secret of type kubernetes.io/dockerconfigjson says. Pure.

(Kubernetes: Pull an Image from a Private Registry; the format of Docker's config.json.)
"""

import base64
import binascii
import json
import re
from dataclasses import field
from typing import Any
from urllib.parse import urlsplit

from mizzen.lazy import dataclass
from mizzen.resources.formats.image_reference import DOCKER_HUB

KEY = ".dockerconfigjson"
_TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryCredentials:
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)  # shown to the registry as it is (Bearer)

    @property
    def authorization(self) -> str:
        """A value of Authorization (RFC 7617, RFC 6750); "" where there is neither user nor token."""
        if self.token:
            return f"Bearer {self.token}"
        pair = f"{self.user}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}" if self.user else ""


def registry_credentials(content: bytes, registry: str) -> RegistryCredentials | str:
    """Those for a registry, empty where it names none for it; or what is wrong with the content."""
    try:
        hosts = json.loads(content)["auths"]
        entry = _entry(hosts, registry)
        if entry is None:
            return RegistryCredentials()
        if entry.get("identitytoken"):
            return "an identitytoken is not understood: write username and password"
        if entry.get("registrytoken"):
            return _checked(RegistryCredentials(token=entry["registrytoken"]))
        user, password = entry.get("username", ""), entry.get("password", "")
        if entry.get("auth"):
            decoded = base64.b64decode(entry["auth"], validate=True).decode()
            user, _, password = decoded.rstrip("\0").partition(":")
        return _checked(RegistryCredentials(user=user, password=password))
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, RecursionError):
        return "it does not hold what Docker's config.json has: auths, by registry"


def _entry(hosts: dict[str, Any], registry: str) -> dict[str, Any] | None:
    """By its very name, or as Docker writes it: with a scheme and a path."""
    for name in (registry, f"https://{registry}/v1/"):
        if name in hosts:
            return dict(hosts[name])
    for name, entry in hosts.items():
        host = urlsplit(name if "://" in name else f"//{name}").netloc
        if host == registry or (registry == DOCKER_HUB and host == "docker.io"):
            return dict(entry)
    return None


def _checked(found: RegistryCredentials) -> RegistryCredentials:
    texts = (found.user, found.password, found.token)
    if not all(isinstance(one, str) for one in texts):
        raise TypeError("no texts")
    if found.token and not _TOKEN.fullmatch(found.token):
        raise ValueError("no token")
    return found
