"""`mizzen analyze`: all problems of some files at once."""

import asyncio
import sys
from datetime import UTC, datetime

import click

from mizzen.cli import options, printing
from mizzen.cli.faults import in_a_sentence
from mizzen.errors import MOST_SHOWN, Problem, Severity, first_of
from mizzen.pipeline import analysed, build
from mizzen.sources.files import Files


@click.command("analyze")
@options.optional_inputs
@click.option("-A", "--all-namespaces", is_flag=True, help="In a cluster: those of all namespaces.")
@click.option(
    "-i",
    "--istioNamespace",
    "istio_namespace",
    default="istio-system",
    help="Where a cluster's control plane is.",
)
@options.cluster
@options.output("log", "json", "yaml")
def command(
    inputs: options.Inputs,
    all_namespaces: bool,
    istio_namespace: str,
    cluster: options.WhichCluster,
    output: str,
) -> None:
    """Print every problem: where, what is wrong, what to do. Exit status 1 when one is an error.

    Without -f the objects of a cluster are read, with the rights of whoever asks: those of one namespace (-n,
    else that of the kubeconfig), or of all (-A).
    """
    if inputs.files:
        with in_a_sentence():
            listing = Files(inputs.files).listing()
            result = build(listing.objects, listing.problems, inputs.settings(listing.objects))
            problems, place = analysed(result, datetime.now(UTC)), _count(len(listing.files), "file")
    else:
        problems, place = of_cluster(cluster, inputs, all_namespaces, istio_namespace)
    if output == "log":
        shown, more = first_of(problems, MOST_SHOWN)
        text = "".join(f"{problem}\n" for problem in shown)
        text += f"{more} more problems are not shown (-o json has them all)\n" if more else ""
        click.echo(text + summary(problems, place))
    else:
        click.echo(printing.as_text([problem.value() for problem in problems], output), nl=False)
    sys.exit(any(problem.severity is Severity.ERROR for problem in problems))


def of_cluster(
    cluster: options.WhichCluster, inputs: options.Inputs, every: bool, system_namespace: str
) -> tuple[tuple[Problem, ...], str]:
    """The problems of a cluster's objects, and where they were looked for."""
    from mizzen.client.cluster_analysis import look
    from mizzen.kube.client import KubeError

    try:
        kube = cluster.connect()
        namespace = inputs.namespace if inputs.is_namespace_said else kube.namespace
        with in_a_sentence(KubeError):
            found = asyncio.run(look(kube, system_namespace, inputs.settings(), datetime.now(UTC)))
    except KubeError as error:
        raise click.ClickException(f"{error} (files are analyzed with -f)") from None
    if every:
        return found, "all namespaces"
    return tuple(one for one in found if one.resource.namespace in ("", namespace)), f"namespace {namespace}"


def summary(problems: tuple[Problem, ...], place: str) -> str:
    """The last line for people. `place`: where they were looked for."""
    if not problems:
        return f"✔ No problems found in {place}."
    counts = [(severity, sum(p.severity is severity for p in problems)) for severity in Severity]
    names = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    return ", ".join(_count(number, names[severity]) for severity, number in counts if number)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
