"""`mizzen httpbin`: the built-in test backend."""

import os

import click


@click.command("httpbin")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0: any free one."
)
def command(host: str, port: int) -> None:
    """Run the built-in test backend, which shows every header it receives."""
    from mizzen.httpbin.server import serve

    try:
        serve(host, port, ready=lambda url: click.echo(f"httpbin is listening on {url}"))
    except OSError as error:
        # Negative numbers are the resolver's: they have a text of their own.
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise click.ClickException(f"cannot listen on {host}:{port}: {why or error}")
