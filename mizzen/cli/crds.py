"""`mizzen crds`: the definitions of the kinds that it reads, as YAML."""

import click

from mizzen.install.changes import as_yaml
from mizzen.install.crds import crds


@click.command("crds")
def command() -> None:
    """Print the CustomResourceDefinitions, for kubectl apply."""
    click.echo("---\n".join(as_yaml(one) for one in crds()), nl=False)
