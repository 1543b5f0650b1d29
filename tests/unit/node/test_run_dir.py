import os
import resource
import shutil
from pathlib import Path

import pytest

from mizzen.node.instance import Instance
from mizzen.node.restarting_process import StartFailed
from mizzen.node.run_dir import check_socket_path, possession


def test_a_new_run_dir_is_for_its_owner_alone(tmp_path: Path) -> None:
    run_dir = tmp_path / "deep" / "run"
    with possession(Instance(run_dir)):
        assert run_dir.stat().st_mode & 0o777 == 0o700
        assert (run_dir / "logs").is_dir()


def test_an_empty_folder_is_closed_to_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with possession(Instance(tmp_path)):
        assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_one_instance_at_a_time(tmp_path: Path) -> None:
    with (
        possession(Instance(tmp_path)),
        pytest.raises(StartFailed, match=f"is used by mizzen pid {os.getpid()}"),
        possession(Instance(tmp_path)),
    ):
        pass
    with possession(Instance(tmp_path)):
        pass  # free again


def test_folders_with_other_things_in_them_are_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "thesis.txt").touch()
    with (
        pytest.raises(StartFailed, match="holds files that are not mizzen's"),
        possession(Instance(tmp_path)),
    ):
        pass
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_file_is_no_run_dir(tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with (
        pytest.raises(StartFailed, match="cannot be used: File exists"),
        possession(Instance(tmp_path / "run")),
    ):
        pass


def test_paths_that_no_socket_can_have_are_refused() -> None:
    check_socket_path(Path("/run/admin.sock"))
    with pytest.raises(StartFailed, match="use a shorter --run-dir"):
        check_socket_path(Path("/" + "x" * 107))


@pytest.mark.parametrize("what", ["lock", "logs", "secret", "everything"])
def test_what_was_removed_is_made_again_and_nobody_else_gets_it_meanwhile(tmp_path: Path, what: str) -> None:
    run_dir = tmp_path / "run"
    with possession(Instance(run_dir)) as held:
        assert held.restore() == ()
        if what == "everything":
            shutil.rmtree(run_dir)
            assert held.restore() == ("the folder", "lock", "logs", "secret")
        else:
            (run_dir / what).rmdir() if what == "logs" else (run_dir / what).unlink()
            with pytest.raises(StartFailed, match="is used by mizzen pid"), possession(Instance(run_dir)):
                pass
            assert held.restore() == (what,)
        assert run_dir.stat().st_mode & 0o777 == 0o700
        with (
            pytest.raises(StartFailed, match=f"is used by mizzen pid {os.getpid()}"),
            possession(Instance(run_dir)),
        ):
            pass
    with possession(Instance(run_dir)):
        pass  # free again


def test_a_run_dir_that_another_instance_took_meanwhile_is_not_taken_back(tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    with possession(Instance(run_dir)) as first:
        shutil.rmtree(run_dir)
        with possession(Instance(run_dir)), pytest.raises(StartFailed, match="is used by mizzen pid"):
            first.restore()
        assert "lock" in first.restore()  # it went away


def test_a_disk_that_is_full_is_told_in_a_sentence(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with (
            pytest.raises(StartFailed, match="cannot be used: File too large"),
            possession(Instance(tmp_path / "run")),
        ):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_link_is_no_run_dir(tmp_path: Path) -> None:
    mine, link = tmp_path / "mine", tmp_path / "run"
    mine.mkdir(mode=0o755)
    link.symlink_to(mine)
    with pytest.raises(StartFailed, match="is a link"), possession(Instance(link)):
        pass
    assert mine.stat().st_mode & 0o777 == 0o755
    assert not any(mine.iterdir())


def test_each_start_has_a_key_of_its_own_for_its_owner_alone(tmp_path: Path) -> None:
    instance = Instance(tmp_path / "run")
    assert instance.admin_socket("a.b").name == "admin.sock"
    keys, names = set(), set()
    for _ in range(2):
        with possession(instance) as held:
            assert instance.key() == held.key
            assert instance.secret.stat().st_mode & 0o777 == 0o600
            keys.add(held.key)
            names.add(instance.admin_socket("a.b").name)
        assert not instance.secret.exists()
    assert len(keys) == len(names) == 2
