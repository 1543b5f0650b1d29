"""`mizzen analyze`: all problems of some files, of a cluster, or of a cluster as it would be with some files."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TextIO

import click

from mizzen.cli import options, printing
from mizzen.cli.faults import in_a_sentence
from mizzen.client.analysis import analysis
from mizzen.client.shown_problems import (
    LEVELS,
    Suppression,
    annotated,
    at_least,
    in_color,
    kept,
    unknown_codes,
)
from mizzen.errors import MOST_SHOWN, Problem, ResourceRef, Severity, first_of
from mizzen.istio_codes import istio_codes
from mizzen.lazy import dataclass
from mizzen.pipeline import CATALOGUE as BUILDING
from mizzen.resolve.catalogue import CATALOGUE as RESOLVING
from mizzen.resources.catalogue import CATALOGUE as READING
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.declaring.values import duration
from mizzen.resources.decode import identify
from mizzen.resources.raw_objects import RawObject
from mizzen.sources.files import CATALOGUE as FILES
from mizzen.sources.files import Files
from mizzen.sources.kustomize_origins import with_origins

CODES = {**FILES, **READING, **BUILDING, **RESOLVING}


class _Analyze(click.Command):
    """Takes `--color=false` beside `--no-color`, as istioctl does, and such of its options as have no effect."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [_as_a_switch(argument) for argument in args])


def _as_a_switch(argument: str) -> str:
    name, equals, value = argument.partition("=")
    if not equals or name not in ("--color", "--use-kube") or value not in ("true", "false"):
        return argument
    return name if value == "true" else f"--no-{name[2:]}"


_LEVEL = click.Choice(tuple(LEVELS), case_sensitive=False)
_SIFTING = (
    click.option(
        "-S",
        "--suppress",
        multiple=True,
        metavar="CODE=KIND NAME.NAMESPACE",
        help='Say nothing of that code (IST0101, REF-001) at that object; * is any text: "IST0101=VirtualService *.shop". '
        "Repeatable. An object may say it itself, by the annotation galley.istio.io/analyze-suppress.",
    ),
    click.option(
        "--output-threshold",
        type=_LEVEL,
        default="Info",
        show_default=True,
        help="What is worse is shown too.",
    ),
    click.option(
        "--failure-threshold",
        type=_LEVEL,
        default="Error",
        show_default=True,
        help="What is as bad makes the exit status 1, whether it is shown or not.",
    ),
    click.option("--ignore-unknown", is_flag=True, help="Say nothing of documents that are no objects."),
    click.option("--color/--no-color", default=None, help="Colors.  [default: on a terminal]"),
)
_WHERE = (
    click.option("-A", "--all-namespaces", is_flag=True, help="In a cluster: those of all namespaces."),
    *options.CONTROL_PLANE,
    click.option(
        "--use-kube/--no-use-kube",
        default=None,
        help="Read a cluster, as it would be with the files that are named.  [default: where none is named]",
    ),
    click.option(
        "--meshConfigFile",
        "mesh_config_file",
        type=click.File(),
        help="Settings of the mesh (MeshConfig) in place of those of IstioOperators.",
    ),
    click.option(
        "--timeout", default="30s", show_default=True, help="How long a cluster may take to answer."
    ),
    click.option("-L", "--list-analyzers", is_flag=True, help="Only list all codes, Istio's beside them."),
    # Folders are always read to the bottom, and there is no more to say.
    click.option("-R", "--recursive", is_flag=True, hidden=True, expose_value=False),
    click.option("-v", "--verbose", is_flag=True, hidden=True, expose_value=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cluster:
    """Which control plane of a cluster is meant, whose objects, and for how long it may be waited."""

    all_namespaces: bool
    istio_namespace: str
    revision: str
    timeout: str

    @property
    def seconds(self) -> float:
        findings = Findings(ResourceRef(kind="Option"))
        span = duration(self.timeout, "", findings)
        if not isinstance(span, timedelta):
            raise click.BadParameter(findings.problems[0].message, param_hint="--timeout")
        return span.total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sifting:
    """What is shown of the problems, and what makes the command fail."""

    suppress: tuple[str, ...]
    output_threshold: str
    failure_threshold: str
    ignore_unknown: bool
    color: bool | None

    def suppressions(self) -> tuple[Suppression, ...]:
        try:
            found = tuple(map(Suppression.of, self.suppress))
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--suppress") from None
        for code in unknown_codes(found, CODES):
            click.echo(f"Warning: no problem has the code {code}: nothing is suppressed by it", err=True)
        return found

    def is_colored(self) -> bool:
        if self.color is None:
            return sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")
        return self.color


@click.command("analyze", cls=_Analyze)
@click.argument("paths", nargs=-1, metavar="[FILE|DIR]...")
@options.optional_inputs
@options.with_options(*_WHERE, *_SIFTING)
@options.cluster
@options.output("log", "json", "yaml")
def command(
    inputs: options.Inputs,
    cluster: options.WhichCluster,
    paths: tuple[str, ...],
    output: str,
    list_analyzers: bool,
    use_kube: bool | None,
    mesh_config_file: TextIO | None,
    **others: Any,
) -> None:
    """Print every problem: where, what is wrong, what to do. Exit status 1 when one is an error.

    Files are named with -f, or by themselves. Without any the objects of a cluster are read, with the rights of
    whoever asks: those of one namespace (-n, else that of the kubeconfig), or of all (-A).
    """
    if list_analyzers:
        click.echo("".join(_catalogue()), nl=False)
        return
    inputs = replace(inputs, files=(*inputs.files, *paths))
    asked = _Cluster(
        **{key: others.pop(key) for key in ("all_namespaces", "istio_namespace", "revision", "timeout")}
    )
    sifting = _Sifting(**others)
    suppressions = sifting.suppressions()
    if use_kube is False and not inputs.files:
        raise click.UsageError("there is nothing to analyze: name files, or leave --use-kube=false out")
    prepared = (
        partial(_prepared, mesh_config_file.name, mesh_config_file.read()) if mesh_config_file else None
    )
    if use_kube or not inputs.files:
        problems, place, objects = _of_cluster(asked, cluster, inputs, prepared or _as_they_are)
    else:
        problems, place, objects = _of_files(inputs, prepared or _as_they_are)
    by_objects = annotated((identify(raw, inputs.namespace), raw.data) for raw in objects if not raw.unread)
    left = kept(problems, suppressions, by_objects, ignore_unknown=sifting.ignore_unknown)
    shown = at_least(left, LEVELS[sifting.output_threshold])
    if output == "log":
        _print(shown, place, is_colored=sifting.is_colored())
    else:
        click.echo(printing.as_text([problem.value() for problem in shown], output), nl=False)
    sys.exit(bool(at_least(left, LEVELS[sifting.failure_threshold])))


_Found = tuple[
    tuple[Problem, ...], str, tuple[RawObject, ...]
]  # problems, where they were looked for, the objects


# Objects -> those that are analyzed, and problems beside.
_Prepare = Callable[[tuple[RawObject, ...]], tuple[tuple[RawObject, ...], tuple[Problem, ...]]]


def _as_they_are(objects: tuple[RawObject, ...]) -> tuple[tuple[RawObject, ...], tuple[Problem, ...]]:
    return objects, ()


def _prepared(
    file: str, text: str, objects: tuple[RawObject, ...]
) -> tuple[tuple[RawObject, ...], tuple[Problem, ...]]:
    from mizzen.client.mesh_file import with_mesh_config

    return with_mesh_config(objects, text, file)


def _of_files(inputs: options.Inputs, prepare: _Prepare) -> _Found:
    with in_a_sentence():
        listing = Files(inputs.files).listing()
        objects, beside = prepare(listing.objects)
        found = (*listing.problems, *beside)
        problems = analysis(objects, found, inputs.settings(objects), datetime.now(UTC))
    return with_origins(problems), _count(len(listing.files), "file"), listing.objects


def _of_cluster(
    asked: _Cluster, which: options.WhichCluster, inputs: options.Inputs, prepare: _Prepare
) -> _Found:
    """Those of a cluster, as it would be with the files that are named."""
    from mizzen.client.cluster_analysis import look
    from mizzen.kube.client import KubeError

    given = Files(inputs.files).listing() if inputs.files else None
    try:
        kube = which.connect()
        namespace = inputs.namespace if inputs.is_namespace_said else kube.namespace
        with in_a_sentence(KubeError):
            looking = look(
                kube,
                asked.istio_namespace,
                inputs.settings(),
                datetime.now(UTC),
                files=given,
                prepare=prepare,
                revision=asked.revision,
                patience=asked.seconds,
            )
            found, objects = asyncio.run(looking)
    except KubeError as error:
        raise click.ClickException(f"{error} (files are analyzed with -f)") from None
    if asked.all_namespaces:
        return found, "all namespaces", objects
    mine = tuple(problem for problem in found if problem.resource.namespace in ("", namespace))
    return mine, f"namespace {namespace}", objects


def _print(problems: tuple[Problem, ...], place: str, *, is_colored: bool) -> None:
    shown, more = first_of(problems, MOST_SHOWN)
    text = "".join(f"{in_color(problem) if is_colored else problem}\n" for problem in shown)
    text += f"{more} more problems are not shown (-o json has them all)\n" if more else ""
    click.echo(text + summary(problems, place), color=is_colored or None)


def _catalogue() -> Iterator[str]:
    """Each code, Istio's beside it, and what it means."""
    for code in sorted(CODES):
        yield f"{code:<10}{', '.join(istio_codes().get(code, ())):<18}{CODES[code]}\n"


def summary(problems: tuple[Problem, ...], place: str) -> str:
    """The last line for people. `place`: where they were looked for."""
    if not problems:
        return f"✔ No problems found in {place}."
    counts = [(severity, sum(p.severity is severity for p in problems)) for severity in Severity]
    names = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    return ", ".join(_count(number, names[severity]) for severity, number in counts if number)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
