"""Where a running instance keeps its files, and how to ask it something."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mizzen.proxy.admin import ask


@dataclass(frozen=True, slots=True)
class Instance:
    """The run-dir of one `mizzen up`."""

    run_dir: Path

    @property
    def ads_socket(self) -> Path:
        """Where Envoys get their configuration."""
        return self.run_dir / "ads.sock"

    @property
    def control_socket(self) -> Path:
        """Where the control plane tells its status (HTTP)."""
        return self.run_dir / "control.sock"

    @property
    def announcements(self) -> Path:
        """What clients were promised (alt-svc), kept for the next control plane."""
        return self.run_dir / "announcements.json"

    @property
    def authority(self) -> Path:
        """The mesh's root and its key, where nobody names another folder."""
        return self.run_dir / "authority"

    def gateway(self, key: str) -> Path:
        """The folder of one gateway's Envoy."""
        return self.run_dir / key

    def admin_socket(self, key: str) -> Path:
        """Envoy's admin interface (HTTP)."""
        return self.gateway(key) / "admin.sock"

    def health_socket(self, key: str) -> Path:
        """Where Envoy's port 15021 asks whether the gateway is ready (HTTP)."""
        return self.gateway(key) / "health.sock"


def get(path: Path, target: str, timeout: float = 5.0) -> tuple[int, bytes]:
    """GET `target` over the Unix socket at `path`: (status, body). OSError when nobody answers."""
    return asyncio.run(ask(path, target, seconds=timeout))


def status(instance: Instance) -> dict[str, Any]:
    """What the control plane of a running instance says of itself. OSError when none runs."""
    code, body = get(instance.control_socket, "/status")
    if code != 200:
        raise OSError(f"the control plane answered {code}")
    found: dict[str, Any] = json.loads(body)
    return found
