"""Where a running instance keeps its files, and how to ask it something."""

import asyncio
import json
import secrets
from pathlib import Path
from typing import Any

from mizzen.authority.proof import (
    HEADER,
    NONCE_HEADER,
    holds,
    name_of_secret,
    proof_of_answer,
    proof_of_question,
)
from mizzen.lazy import dataclass
from mizzen.proxy.admin import ask, exchange
from mizzen.status import Brief, Status


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
    def secret(self) -> Path:
        """The key by which the processes of this instance know each other; made anew at each start."""
        return self.run_dir / "secret"

    def key(self) -> bytes:
        """What is in `secret`. OSError when no instance has been here, or it is another user's."""
        return self.secret.read_bytes()

    @property
    def announcements(self) -> Path:
        """What clients were promised (alt-svc), kept for the next control plane."""
        return self.run_dir / "announcements.json"

    @property
    def scoped(self) -> Path:
        """Which route tables go host by host, kept for the next control plane of the same Envoys."""
        return self.run_dir / "scoped.json"

    @property
    def last_good(self) -> Path:
        """Good versions of objects that have gone bad, kept for the next control plane."""
        return self.run_dir / "last-good.json"

    @property
    def fetched_keys(self) -> Path:
        """Keys of tokens that issuers published, kept for the next control plane."""
        return self.run_dir / "fetched-keys.json"

    @property
    def fetched_modules(self) -> Path:
        """WebAssembly modules of plugins, kept for the next control plane."""
        return self.run_dir / "fetched-modules.json"

    @property
    def session_tickets(self) -> Path:
        """Of what the keys of session tickets are made, kept for the next control plane."""
        return self.run_dir / "session-tickets.json"

    @property
    def set_aside(self) -> Path:
        """Which objects Envoy refused or died of, kept for the next control plane."""
        return self.run_dir / "set-aside.json"

    @property
    def dns_notes(self) -> Path:
        """Which names in DNS were written, kept for the next control plane."""
        return self.run_dir / "dns.json"

    @property
    def ages(self) -> Path:
        """When each object of the files was seen first, kept for the next control plane."""
        return self.run_dir / "ages.json"

    @property
    def authority(self) -> Path:
        """The mesh's root and its key, where nobody names another folder."""
        return self.run_dir / "authority"

    def gateway(self, key: str) -> Path:
        """The folder of one gateway's Envoy."""
        return self.run_dir / key

    def admin_socket(self, key: str) -> Path:
        """Envoy's admin interface (HTTP). It asks nobody who he is, so its name is nothing that can be guessed (where an
        instance has been started here)."""
        try:
            return self.gateway(key) / f"admin-{name_of_secret(self.key(), key)}.sock"
        except OSError:
            return self.gateway(key) / "admin.sock"

    def health_socket(self, key: str) -> Path:
        """Where Envoy's port 15021 asks whether the gateway is ready (HTTP)."""
        return self.gateway(key) / "health.sock"


def get(path: Path, target: str, timeout: float = 5.0) -> tuple[int, bytes]:
    """GET `target` over the Unix socket at `path`: (status, body). OSError when nobody answers."""
    return asyncio.run(ask(path, target, seconds=timeout))


async def ask_status(instance: Instance, key: bytes, seconds: float = 5.0) -> Status:
    """What the control plane of an instance with that `key` says of itself.

    OSError when none answers, or somebody else does: whoever may make Envoy listen could be behind the socket.
    ValueError when its answer cannot be read.
    """
    return Status.from_json(await _asked(instance, "/status", key, seconds))


async def ask_brief(instance: Instance, key: bytes, seconds: float = 5.0) -> Brief:
    """As much of it as the supervisor needs again and again. Raises as `ask_status`."""
    return Brief.from_json(await _asked(instance, "/brief", key, seconds))


async def ask_configuration(instance: Instance, key: bytes, seconds: float = 60.0) -> Any:
    """What it serves, as JSON values, Secrets among it (`plane.configuration`). Raises as `ask_status`."""
    return await _asked(instance, "/configuration", key, seconds)


async def _asked(instance: Instance, page: str, key: bytes, seconds: float) -> Any:
    nonce = secrets.token_hex(16)
    shown = {NONCE_HEADER: nonce, HEADER: proof_of_question(key, nonce)}
    code, headers, body = await exchange(instance.control_socket, page, shown, seconds=seconds)
    if not holds(headers.get(HEADER, ""), proof_of_answer(key, nonce, body)):
        raise OSError("what answers at its socket is not its control plane")
    if code != 200:
        raise OSError(f"the control plane answered {code}")
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("the status is too deep to be read") from error


def brief(instance: Instance) -> Brief:
    """As much of that as is asked for again and again. OSError when none runs."""
    return asyncio.run(ask_brief(instance, instance.key()))


def status(instance: Instance) -> Status:
    """What the control plane of a running instance says of itself. OSError when none runs."""
    return asyncio.run(ask_status(instance, instance.key()))


def configuration(instance: Instance) -> Any:
    """What a running instance serves, as JSON values. OSError when none runs."""
    return asyncio.run(ask_configuration(instance, instance.key()))
