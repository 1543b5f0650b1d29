"""`mizzen render`: offline, what the control plane would send."""

import sys
from datetime import UTC, datetime
from functools import partial

import click

from mizzen.cli import options, printing
from mizzen.cli.faults import in_a_sentence
from mizzen.errors import MOST_SHOWN, Problem, Severity, first_of
from mizzen.guard import Stage, attempt
from mizzen.pipeline import GatewayBuild, analysed, build
from mizzen.sources.files import Files


@click.command("render")
@options.inputs
@click.option("--gateway", metavar="NAME[.NAMESPACE]", help="Which gateway; needed when there are several.")
@options.output("json", "yaml")
def command(inputs: options.Inputs, gateway: str | None, output: str) -> None:
    """Print listeners, routes, clusters, endpoints and secrets (private keys redacted) of one gateway.

    It is what `mizzen up` sends to Envoy for the same files once each HTTP/3 mirror has been proven. The same
    input gives the same bytes, in whatever order its files come. Problems go to standard error.
    """
    from mizzen.envoy.dump import dump

    with in_a_sentence():
        listing = Files(inputs.files).listing()
        result = build(listing.objects, listing.problems, inputs.settings(listing.objects))
    for problem in first_of(analysed(result, datetime.now(UTC)), MOST_SHOWN)[0]:
        if problem.severity is not Severity.INFO:
            click.echo(str(problem), err=True)
    chosen = choose(result.gateways, gateway)
    problems: list[Problem] = []
    make = partial(chosen.config, chosen.announced_when_proven())
    config = attempt(Stage.GATEWAY, chosen.proxy.origin, make, problems.append, None)
    if config is None:
        raise click.ClickException(str(problems[0]))
    click.echo(printing.as_text(dump(config), output), nl=False)
    sys.stdout.flush()


def choose(gateways: tuple[GatewayBuild, ...], wanted: str | None) -> GatewayBuild:
    """The gateway called `wanted` ("NAME" or "NAME.NAMESPACE"); the only one when nobody says."""
    names = ", ".join(one.proxy.key for one in gateways)
    if not gateways:
        raise click.ClickException(
            "no gateway is enabled: see spec.components.ingressGateways of the IstioOperator"
        )
    if wanted is None:
        if len(gateways) > 1:
            raise click.ClickException(f"there are several gateways, choose one with --gateway: {names}")
        return gateways[0]
    found = [one for one in gateways if wanted in (one.proxy.key, one.proxy.name)]
    if len(found) != 1:
        raise click.ClickException(f"no gateway is called {wanted!r}; there is: {names}")
    return found[0]
