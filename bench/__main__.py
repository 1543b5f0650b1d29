"""`python -m bench NAME [--hosts ...]`: figures, printed and never asserted. Without a name, all but the long ones.

Everything runs on this machine's loopback, in a network namespace of its own where one can be made: real processes,
the real Envoy. A busy machine shows in the figures: its load is printed with each table.
"""

import importlib
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

ISOLATED = "MIZZEN_BENCH_ISOLATED"
# Each is a module here with `main(arguments)`.
NAMES = (
    "change",
    "wildcards",
    "gateways",
    "servers",
    "cold",
    "routes",
    "endpoints",
    "fleet",
    "proxies",
    "files",
    "storm",
    "cli",
    "stop",
    "cpu",
    "quic",
    "sidecar",
)
# Only when they are named: they take a quarter of an hour and more, and `peers` needs servers that are not ours.
ALONE = ("features", "peers")


def isolate() -> None:
    """Begin again inside `unshare -n`, so that the fixed ports are free."""
    unshare = shutil.which("unshare")
    if os.environ.get(ISOLATED) or not unshare:
        return
    flags = ["-n"] if os.geteuid() == 0 else ["-rn"]
    os.environ[ISOLATED] = "1"
    inside = [
        "sh",
        "-c",
        'ip link set lo up && exec "$@"',
        "sh",
        sys.executable,
        "-m",
        "bench",
        *sys.argv[1:],
    ]
    os.execv(unshare, [unshare, *flags, *inside])


def compile_into(folder: Path) -> None:
    """Have each module compiled once, as an installation has them all, whatever the environment says about that."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder)


def main() -> None:
    name, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("", [])
    if name in ("-h", "--help"):
        print(
            f"{__doc__}\nNames: {', '.join(NAMES)}; alone: {', '.join(ALONE)}. `python -m bench NAME --help` tells the sizes."
        )
        return
    if name and name not in NAMES + ALONE:
        sys.exit(f"bench: there is {', '.join(NAMES + ALONE)}, not {name}")
    isolate()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    with tempfile.TemporaryDirectory(prefix="mz-") as folder:
        compile_into(Path(folder))
        for one in (name,) if name else NAMES:
            importlib.import_module(f"bench.{one}").main(arguments)


main()
