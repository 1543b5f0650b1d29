"""Folders whose sockets objects may name, as the command line takes them."""

from pathlib import Path

import click
from click.testing import CliRunner

from mizzen.cli import options


@click.command()
@options.optional_inputs
def told(inputs: options.Inputs) -> None:
    click.echo("\n".join(inputs.settings().unix_folders.allowed))
    assert inputs.arguments().count("--unix-sockets-in") == len(inputs.unix_sockets_in)


def test_links_are_followed_once_and_folders_may_be_elsewhere(tmp_path: Path) -> None:
    apps, link = tmp_path / "apps", tmp_path / "link"
    apps.mkdir(mode=0o750)
    link.symlink_to(apps)

    run = CliRunner().invoke(told, ["--unix-sockets-in", f"{link}/", "--unix-sockets-in", "@bus"])
    assert run.output.split() == [str(apps), "@bus"]
    run = CliRunner().invoke(told, [], env={"MIZZEN_UNIX_SOCKETS_IN": f"{apps}:/not/here"})
    assert run.output.split() == [str(apps), "/not/here"]
    assert CliRunner().invoke(told, []).output.split() == []


def test_what_anybody_may_write_to_is_refused(tmp_path: Path) -> None:
    for_all, file = tmp_path / "all", tmp_path / "file"
    for_all.mkdir()
    for_all.chmod(0o777)
    file.touch()

    for path, why in ((for_all, "anybody may write to"), (file, "is no folder")):
        run = CliRunner().invoke(told, ["--unix-sockets-in", str(path)])
        assert run.exit_code == 2
        assert why in run.output.replace("\n", " ")
