"""What clients were promised is written down before it is said."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from mizzen.run.promise_file import PromiseFile, withheld

from mizzen.errors import ResourceRef
from mizzen.http3.announcement import Announcements, Evidence
from mizzen.model.listener import Announcement

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PROVEN = Evidence(acked=True, proven=True)


def announcements(*names: str) -> Announcements:
    wanted = tuple(
        Announcement(
            name=name,
            listener=f"udp_{name}",
            port=443,
            server_names=(name,),
            certificates=(),
            origin=ResourceRef(kind="Gateway"),
        )
        for name in names
    )
    return Announcements().follow(wanted, NOW)


def test_a_promise_that_cannot_be_written_is_not_given_and_an_earlier_one_goes_on() -> None:
    before = announcements("old", "new").step({"old": PROVEN}, NOW)
    found = {"old": PROVEN, "new": PROVEN}

    without = before.step(withheld(found, before), NOW)

    assert without.values() == {"old": 'h3=":443"; ma=86400', "new": None}
    assert without.reason("new") == "what it promises cannot be written to the run-dir"
    assert without.unsettled() == ""  # nobody waits for it
    assert before.step(found, NOW).values()["new"] == 'h3=":443"; ma=86400'  # once there is room


def test_a_full_disk_is_a_problem_until_it_takes_something_again(tmp_path: Path) -> None:
    now, changes = [0.0], [0]
    file = PromiseFile(
        tmp_path / "away" / "announcements.json",
        clock=lambda: now[0],
        on_trouble=lambda: changes.__setitem__(0, changes[0] + 1),
    )
    promises = {"g": announcements("old").step({"old": PROVEN}, NOW)}

    assert not file.keep(promises)
    (problem,) = file.problems
    assert problem.code == "DISK-001"
    assert "No such file or directory" in problem.message
    (tmp_path / "away").mkdir()
    assert not file.keep(promises)  # not at every look
    now[0] += 2.5
    assert file.keep(promises)
    assert (file.problems, changes) == ((), [2])
    assert PromiseFile(tmp_path / "away" / "announcements.json").load()["g"].state_name("old") == "announced"


def test_a_removed_file_is_written_again_also_by_the_next_control_plane(tmp_path: Path) -> None:
    path = tmp_path / "announcements.json"
    PromiseFile(path).keep({"g": announcements("old").step({"old": PROVEN}, NOW)})
    text = path.read_bytes()
    file = PromiseFile(path)
    file.load()

    path.unlink()

    assert file.restore() == ("announcements.json",)
    assert path.read_bytes() == text
    assert file.restore() == ()


@pytest.mark.parametrize("text", ["", "[]", '{"g": 1}', '{"g": {"old": {"phase": "no such"}}}'])
def test_a_file_that_is_not_ours_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "announcements.json"
    path.write_text(text)

    assert PromiseFile(path).load() == {}
