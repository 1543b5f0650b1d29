"""Options that several commands share, and what they mean."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from mizzen.pipeline import Settings
from mizzen.resolve.context import ByService, ExternalPorts

F = TypeVar("F", bound=Callable[..., Any])

RUN_DIR_VARIABLE = "MIZZEN_RUN_DIR"


def default_run_dir() -> Path:
    """Where a running instance keeps its sockets and logs, when nobody says."""
    if named := os.environ.get(RUN_DIR_VARIABLE):
        return Path(named)
    if os.geteuid() == 0:
        return Path("/run/mizzen")
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(runtime) / "mizzen"
    return Path(f"/tmp/mizzen-{os.geteuid()}")


def run_dir(command: F) -> F:
    """`--run-dir`: which instance is meant."""
    return click.option(
        "--run-dir",
        type=click.Path(path_type=Path, file_okay=False),
        default=default_run_dir,
        help="Folder of sockets and logs of the running instance. "
        f"[default: ${RUN_DIR_VARIABLE}, else /run/mizzen]",
    )(command)


def inputs(command: F) -> F:
    """`-f`, `-n` and `--external-port`: what is read, and how clients come."""
    for option in (
        click.option(
            "--external-port",
            "external_ports",
            multiple=True,
            metavar="DIALLED:BOUND|service",
            callback=_external_ports,
            help="The port clients dial for a port the gateway binds (443:8443), because something "
            "forwards it; 'service': those of the gateway's Service, as on Kubernetes. Repeatable.",
        ),
        click.option(
            "-n",
            "--namespace",
            default="default",
            show_default=True,
            help="Namespace of objects that name none.",
        ),
        click.option(
            "-f",
            "--filename",
            "files",
            multiple=True,
            required=True,
            metavar="FILE|DIR",
            help="YAML to read; a directory with all below it; - for standard input. Repeatable.",
        ),
    ):
        command = option(command)
    return command


def output(*formats: str) -> Callable[[F], F]:
    """`-o`: the first format is the default."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="Output format.",
    )


def _external_ports(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> ExternalPorts:
    if ByService.SERVICE.value in values:
        if len(values) > 1:
            raise click.BadParameter("'service' stands alone", ctx, parameter)
        return ByService.SERVICE
    pairs = []
    for value in values:
        dialled, _, bound = value.partition(":")
        if not (_is_port(dialled) and _is_port(bound)):
            raise click.BadParameter(
                f"{value!r} is not DIALLED:BOUND (such as 443:8443) nor 'service'", ctx, parameter
            )
        pairs.append((int(dialled), int(bound)))
    if len({bound for _, bound in pairs}) < len(pairs):
        raise click.BadParameter("a bound port is named twice", ctx, parameter)
    return tuple(pairs)


def _is_port(text: str) -> bool:
    return text.isdecimal() and 0 < int(text) < 65_536


def input_arguments(files: tuple[str, ...], namespace: str, ports: ExternalPorts) -> list[str]:
    """The options of `inputs` again, for a child process."""
    found = [part for name in files for part in ("-f", name)] + ["-n", namespace]
    if isinstance(ports, ByService):
        return [*found, "--external-port", ports.value]
    return found + [part for dialled, bound in ports for part in ("--external-port", f"{dialled}:{bound}")]


def settings(namespace: str, external_ports: ExternalPorts) -> Settings:
    """What the stages are told beside the objects; the switches come from the environment."""
    environment: Mapping[str, str] = dict(os.environ)
    return Settings(environment=environment, external_ports=external_ports, default_namespace=namespace)
