"""`mizzen uninstall`: one revision, or everything."""

import asyncio

import click

from mizzen.cli import options
from mizzen.cli.installing import agreed
from mizzen.install.apply.install import Outcome
from mizzen.install.apply.objects import ClusterError, Objects
from mizzen.install.apply.uninstall import Uninstaller
from mizzen.install.site import DEFAULT_REVISION
from mizzen.kube.client import Kube, KubeError

_LISTED = 10


@click.command("uninstall")
@click.option("--purge", is_flag=True, help="Remove every revision, the root of the mesh, and our CRDs.")
@click.option(
    "-r", "--revision", default="", help='Remove this revision; "default" is the one without a name.'
)
@click.option("-y", "--skip-confirmation", "yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Say what would go.")
@options.cluster
def command(purge: bool, revision: str, yes: bool, dry_run: bool, cluster: options.WhichCluster) -> None:
    """Remove mizzen from a cluster. Namespaces stay."""
    if purge == bool(revision):
        raise click.UsageError("Say either --purge or --revision.")
    try:
        kube = cluster.connect()
        outcome = asyncio.run(_uninstall(kube, None if purge else revision, yes or dry_run, dry_run))
    except (ClusterError, KubeError) as error:
        raise click.ClickException(str(error)) from None
    if not outcome.changes:
        click.echo("✔ Nothing of mizzen is installed")
    else:
        count = f"{len(outcome.changes)} objects"
        click.echo(
            f"✔ Dry run complete: {count} would go" if dry_run else f"✔ Uninstall complete: {count} removed"
        )


async def _uninstall(kube: Kube, revision: str | None, yes: bool, dry_run: bool) -> Outcome:
    objects = Objects(kube=kube, dry_run=dry_run)
    uninstaller = Uninstaller(objects=objects, say=click.echo, revision=revision)
    try:
        if revision is None:
            question = "All of mizzen will be removed from the cluster."
        else:
            if not await uninstaller.found():
                raise ClusterError(await _others(objects, revision))
            question = f"The revision {revision!r} of mizzen will be removed from the cluster."
        if proxies := await uninstaller.proxies():
            _warn(proxies, revision or DEFAULT_REVISION)
        agreed(question, yes)
        return await uninstaller.uninstall()
    finally:
        await kube.close()


def _warn(proxies: tuple[str, ...], revision: str) -> None:
    click.echo(
        f"There are still {len(proxies)} proxies pointing to the control plane revision {revision}:", err=True
    )
    for name in proxies[:_LISTED]:
        click.echo(f"  {name}", err=True)
    if len(proxies) > _LISTED:
        click.echo(f"  and {len(proxies) - _LISTED} more", err=True)


async def _others(objects: Objects, revision: str) -> str:
    labels = "app=istiod,app.kubernetes.io/managed-by=mizzen"
    deployments = await objects.list("apps/v1", "Deployment", labels=labels)
    names = sorted({one["metadata"]["labels"].get("istio.io/rev", "") for one in deployments})
    there = f"there is {', '.join(names)}" if names else "there is none"
    return f"no revision {revision!r} of mizzen is installed; {there}"
