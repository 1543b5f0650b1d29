"""Code that a proxy runs for each request."""

from dataclasses import field
from enum import IntEnum
from typing import Literal

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass


class Phase(IntEnum):
    """When requests meet it, in this order."""

    AUTHN = 1  # before tokens are read
    AUTHZ = 2  # before AuthorizationPolicies
    STATS = 3  # after them
    UNSPECIFIED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A WebAssembly module, or a script in Lua. Equal where it does the same."""

    name: str  # "shop.basic-auth": namespace and name of its object
    kind: Literal["wasm", "lua"]
    phase: Phase
    # The module or the script. Its digest stands for it, since there may be megabytes of it.
    code: bytes = field(default=b"", repr=False, compare=False)
    digest: str
    root: str = ""  # which of the plugins within the module
    configuration: str = ""  # JSON
    env: tuple[tuple[str, str], ...] = ()
    host_env: tuple[str, ...] = ()  # variables of Envoy's own environment
    failure: Literal["closed", "open", "reload"] = "closed"  # what becomes of requests when it has failed
    ports: tuple[int, ...] | None = None  # bound ports whose requests meet it; None: all of the proxy's
    origin: ResourceRef
