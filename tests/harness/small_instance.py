"""An instance with the small control plane. Prints "ready" once.

python small_instance.py RUN_DIR FILE [HELPER ARGUMENT...]

Its patience with processes that do not answer: PATIENCE, in seconds.
"""

import logging
import os
import sys
from pathlib import Path

from mizzen.node.child_process import Command
from mizzen.node.instance import Instance
from mizzen.node.supervisor import Plan, StartFailed, Supervisor, supervise
from mizzen.proxy.binary import envoy_binary

HERE = Path(__file__).parent


def main() -> None:
    logging.basicConfig(level=logging.INFO)
    run_dir, file, *helper = sys.argv[1:]
    plan = Plan(
        instance=Instance(Path(run_dir)),
        control_plane=Command(
            name="control plane",
            argv=(sys.executable, str(HERE / "small_control_plane.py"), run_dir, file),
            environment={"PYTHONPATH": str(HERE.parent.parent)},
        ),
        helpers=(Command(name="helper", argv=tuple(helper)),) if helper else (),
        envoy=envoy_binary(),
        concurrency=1,
        patience=float(os.environ.get("PATIENCE", "25")),
    )
    try:
        supervise(lambda: Supervisor(plan, on_ready=lambda _: print("ready", flush=True)))
    except StartFailed as error:
        sys.exit(f"mizzen: {error}")


main()
