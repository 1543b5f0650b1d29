"""`mizzen manifest`: what would be installed, and what would change by it."""

import asyncio
import sys
from pathlib import Path

import click

from mizzen.cli import options
from mizzen.cli.installing import Declaration, declaration
from mizzen.inject.container import Manifest
from mizzen.install.apply.install import unsaid
from mizzen.install.apply.objects import ClusterError, Objects, key_of
from mizzen.install.changes import as_yaml, difference, is_left, shown, to_apply
from mizzen.install.manifests import stages
from mizzen.kube.client import Kube, KubeError


@click.group("manifest")
def command() -> None:
    """Print what would be installed, or what would change."""


@command.command("generate")
@declaration
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder that gets a file for each component.  [default: all to standard output]",
)
def generate(declaration: Declaration, output: Path | None) -> None:
    """Print every manifest, in the order in which it is applied."""
    made = declaration.rendered().manifests
    if output is None:
        click.echo(_documents(made), nl=False)
        return
    try:
        output.mkdir(parents=True, exist_ok=True)
        for component, group in stages(made):
            (output / f"{component}.yaml").write_text(_documents(group))
            click.echo(f"Wrote {output / component}.yaml")
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from None


def _documents(made: tuple[Manifest, ...]) -> str:
    return "---\n".join(as_yaml(manifest) for manifest in made)


@command.command("diff")
@declaration
@options.cluster
def diff(declaration: Declaration, cluster: options.WhichCluster) -> None:
    """Print what `install` would change in the cluster. Exit status 1 when it would change something."""
    made = declaration.rendered().manifests
    try:
        text = asyncio.run(_diff(cluster.connect(), made))
    except (ClusterError, KubeError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(text, nl=False)
    sys.exit(bool(text))


async def _diff(kube: Kube, made: tuple[Manifest, ...]) -> str:
    objects = Objects(kube=kube, dry_run=True)
    parts = []
    try:
        for manifest in made:
            before = await objects.get(key_of(manifest))
            if before is None:
                parts.append(difference("", shown(manifest), str(key_of(manifest))))
            elif not is_left(manifest, before):
                after = await objects.apply(to_apply(manifest))
                parts.append(difference(shown(before), shown(after), str(key_of(manifest))))
        for key in await unsaid(objects, made):
            before = await objects.get(key)
            if before is not None:
                parts.append(difference(shown(before), "", str(key)))
    finally:
        await kube.close()
    return "".join(parts)
