"""Files that Envoy opens itself: access logs. For one that it cannot open it would refuse every listener that has the
log. (Certificates that objects name by their paths are read by the control plane: sources/named_files.)

Looked at where Envoy runs on this machine, as this user; what a proxy elsewhere can open is not known here.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mizzen.errors import Problem
from mizzen.lazy import dataclass
from mizzen.model import Model
from mizzen.model.telemetry import AccessLog, FileLog
from mizzen.pipeline import GatewayBuild

CATALOGUE = {
    "LOG-001": "The access log cannot be written; there is none, and everything else is served.",
}
_OWN = frozenset({Path("/dev/stdout"), Path("/dev/stderr")})  # Envoy's, which are not ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """A file that cannot be opened."""

    log: str  # the path of an access log
    problem: Problem


def unusable_files(build: GatewayBuild, before: Model | None) -> tuple[Unusable, ...]:
    """The files of `build` that Envoy could not open. What it has open (`before`) it keeps."""
    return tuple(_unwritable(build, before))


def without_files(build: GatewayBuild, unusable: tuple[Unusable, ...]) -> GatewayBuild:
    """The same, less what needs files that cannot be opened."""
    if not unusable:
        return build
    logs = {one.log for one in unusable}
    listeners = tuple(
        replace(one, access_logs=tuple(log for log in one.access_logs if _path(log) not in logs))
        for one in build.model.listeners
    )
    return replace(build, model=replace(build.model, listeners=listeners))


def _unwritable(build: GatewayBuild, before: Model | None) -> Iterator[Unusable]:
    held = _logs(before) if before else frozenset()
    for path in sorted(_logs(build.model) - held):
        if why := _why_not_written(path):
            problem = Problem(
                code="LOG-001",
                resource=build.proxy.origin,
                field="spec.meshConfig.accessLogFile",
                message=f"the access log {path[:200]!r} cannot be written: {why}",
                hint="There is no access log until it can be. /dev/stdout is where Envoy's own log goes.",
            )
            yield Unusable(log=path, problem=problem)


def _logs(model: Model) -> frozenset[str]:
    paths = (_path(log) for one in model.listeners for log in one.access_logs)
    return frozenset(path for path in paths if path)


def _path(log: AccessLog) -> str:
    """Of the file that it goes to; "" for one that goes to a collector."""
    return log.to.path if isinstance(log.to, FileLog) else ""


def _why_not_written(text: str) -> str:
    """Envoy makes a file that is not there, but no folder."""
    path = Path(text)
    if path in _OWN:
        return ""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return _why_not_made(path.parent)
    except (OSError, ValueError) as error:  # too long, a loop of links, a NUL in it
        return _words(error)
    if stat.S_ISDIR(mode):
        return "it is a folder"
    return "" if os.access(path, os.W_OK) else "it may not be written to"


def _why_not_made(folder: Path) -> str:
    if not folder.is_dir():
        return f"there is no folder {folder}"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"nothing may be made in the folder {folder}"
    return ""


def _words(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
