"""`mizzen pilot`: the control plane alone, for proxies of other machines."""

import os

# gRPC reads these once, when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import logging
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mizzen.cli import options

if TYPE_CHECKING:
    from mizzen.node.instance import Instance
    from mizzen.plane.network import Listening


@click.command("pilot")
@click.option(
    "--kubernetes", is_flag=True, help="Read a Kubernetes API server instead of files, and serve its Pods."
)
@options.optional_inputs
@options.run_dir
@options.cluster
@options.ca_dir
@click.option(
    "--secure-address", default="0.0.0.0:15012", show_default=True, help="xDS and renewals, over mutual TLS."
)
@click.option(
    "--join-address", default="0.0.0.0:15013", show_default=True, help="Where proxies join with a token."
)
@click.option(
    "--plaintext-address",
    default="",
    help="xDS without TLS and without Secrets for whoever reaches it, also through a route of a proxy; such as "
    "127.0.0.1:15010.  [default: closed]",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    help="A DNS name or address by which proxies know this machine. Repeatable.  [default: its host name, localhost]",
)
def command(
    kubernetes: bool,
    inputs: options.Inputs,
    run_dir: Path,
    cluster: options.WhichCluster,
    ca_dir: Path | None,
    secure_address: str,
    join_address: str,
    plaintext_address: str,
    names: tuple[str, ...],
) -> None:
    """Serve configuration and certificates to `mizzen proxy` on other machines, or to the Pods of a cluster.

    The root of the mesh is kept in RUN_DIR/authority; proxies need its root-cert.pem, and each a token from
    `mizzen join-token`.
    """
    from mizzen.node.instance import Instance
    from mizzen.node.restarting_process import StartFailed
    from mizzen.node.restore import Restorer
    from mizzen.node.run_dir import possession
    from mizzen.plane import file_pilot, garbage_collection
    from mizzen.plane.network import Listening

    garbage_collection.look_seldom()
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    listening = Listening(
        secure=secure_address,
        join=join_address,
        plaintext=plaintext_address,
        names=names or (socket.gethostname(), "localhost", "127.0.0.1"),
    )
    for noisy in ("httpx2", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    instance = Instance(run_dir.absolute())
    if kubernetes == bool(inputs.files):
        raise click.UsageError("Say either -f or --kubernetes.")
    if kubernetes:
        return of_cluster(instance, cluster, listening, inputs)
    stdin = sys.stdin.buffer.read() if "-" in inputs.files else None
    try:
        with possession(instance) as held:
            file_pilot.serve(
                instance,
                inputs.files,
                stdin,
                inputs.settings(is_local=False),
                ca_folder=ca_dir.absolute() if ca_dir else None,
                listening=listening,
                tell=echo,
                restorer=Restorer(held),
            )
    except (StartFailed, RuntimeError) as error:
        raise click.ClickException(str(error)) from None
    return None


def of_cluster(
    instance: "Instance", cluster: options.WhichCluster, listening: "Listening", inputs: options.Inputs
) -> None:
    """Serve a cluster until a signal comes."""
    from mizzen.cluster import replica
    from mizzen.kube.client import KubeError
    from mizzen.node.restarting_process import StartFailed
    from mizzen.node.run_dir import possession

    try:
        with possession(instance):
            folders = inputs.settings().unix_folders
            replica.serve(cluster.connect(), instance, dict(os.environ), listening, echo, folders)
    except (StartFailed, RuntimeError, KubeError) as error:
        raise click.ClickException(str(error)) from None


def echo(text: str) -> None:
    """To whoever started it."""
    print(text, flush=True)
