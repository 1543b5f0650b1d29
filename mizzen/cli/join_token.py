"""`mizzen join-token`: what a proxy on another machine proves with, once, who it is."""

from pathlib import Path

import click

from mizzen.cli import options


@click.command("join-token")
@options.run_dir
@options.ca_dir
@click.option("-n", "--namespace", required=True, help="Of the proxy that shall join.")
@click.option("-s", "--service-account", required=True, help="Of the proxy that shall join.")
@click.option("--trust-domain", default="cluster.local", show_default=True)
@click.option("--lifetime", default=60, show_default=True, metavar="MINUTES", help="How long it can be used.")
def command(
    run_dir: Path, ca_dir: Path | None, namespace: str, service_account: str, trust_domain: str, lifetime: int
) -> None:
    """Print a token with which one proxy can join, once, as that service account."""
    from datetime import UTC, datetime, timedelta

    from mizzen.authority.identity import Identity, IdentityError
    from mizzen.authority.store import StoreError, TokenStore
    from mizzen.node.instance import Instance

    folder = ca_dir or Instance(run_dir.absolute()).authority
    if not folder.exists():
        raise click.ClickException(
            f"there is no authority in {folder}: start `mizzen pilot --run-dir {run_dir}` first"
        )
    try:
        identity = Identity(trust_domain=trust_domain, namespace=namespace, service_account=service_account)
        text = TokenStore(folder).issue(identity, datetime.now(UTC), timedelta(minutes=lifetime))
    except (IdentityError, StoreError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(text)
    click.echo(
        f"For {identity}, once, within {lifetime} minutes. Its roots: {folder / 'root-cert.pem'}", err=True
    )
