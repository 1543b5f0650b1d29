import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mizzen.serve.kept_socket import KeptSocket


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (made := tmp_path / "run").mkdir(mode=0o700)
    return made


@pytest.fixture
def server(folder: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(folder / "a.sock"))
        one.listen()
        yield one


def reaches(path: Path, server: socket.socket) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
        client.send(b"hello")
        accepted, _ = server.accept()
        with accepted:
            return accepted.recv(5) == b"hello"


def test_a_removed_name_leads_to_the_same_socket_again(folder: Path, server: socket.socket) -> None:
    kept = KeptSocket(folder / "a.sock")
    kept.hold()
    assert not kept.restore()

    kept.path.unlink()
    assert reaches(kept.address, server)  # for us it was never away
    assert not reaches(kept.path, server)
    assert kept.restore()
    assert reaches(kept.path, server)
    assert not kept.restore()

    kept.release()
    assert not kept.path.is_symlink()  # its descriptor may be another file's soon


def test_the_whole_folder_may_have_been_removed(folder: Path, server: socket.socket) -> None:
    kept = KeptSocket(folder / "a.sock")
    kept.hold()
    kept.path.unlink()
    folder.rmdir()
    assert not kept.restore()  # it is not for us to make the folder

    folder.mkdir(mode=0o700)
    assert kept.restore()
    assert reaches(kept.path, server)


def test_nothing_is_put_where_others_may_write_or_in_the_place_of_something_else(
    folder: Path, server: socket.socket
) -> None:
    kept = KeptSocket(folder / "a.sock")
    kept.hold()
    kept.path.unlink()
    folder.chmod(0o755)
    assert not kept.restore()

    folder.chmod(0o700)
    kept.path.write_text("of somebody else")
    assert not kept.restore()
    kept.release()
    assert kept.path.read_text() == "of somebody else"
