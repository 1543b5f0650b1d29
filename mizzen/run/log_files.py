"""Access logs that Envoy could not write: it would refuse every listener that has such a log.

Looked at where Envoy runs on this machine, as this user; what a proxy elsewhere could write is not known here.
"""

import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from mizzen.errors import Problem
from mizzen.model import Model
from mizzen.pipeline import GatewayBuild

CATALOGUE = {
    "LOG-001": "The access log cannot be written; there is none, and everything else is served.",
}
_OWN = frozenset({Path("/dev/stdout"), Path("/dev/stderr")})  # Envoy's, which are not ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwritable:
    """An access log that cannot be, and why."""

    path: str
    problem: Problem


def unwritable(build: GatewayBuild, before: Model | None) -> tuple[Unwritable, ...]:
    """The logs of `build` that Envoy could not open. Those that it has open (`before`) it keeps."""
    held = _paths(before) if before else frozenset()
    found = []
    for path in sorted(_paths(build.model) - held):
        if why := _why_not(path):
            problem = Problem(
                code="LOG-001",
                resource=build.proxy.origin,
                field="spec.meshConfig.accessLogFile",
                message=f"the access log {path[:200]!r} cannot be written: {why}",
                hint="There is no access log until it can be. /dev/stdout is where Envoy's own log goes.",
            )
            found.append(Unwritable(path=path, problem=problem))
    return tuple(found)


def without_logs(build: GatewayBuild, paths: frozenset[str]) -> GatewayBuild:
    """The same, less the access logs of these paths."""
    if not paths:
        return build
    listeners = tuple(
        replace(one, access_logs=tuple(log for log in one.access_logs if log.path not in paths))
        for one in build.model.listeners
    )
    return replace(build, model=replace(build.model, listeners=listeners))


def _paths(model: Model) -> frozenset[str]:
    return frozenset(log.path for one in model.listeners for log in one.access_logs)


def _why_not(text: str) -> str:
    """Envoy makes a file that is not there, but no folder."""
    path = Path(text)
    if path in _OWN:
        return ""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return _why_not_made(path.parent)
    except (OSError, ValueError) as error:  # too long, a loop of links, a NUL in it
        return getattr(error, "strerror", None) or str(error)
    if stat.S_ISDIR(mode):
        return "it is a folder"
    if not os.access(path, os.W_OK):
        return "it may not be written to"
    return ""


def _why_not_made(folder: Path) -> str:
    if not folder.is_dir():
        return f"there is no folder {folder}"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"nothing may be made in the folder {folder}"
    return ""
