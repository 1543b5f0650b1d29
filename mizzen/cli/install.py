"""`mizzen install` (and `upgrade`): an IstioOperator -> a running control plane and its gateways."""

import asyncio
from datetime import timedelta

import click

from mizzen.cli import options
from mizzen.cli.installing import Declaration, Progress, Rendered, agreed, declaration
from mizzen.errors import ResourceRef
from mizzen.install.apply.install import Change, Installer, Outcome, called
from mizzen.install.apply.objects import ClusterError, Objects
from mizzen.install.apply.summary import summary
from mizzen.install.apply.waiting import Wait
from mizzen.install.site import component_of
from mizzen.kube.client import Kube, KubeError
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.declaring.values import duration


def _patience(ctx: click.Context, parameter: click.Parameter, text: str) -> timedelta:
    found = duration(text, "", Findings(ResourceRef(kind="option")))
    if not isinstance(found, timedelta) or found < timedelta(0):
        raise click.BadParameter(f"{text!r} is no duration such as 5m, 300s or 1m30s", ctx, parameter)
    return found


@click.command("install")
@declaration
@options.cluster
@click.option("-y", "--skip-confirmation", "yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Let the API server judge everything, and keep nothing of it.")
@click.option("--force", is_flag=True, help="Take over what another installer has made.")
@click.option(
    "--readiness-timeout",
    "patience",
    default="5m",
    show_default=True,
    metavar="DURATION",
    callback=_patience,
    help="How long each component may take until it is ready.",
)
def command(
    declaration: Declaration,
    cluster: options.WhichCluster,
    yes: bool,
    dry_run: bool,
    force: bool,
    patience: timedelta,
) -> None:
    """Install mizzen: the control plane, and the gateways that an IstioOperator declares.

    What is there already is brought to what is declared now; what is no longer declared is removed.
    """
    rendered = declaration.rendered()
    agreed(_question(rendered), yes or dry_run)
    progress = Progress()
    try:
        kube = cluster.connect()
        outcome = asyncio.run(_install(kube, rendered, progress, dry_run, force, patience))
    except (ClusterError, KubeError) as error:
        progress.clear()
        raise click.ClickException(str(error)) from None
    click.echo(_conclusion(outcome, dry_run))


def _question(rendered: Rendered) -> str:
    spec = rendered.operator.spec
    components = dict.fromkeys(called(component_of(one)) for one in rendered.manifests)
    names = ", ".join(name.lower() for name in components)
    tag = spec.tag or spec.values.global_.tag
    version = f" {tag}" if tag else ""
    return f'This will install the mizzen{version} "{spec.profile}" profile (with {names}) into the cluster.'


async def _install(
    kube: Kube, rendered: Rendered, progress: Progress, dry_run: bool, force: bool, patience: timedelta
) -> Outcome:
    objects = Objects(kube=kube, dry_run=dry_run)
    wait = Wait(objects=objects, patience=patience, progress=progress.show)
    try:
        installer = Installer(objects=objects, say=progress.say, wait=wait, force=force)
        outcome = await installer.install(rendered.manifests)
        if not dry_run:
            for line in await summary(objects, rendered.manifests):
                progress.say(line)
        return outcome
    finally:
        await kube.close()


def _conclusion(outcome: Outcome, dry_run: bool) -> str:
    if not outcome.changed:
        return f"✔ Nothing changed: all {len(outcome.changes)} objects are as they should be"
    counts = [(change, outcome.count(change)) for change in Change if change is not Change.LEFT]
    told = ", ".join(f"{number} {change.value}" for change, number in counts if number)
    return f"✔ Dry run complete: {told}; nothing was kept" if dry_run else f"✔ Installation complete: {told}"
