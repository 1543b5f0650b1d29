"""`mizzen up`: the standalone gateway."""

import sys
from pathlib import Path

import click

from mizzen.cli import options


@click.command("up")
@options.inputs
@options.run_dir
@options.ca_dir
@options.hung_after
@click.option(
    "--wait",
    is_flag=True,
    help="Go on where there is nothing to serve yet, and serve what comes. Without it that is an error.",
)
def command(
    inputs: options.Inputs, run_dir: Path, ca_dir: Path | None, hung_after: float, wait: bool
) -> None:
    """Serve the gateways that YAML files describe, and every change of the files.

    One Envoy runs for each components.ingressGateways[] of the IstioOperator, and for each Deployment of a gateway as
    charts make it; without any there is istio-ingressgateway with 80->8080, 443->8443 (TCP and UDP) and HTTP/3. Prints
    one line that begins with "ready:" when all serve, and ends with status 1 where nothing is to be served. SIGTERM or
    Ctrl-C lets clients finish and ends everything.
    """
    from mizzen.node.instance import Instance
    from mizzen.node.restarting_process import StartFailed
    from mizzen.node.up import Up, serve

    missing = [name for name in inputs.files if name != "-" and not Path(name).exists()]
    if missing:
        raise click.ClickException(f"there is no file or directory {', '.join(missing)}")
    up = Up(
        instance=Instance(run_dir.absolute()),
        arguments=(*inputs.arguments(), *(("--ca-dir", str(ca_dir.absolute())) if ca_dir else ())),
        stdin=sys.stdin.buffer.read() if "-" in inputs.files else None,
        patience=hung_after,
        waits=wait,
    )
    try:
        serve(up, click.echo)
    except StartFailed as error:
        raise click.ClickException(str(error)) from None
