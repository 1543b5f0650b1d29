"""`mizzen _control-plane`: started by `mizzen up`, not by users."""

import os

# gRPC reads these once, when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import logging
import sys
from pathlib import Path

import click

from mizzen.cli import options
from mizzen.node.instance import Instance
from mizzen.plane import file_pilot, garbage_collection


@click.command("_control-plane", hidden=True)
@options.inputs
@options.run_dir
@options.ca_dir
@click.option("--stdin-fd", type=int, help="A memory file with what standard input held.")
def command(inputs: options.Inputs, run_dir: Path, ca_dir: Path | None, stdin_fd: int | None) -> None:
    """The control plane of one `mizzen up`."""
    garbage_collection.look_seldom()  # before what stays is read
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    stdin = file_pilot.read_memory(stdin_fd) if stdin_fd is not None else None
    file_pilot.serve(Instance(run_dir), inputs.files, stdin, inputs.settings(), ca_folder=ca_dir)
