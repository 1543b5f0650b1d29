"""What a control plane keeps of each gateway that it serves, and what outlives it."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from mizzen.envoy.config import EnvoyConfig
from mizzen.http3.announcement import Announcements
from mizzen.pipeline import GatewayBuild
from mizzen.run.envoy_files import Unusable
from mizzen.run.occupied import Claim, Taken
from mizzen.serve.ads import ClientStatus
from mizzen.xds.resource_type import SECRET
from mizzen.xds.snapshot import Snapshot


@dataclass(slots=True)
class Served:
    """What one gateway is being told."""

    build: GatewayBuild
    config: EnvoyConfig
    snapshot: Snapshot
    occupied: tuple[Taken, ...]  # listeners whose ports could not be opened
    unusable: tuple[Unusable, ...]  # files that its Envoy could not open
    claims: tuple[Claim, ...]  # the addresses it serves
    announcements: Announcements
    held: tuple[str, ...] = ()  # the objects whose listeners and routes it has, by name
    # Its Envoys while they are connected, by what they call themselves.
    clients: dict[str, ClientStatus] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """What its Envoys call themselves: one, or one for each Pod."""
        proxy = self.build.proxy
        return proxy.instances or (proxy.key,)


def keep_secrets(snapshot: Snapshot, before: Served | None) -> Snapshot:
    """Certificates that went bad or away keep their last good version for as long as they are asked for."""
    if before is None:
        return snapshot
    kept = {**before.snapshot.of(SECRET.url), **snapshot.of(SECRET.url)}
    return Snapshot(types={**snapshot.types, SECRET.url: kept})


def proxy_value(gateway: GatewayBuild) -> dict[str, object]:
    """What the supervisor must know to run a gateway's Envoy."""
    proxy = gateway.proxy
    return {
        "kind": proxy.kind,
        "name": proxy.name,
        "namespace": proxy.namespace,
        "labels": dict(proxy.labels),
    }


def load_promises(path: Path) -> dict[str, Announcements]:
    """What an earlier control plane of this run-dir announced. A file that is not ours counts as none."""
    try:
        stored = json.loads(path.read_text())
        return {key: Announcements.from_json(value) for key, value in stored.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def save_promises(path: Path, promises: dict[str, Announcements]) -> None:
    """Atomically, so that a kill leaves the old or the new file."""
    text = json.dumps({key: one.to_json() for key, one in sorted(promises.items())}, indent=1)
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)
