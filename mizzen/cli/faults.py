"""A fault of mizzen that is no object's, on the command line: a sentence, never a traceback."""

import contextlib
from collections.abc import Iterator

import click

from mizzen.errors import ResourceRef
from mizzen.guard import Stage, fault


@contextlib.contextmanager
def in_a_sentence(*others: type[Exception]) -> Iterator[None]:
    """Exit status 1 and what is wrong where the block raises. `others` are what the caller tells better."""
    try:
        yield
    except Exception as error:
        if isinstance(error, (click.ClickException, *others)):
            raise
        problem = fault(Stage.EVERYTHING, ResourceRef(kind="Configuration"), error)
        raise click.ClickException(str(problem)) from None
