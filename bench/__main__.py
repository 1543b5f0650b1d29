"""`python -m bench [cpu] [live] [proxies]`: what a request costs, how fast a change is live, and what it costs where
many proxies share a configuration.

Everything runs on this machine's loopback, in a network namespace of its own where one can be made. The two
sides of a comparison take turns in one run: these figures are ratios to look at, not records to publish.
"""

import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))

ISOLATED = "MIZZEN_BENCH_ISOLATED"


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


def main() -> None:
    isolate()
    from bench import cpu, live, proxies

    wanted = sys.argv[1:] or ["cpu", "live"]
    if unknown := set(wanted) - {"cpu", "live", "proxies"}:
        sys.exit(f"bench: there is cpu, live and proxies, not {', '.join(sorted(unknown))}")
    if "cpu" in wanted:
        cpu.main()
    if "live" in wanted:
        live.main()
    if "proxies" in wanted:
        proxies.main()


main()
