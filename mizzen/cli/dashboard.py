"""`mizzen dashboard`: an Envoy's admin pages in a browser."""

import asyncio
import webbrowser

import click

from mizzen.cli import reach


@click.group("dashboard", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Open what a component shows of itself."""


@command.command("envoy")
@click.argument("gateway", required=False)
@click.option("--address", default="localhost", show_default=True, help="Where to listen on this machine.")
@click.option("-p", "--port", default=0, show_default="any free one", help="And at which port.")
@click.option("--browser/--no-browser", default=True, help="Open a browser.")
@reach.target
def envoy(gateway: str | None, address: str, port: int, browser: bool, target: reach.Target) -> None:
    """Forward a port of this machine to an Envoy's admin interface, until interrupted.

    GATEWAY as in proxy-config. In a cluster it can be read, and nothing changed.
    """
    key = target.key(gateway)

    async def serve() -> None:
        async with target.tunnel(key) as connect:
            server = await asyncio.start_server(connect, address, port)
            url = f"http://{address}:{server.sockets[0].getsockname()[1]}"
            click.echo(url)
            if browser:
                webbrowser.open(url)
            await server.serve_forever()

    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        return
    except OSError as error:
        raise click.ClickException(f"{address}:{port} cannot be opened: {error.strerror}") from None
