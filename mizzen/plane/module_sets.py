"""WebAssembly modules of plugins: fetched before a start goes on, and when a plugin changes; what was had holds."""

import base64
import binascii
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from mizzen.model.plugin import ModuleSource
from mizzen.plane.following import Following, Kind
from mizzen.resolve.access.module_sources import module_sources
from mizzen.resolve.context import FetchedModule
from mizzen.resolve.proxies.gateways import mesh_config, switches_of
from mizzen.resources.world import World
from mizzen.sources.state_file import StateFile

MOST, MOST_BYTES = 64, 32 * 2**20  # modules, and what they have together
Modules = Following[ModuleSource, bytes, FetchedModule]


def following_modules(
    fetch: Callable[[ModuleSource], Awaitable[bytes]],
    on_change: Callable[[], object],
    clock: Callable[[], datetime],
    kept: StateFile | None = None,
) -> Modules:
    kind = Kind(
        told=_told,
        dump=lambda code: {"code": base64.b64encode(code).decode()},
        load=_code,
        most=MOST,
        too_many=f"more than {MOST} modules are named, and it is not fetched",
        size=len,
        most_bytes=MOST_BYTES,
    )
    return Following(kind, fetch, on_change, clock, kept)


def _told(code: bytes | None, why: str) -> FetchedModule:
    if code is None:
        return FetchedModule(why=why)
    return FetchedModule(code=code, digest=hashlib.sha256(code).hexdigest(), why=why)


def _code(kept: Mapping[str, Any]) -> bytes:
    try:
        return base64.b64decode(kept["code"], validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error


def wanted_modules(world: World, environment: Mapping[str, str]) -> tuple[ModuleSource, ...]:
    """Those that the plugins of a world name, as its mesh says: those of its root namespace first."""
    root = mesh_config(world).root_namespace
    return module_sources(world, switches_of(world.operators, environment), root)
