"""Whose a socket is, and that nothing else is ever taken away."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mizzen.node.unix_sockets import make_way, try_path
from mizzen.serve.kept_socket import KeptSocket


@pytest.fixture
def left_over(tmp_path: Path) -> Path:
    """A socket whose process has gone."""
    path = tmp_path / "old.sock"
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))
    return path


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "live.sock"
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))
        one.listen()
        yield path


def test_a_left_over_socket_makes_way(left_over: Path) -> None:
    make_way(left_over)
    make_way(left_over)

    assert not left_over.exists()


def test_a_file_and_a_link_are_never_removed(tmp_path: Path, left_over: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("precious")
    link.symlink_to(left_over)

    for path in (file, link):
        with pytest.raises(OSError, match="no socket of mizzen"):
            make_way(path)

    assert file.read_text() == "precious"
    assert link.is_symlink()
    assert left_over.exists()


def test_what_took_the_place_of_our_socket_stays(tmp_path: Path, answering: Path) -> None:
    kept = KeptSocket(answering)
    kept.hold()
    other = tmp_path / "other.sock"
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(other))
    os.replace(other, answering)

    kept.end()
    assert answering.exists()

    kept.hold()
    kept.end()
    assert not answering.exists()


def test_a_name_that_was_given_again_makes_way_too(tmp_path: Path, answering: Path) -> None:
    """By a process that was killed: its link leads nowhere, or to something else."""
    kept = KeptSocket(answering)
    tmp_path.chmod(0o700)
    kept.hold()
    answering.unlink()
    assert kept.restore()
    assert answering.is_symlink()

    make_way(answering)
    assert not answering.is_symlink()


def test_envoy_may_bind_where_nothing_is_or_nobody_answers(tmp_path: Path, left_over: Path) -> None:
    assert try_path(str(tmp_path / "new.sock")) is None
    assert try_path(str(left_over)) is None
    assert try_path(f"@{tmp_path}") is None


def test_envoy_binds_over_no_file_no_link_and_no_living_socket(tmp_path: Path, answering: Path) -> None:
    file, link, way = tmp_path / "file", tmp_path / "link", tmp_path / "way"
    file.touch()
    link.symlink_to(answering)
    way.symlink_to(tmp_path)

    for path in (file, link, way / "new.sock", tmp_path / "no" / "new.sock", answering):
        assert try_path(str(path)), path
    refusal = try_path(str(answering))
    assert refusal
    assert refusal.involves("python")
    assert f"it is in use by pid {os.getpid()}" in refusal.reason
