"""What the commands that install share: their options, what is declared by them, and how progress is shown."""

import functools
import shutil
import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast

import click

from mizzen import __version__
from mizzen.cli import options
from mizzen.errors import Severity
from mizzen.inject.container import Manifest
from mizzen.install.crds import crds
from mizzen.install.declaring import declared
from mizzen.install.manifests import Unfit, manifests
from mizzen.install.setvalues import SetError
from mizzen.lazy import dataclass
from mizzen.resources.istio.operator import IstioOperator
from mizzen.sources.files import Files

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What is declared, and every manifest of it."""

    operator: IstioOperator
    manifests: tuple[Manifest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What the options -f, --set and --revision say."""

    files: tuple[str, ...]
    sets: tuple[str, ...]
    revision: str

    def rendered(self) -> Rendered:
        """The manifests. Prints every problem; ends the command when one is an error."""
        listing = Files(self.files).listing()
        problems = list(listing.problems)
        sets = (*self.sets, f"revision={self.revision}") if self.revision else self.sets
        made: tuple[Manifest, ...] = ()
        operator = None
        if not any(problem.severity is Severity.ERROR for problem in problems):
            try:
                found = declared(listing.objects, sets)
                operator = found.operator
                problems += found.problems
                if operator is not None:
                    made = manifests(operator, found.mesh, version=__version__, crds=crds())
            except SetError as error:
                raise click.ClickException(str(error)) from None
            except Unfit as unfit:
                problems.append(unfit.problem)
        for problem in problems:
            click.echo(problem, err=True)
        if operator is None or any(problem.severity is Severity.ERROR for problem in problems):
            sys.exit(1)
        return Rendered(operator=operator, manifests=made)


def declaration(command: F) -> F:
    """`-f`, `--set` and `--revision`; the command gets them as `declaration`."""

    @options.with_options(
        click.option(
            "-f",
            "--filename",
            "files",
            multiple=True,
            metavar="FILE",
            help="An IstioOperator; a later one over those before it; - for standard input. Repeatable.",
        ),
        click.option(
            "-s",
            "--set",
            "sets",
            multiple=True,
            metavar="PATH=VALUE",
            help="A field of the IstioOperator's spec, over what files say: "
            "values.pilot.env.PILOT_ENABLE_QUIC_LISTENERS=true. Repeatable.",
        ),
        click.option("-r", "--revision", default="", help="Install beside others, under this name."),
    )
    @functools.wraps(command)
    def gathered(files: tuple[str, ...], sets: tuple[str, ...], revision: str, **others: Any) -> Any:
        return command(declaration=Declaration(files=files, sets=sets, revision=revision), **others)

    return cast(F, gathered)


def agreed(question: str, skip: bool) -> None:
    """Ask, and end the command when the answer is not yes."""
    if skip:
        return
    answer = click.prompt(f"{question} Proceed? (y/N)", default="", show_default=False, prompt_suffix=" ")
    if answer.strip().lower() not in ("y", "yes"):
        click.echo("Cancelled.")
        sys.exit(1)


class Progress:
    """What is waited for: one line that changes on a terminal, a line for each change elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._shown = False

    def show(self, line: str) -> None:
        """The line as it is now."""
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            click.echo(f"\r\x1b[K{line[:width]}", err=True, nl=False)
            self._shown = True
        else:
            click.echo(line, err=True)

    def clear(self) -> None:
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._shown = False

    def say(self, line: str) -> None:
        """A line that stays."""
        self.clear()
        click.echo(line)
