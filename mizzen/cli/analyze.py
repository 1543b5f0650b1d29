"""`mizzen analyze`: all problems of some files at once."""

import sys
from datetime import UTC, datetime

import click

from mizzen.cli import options, printing
from mizzen.errors import Problem, Severity
from mizzen.pipeline import build, problems_at
from mizzen.sources.files import Files


@click.command("analyze")
@options.inputs
@options.output("log", "json", "yaml")
def command(inputs: options.Inputs, output: str) -> None:
    """Print every problem: where, what is wrong, what to do. Exit status 1 when one is an error."""
    listing = Files(inputs.files).listing()
    result = build(listing.objects, listing.problems, inputs.settings())
    problems = problems_at(result, datetime.now(UTC))
    if output == "log":
        text = "".join(f"{problem}\n" for problem in problems)
        click.echo(text + summary(problems, listing.files))
    else:
        click.echo(printing.as_text([problem.value() for problem in problems], output), nl=False)
    sys.exit(any(problem.severity is Severity.ERROR for problem in problems))


def summary(problems: tuple[Problem, ...], files: tuple[str, ...]) -> str:
    """The last line for people."""
    if not problems:
        return f"✔ No problems found in {_count(len(files), 'file')}."
    counts = [(severity, sum(p.severity is severity for p in problems)) for severity in Severity]
    names = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
    return ", ".join(_count(number, names[severity]) for severity, number in counts if number)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
