"""The command line: one module for each command, imported when it is called (start-up stays short).

A command reads options and the environment, calls what does the work, and prints. Nothing imports a command but
another, and nothing is decided here: what two commands need, and what is worth a test without a terminal, lives
further down.
"""

import gc
import importlib
import sys
import warnings

import click

from mizzen import __version__

# Command -> (module, one line for --help). The module's function `command` is the command.
COMMANDS = {
    "demo": ("demo", "Show HTTP/2 and HTTP/3 through a real gateway, from nothing."),
    "up": ("up", "Serve the gateways that YAML files describe."),
    "render": ("render", "Print the Envoy configuration that files lead to."),
    "analyze": ("analyze", "Print all that is wrong with files, or in a cluster."),
    "plan": ("plan", "Print what files would do to connections, before they are applied."),
    "proxy-config": ("proxy_config", "Print what a running Envoy holds."),
    "proxy-status": ("proxy_status", "Print what each Envoy has acknowledged."),
    "http3": ("http3", "Show whether HTTP/3 is offered, and used."),
    "doctor": ("doctor", "Walk what a client walks to HTTP/3, and name what is broken."),
    "dns": ("dns", "Print the HTTPS records that mirrors justify."),
    "bug-report": ("bug_report", "Gather what somebody who helps must see."),
    "dashboard": ("dashboard", "Open an Envoy's admin pages."),
    "pilot": ("pilot", "Serve configuration and certificates to other machines."),
    "join-token": ("join_token", "Print a token with which a proxy can join."),
    "proxy": ("proxy", "Run a gateway or sidecar that a pilot elsewhere configures."),
    "kube-inject": ("kube_inject", "Add sidecars to the Pods that YAML files describe."),
    "redirect": ("redirect", "Redirect the connections of this Pod to its sidecar."),
    "httpbin": ("httpbin", "Run the built-in test backend."),
    "install": ("install", "Install mizzen into a Kubernetes cluster."),
    "upgrade": ("install", "The same as install: bring an installation to what is declared now."),
    "uninstall": ("uninstall", "Remove mizzen from a Kubernetes cluster."),
    "crds": ("crds", "Print the definitions of the kinds that are read."),
    "manifest": ("manifest", "Print what would be installed, or what would change."),
    "_control-plane": ("control_plane", "The control plane of `mizzen up`."),
}
ALIASES = {"pc": "proxy-config", "ps": "proxy-status"}


class Commands(click.Group):
    """Finds a command by name and imports only its module."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in COMMANDS if not name.startswith("_")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(ALIASES.get(cmd_name, cmd_name))
        if entry is None:
            return None
        found = _imported(entry[0])
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items() if name[0] != "_"])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            if near:
                raise click.UsageError(f"{error.message} Did you mean '{near[0]}'?", ctx) from None
            raise


def _imported(module: str) -> object:
    """The command of a module, with what it imports.

    That is a lot, and all of it stays: to look through it for garbage again and again takes a tenth of the time.
    """
    gc.disable()
    try:
        return importlib.import_module(f"mizzen.cli.{module}").command
    finally:
        gc.freeze()  # nor is it looked through later
        gc.enable()


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mizzen", message="%(prog)s %(version)s")
def cli() -> None:
    """HTTP/3 for every HTTPS server you already have."""


def main() -> None:
    """Entry point of `mizzen`."""
    # Certificates with the serial number 0 are common in walk-throughs, and served all the same.
    warnings.filterwarnings("ignore", message="Parsed a serial number which wasn't positive")
    try:
        cli()
    except BrokenPipeError:  # `mizzen ... | head`
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:  # a full disk, a folder that is away
        sys.exit(f"Error: {error}")
