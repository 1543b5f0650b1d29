"""`mizzen plan`: what applying some files would do to connections."""

import asyncio
import contextlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mizzen.cli import options, printing
from mizzen.cli.faults import in_a_sentence
from mizzen.cli.planned import text_of
from mizzen.errors import MOST_SHOWN, Problem, Severity, first_of
from mizzen.lazy import dataclass
from mizzen.sources.files import Files
from mizzen.sources.kustomize_origins import with_origins
from mizzen.sources.listing import Listing

if TYPE_CHECKING:
    from mizzen.client.cluster_analysis import Seen
    from mizzen.kube.client import Kube
    from mizzen.pipeline import Settings
    from mizzen.plan.planning import Served
    from mizzen.resources.raw_objects import RawObject

RUNNING, CLUSTER = "running", "cluster"
_CLOSES = 2  # exit status where a connection is closed


class _Plan(click.Command):
    """Exit status 2 says that something is closed: what cannot be looked at is 1, also where the command line is wrong."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with _in_1():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _in_1():
            return super().invoke(ctx)


@contextlib.contextmanager
def _in_1() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        vars(error)["exit_code"] = 1
        raise


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    """Two states of the objects."""

    served: "Served"
    called: str  # what is served is called so
    objects: "tuple[RawObject, ...]"  # what would be
    found: tuple[Problem, ...]  # of reading them
    settings: "Settings"
    known: frozenset[tuple[object, ...]] = (
        frozenset()
    )  # problems that there are already, and that are no hindrance


@click.command("plan", cls=_Plan)
@options.inputs
@click.option(
    "--against",
    default=RUNNING,
    metavar="FILE|DIR|RUN-DIR|running|cluster",
    help="What is served now: by files, by the instance with that run-dir, by the one of --run-dir, or in a cluster, to "
    "which the files would be applied.  [default: running]",
)
@options.run_dir
@options.cluster
@options.with_options(*options.CONTROL_PLANE)
@options.output("table", "json", "yaml")
def command(
    inputs: options.Inputs,
    cluster: options.WhichCluster,
    against: str,
    run_dir: Path,
    istio_namespace: str,
    revision: str,
    output: str,
) -> None:
    """Say what files would do to the connections of clients, before they are applied.

    Per gateway, listener and host, from mild to hard: none, routes, endpoints, certificate, opens (something is served that was
    not), reconnects, closes-h3, withdraws-h3, closes-all (Envoy must be started anew), unserved; each with the object and
    the line that causes it, and a milder way where there is one. Exit status 0 where nothing is closed (none to opens), 2 where
    something is, 1 where the files have errors (which are printed as by analyze) or it could not be looked.
    """
    given = Files(inputs.files).listing()
    if against.lower() == RUNNING:
        compared = _with_running(run_dir, given)
    elif against.lower() == CLUSTER:
        compared = _with_cluster(inputs, cluster, given, istio_namespace, revision)
    elif is_run_dir(Path(against)):
        compared = _with_running(Path(against), given)
    else:
        compared = _with_files(inputs, against, given)
    _show(compared, output)


def is_run_dir(path: Path) -> bool:
    """Is it the folder of an instance that runs, or ran, rather than one of files?"""
    from mizzen.node.instance import Instance

    instance = Instance(path)
    marks = (instance.secret, instance.control_socket, instance.announcements, instance.authority)
    return path.is_dir() and any(one.exists() for one in marks)


def _show(compared: _Comparison, output: str) -> None:
    from mizzen.client.analysis import analysis
    from mizzen.plan.planning import plan

    now = datetime.now(UTC)
    with in_a_sentence():
        problems = with_origins(analysis(compared.objects, compared.found, compared.settings, now))
        wrong = tuple(
            one for one in problems if one.severity is Severity.ERROR and key_of(one) not in compared.known
        )
        if wrong:
            _refuse(wrong, output)
        made = plan(compared.served, compared.objects, compared.found, compared.settings)
    if output == "table":
        click.echo(f"compared with {compared.called}\n\n{text_of(made)}", nl=False)
    else:
        click.echo(printing.as_text(made.to_json(), output), nl=False)
    sys.stdout.flush()
    sys.exit(_CLOSES if made.worst.closes else 0)


def key_of(problem: Problem) -> tuple[object, ...]:
    """What a problem is known by, wherever its object is written."""
    return (problem.resource, problem.code, problem.field)


def _refuse(problems: tuple[Problem, ...], output: str) -> None:
    if output == "table":
        shown, more = first_of(problems, MOST_SHOWN)
        text = "".join(f"{problem}\n" for problem in shown)
        text += f"{more} more problems are not shown (-o json has them all)\n" if more else ""
        click.echo(text, nl=False)
    else:
        click.echo(printing.as_text([problem.value() for problem in problems], output), nl=False)
    click.echo("Nothing is planned: mend the errors first.", err=True)
    sys.exit(1)


def _with_files(inputs: options.Inputs, path: str, given: Listing) -> _Comparison:
    from mizzen.plan.planning import Served

    if not Path(path).exists():
        raise click.ClickException(f"there is no file or directory {path}")
    old = Files((path,)).listing()
    return _Comparison(
        served=Served(objects=old.objects, problems=old.problems),
        called=f"{path} ({_objects(old.objects)})",
        objects=given.objects,
        found=given.problems,
        settings=inputs.settings((*old.objects, *given.objects)),
    )


def _with_running(run_dir: Path, given: Listing) -> _Comparison:
    """It goes on as it was started: with its switches, ports and folders, not with those of this command line."""
    from mizzen.node import instance as running
    from mizzen.node.instance import Instance
    from mizzen.plan.planning import Served
    from mizzen.plane.configuration import from_json
    from mizzen.sources.named_files import named_in, read

    try:
        now = from_json(running.configuration(Instance(run_dir)))
    except OSError as error:
        raise click.ClickException(
            f"no mizzen answers in {run_dir} ({error.strerror or error}). Say what is served now with --against: a file or "
            "folder, or the run-dir of an instance."
        ) from None
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise click.ClickException(
            f"what is served by the instance in {run_dir} cannot be read: {error!r}"
        ) from None
    objects = (*given.objects, *now.registered)
    settings = now.settings
    if now.is_local:
        files = read(named_in((*now.objects, *objects)), settings.certificate_folders)
        settings = replace(settings, files=files)
    return _Comparison(
        served=Served(objects=now.objects, remembered=now.remembered, scoped=now.scoped),
        called=f"the instance in {run_dir} ({_objects(now.objects)})",
        objects=objects,
        found=given.problems,
        settings=settings,
    )


def _with_cluster(
    inputs: options.Inputs, which: options.WhichCluster, given: Listing, system_namespace: str, revision: str
) -> _Comparison:
    """What is wrong there already is no hindrance."""
    from mizzen.client.analysis import analysis
    from mizzen.kube.client import KubeError
    from mizzen.plan.applying import applied
    from mizzen.plan.planning import Served

    try:
        kube = which.connect()
        namespace = inputs.namespace if inputs.is_namespace_said else kube.namespace
        settings = replace(inputs.settings(is_local=False), default_namespace=namespace)
        with in_a_sentence(KubeError):
            there, promised = asyncio.run(_looked(kube, settings, system_namespace, revision))
            known = analysis(there.objects, there.problems, there.settings, datetime.now(UTC))
    except KubeError as error:
        raise click.ClickException(str(error)) from None
    return _Comparison(
        served=Served(objects=there.objects, problems=there.problems, remembered=promised),
        called=f"the cluster ({_objects(there.objects)})",
        objects=applied(there.objects, given.objects, namespace),
        found=(*there.problems, *given.problems),
        settings=there.settings,
        known=frozenset(key_of(one) for one in known if one.severity is Severity.ERROR),
    )


async def _looked(
    kube: "Kube", settings: "Settings", namespace: str, revision: str
) -> "tuple[Seen, Mapping[tuple[str, str], datetime]]":
    """The objects of a cluster, and until when clients may remember what its control plane promised; nothing where that
    may not be read."""
    from mizzen.client.cluster_analysis import seen
    from mizzen.cluster.announcement_config_map import SharedPromises
    from mizzen.inject.container import PROMISES_CONFIG_MAP

    name = PROMISES_CONFIG_MAP if revision == "default" else f"{PROMISES_CONFIG_MAP}-{revision}"
    promises = await SharedPromises(kube, namespace, name, {}).load()
    there = await seen(kube, namespace, settings, revision=revision)  # which closes the connection at last
    until = {key: server.promised_until for key, server in promises.items()}
    return there, {key: at for key, at in until.items() if at is not None}


def _objects(some: "tuple[RawObject, ...]") -> str:
    return f"{len(some)} object{'' if len(some) == 1 else 's'}"
