import resource
from pathlib import Path

import pytest

from mizzen.node.logs import BoundedLog


def test_a_log_never_takes_more_than_twice_its_limit(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "envoy.log", limit=100)
    for number in range(50):
        log.write(f"line {number:02}\n".encode())
    log.close()

    kept = (tmp_path / "envoy.log.1").read_text() + (tmp_path / "envoy.log").read_text()
    assert len(kept) <= 216
    assert kept.endswith("line 48\nline 49\n")
    assert {path.name for path in tmp_path.iterdir()} == {"envoy.log", "envoy.log.1"}


def test_what_is_cleaned_comes_in_whole_lines(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "x.log", clean=lambda text: text.replace("secret", "***"))
    for part in (b"a sec", b"ret\nand a se", b"cret\n", b"the last secret"):
        log.write(part)
    assert "secret" not in log.tail()
    log.close()

    assert (tmp_path / "x.log").read_text() == "a ***\nand a ***\nthe last ***\n"


def test_lines_are_heard_when_they_are_complete(tmp_path: Path) -> None:
    heard: list[str] = []
    log = BoundedLog(tmp_path / "x.log", on_line=heard.append)
    log.write(b"one\ntw")
    assert heard == ["one"]
    assert log.tail() == "one\ntw"

    log.write(b"o\n")
    assert heard == ["one", "two"]
    log.close()


def test_the_tail_is_that_of_the_present_process(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "x.log")
    log.write(b"before\n")
    log.forget()
    log.write(b"after\n")
    log.close()

    assert log.tail() == "after"
    assert (tmp_path / "x.log").read_text() == "before\nafter\n"


def test_a_log_is_for_its_owner_alone(tmp_path: Path) -> None:
    BoundedLog(tmp_path / "x.log").close()

    assert (tmp_path / "x.log").stat().st_mode & 0o777 == 0o600


def test_a_disk_that_is_full_costs_the_file_its_lines_and_nobody_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []
    log = BoundedLog(tmp_path / "x.log", on_line=heard.append)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2, before[1]))
    try:
        for line in (b"one\n", b"two\n", b"three\n"):
            log.write(line)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    log.write(b"four\n")
    log.close()

    assert heard == ["one", "two", "three", "four"]
    assert log.tail() == "one\ntwo\nthree\nfour"
    assert (tmp_path / "x.log").read_text() == "onfour\n"
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path}/x.log cannot be written (No space left on device): its lines are lost meanwhile",
        f"{tmp_path}/x.log can be written again",
    ]


def test_a_log_that_somebody_removed_is_made_again(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "logs" / "x.log")  # there is no such folder yet
    log.write(b"lost\n")
    assert log.restore() == ()
    (tmp_path / "logs").mkdir()
    log.restore()
    log.write(b"one\n")
    assert log.restore() == ()

    log.path.unlink()
    assert log.restore() == ("logs/x.log",)
    log.write(b"two\n")
    log.close()
    assert log.path.read_text() == "two\n"
