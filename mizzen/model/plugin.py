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


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleSource:
    """Where a WebAssembly module is published, and how it is asked for."""

    url: str  # http://, https:// or oci://
    secret: str = ""  # "namespace/name" of who we are to the registry
    authorization: str = field(default="", repr=False)  # what that says, as a value of the header
    trouble: str = ""  # why nobody can be asked, so that what was had before is all there is
    sha256: str = ""  # of the module, or of its image's manifest, in lower case; "": any
    # The plugins that shall have the newest whenever they are changed, as they are now; () with none.
    newest_for: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()  # networks that are not asked, beside those that never are

    @property
    def key(self) -> str:
        """What tells it from others: who may not have a module is not given what somebody else had."""
        return " ".join((self.url, self.secret, self.sha256)).rstrip()

    @property
    def refresh(self) -> None:
        """It is not asked again once it has answered, until an object changes."""
        return

    @property
    def is_asked_anew(self) -> bool:
        return bool(self.newest_for)
