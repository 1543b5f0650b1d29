"""Keys of session tickets in a control plane: kept, rotated, followed."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mizzen.http3.session_tickets import LIFE, ROTATION, SEED_BYTES, Seeds
from mizzen.node import private_file
from mizzen.plane.session_tickets import SessionTickets
from mizzen.sources.state_file import StateFile

START = datetime(2026, 3, 1, tzinfo=UTC)


class _Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def kept(path: Path) -> StateFile:
    return StateFile(path, private_file.write)


def opened(
    file: StateFile | None, clock: _Clock, told: list[int], *, is_shared: bool = False
) -> SessionTickets:
    one = SessionTickets(clock=clock, on_changed=lambda: told.append(1), file=file, is_shared=is_shared)
    one.open()
    return one


def test_the_next_control_plane_has_the_same(tmp_path: Path) -> None:
    path, clock = tmp_path / "tickets.json", _Clock()
    first = opened(kept(path), clock, [])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    clock.now += timedelta(hours=2)
    assert opened(kept(path), clock, []).served() == first.served()


def test_days_later_it_has_others(tmp_path: Path) -> None:
    path, clock = tmp_path / "tickets.json", _Clock()
    first = opened(kept(path), clock, []).served()
    clock.now += ROTATION
    between = opened(kept(path), clock, []).served()
    assert (between[0], len(between)) == (first[0], 2)
    clock.now += LIFE + ROTATION
    assert opened(kept(path), clock, []).served()[0] == between[1]


def test_what_cannot_be_read_is_made_anew_and_told_of_until_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "tickets.json"
    path.write_text('{"seeds": [1]}')
    one = opened(kept(path), _Clock(), [])
    assert len(one.served()) == 1
    assert opened(kept(path), _Clock(), []).served() == one.served()
    nowhere = opened(kept(tmp_path / "gone" / "tickets.json"), _Clock(), [])
    assert len(nowhere.served()) == 1
    assert [problem.code for problem in nowhere.problems] == ["FILE-004"]


def test_a_file_that_was_removed_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "tickets.json"
    one = opened(kept(path), _Clock(), [])
    assert one.restore() == ()
    path.unlink()
    assert one.restore() == ("tickets.json",)
    assert opened(kept(path), _Clock(), []).served() == one.served()


def test_who_shares_them_rotates_nothing_and_takes_what_the_others_have() -> None:
    clock, told = _Clock(), list[int]()
    one = opened(None, clock, told, is_shared=True)
    own = one.served()
    assert len(own) == 1  # without the others it serves all the same
    clock.now += 10 * ROTATION
    one._advance()
    assert one.served() == own
    theirs = Seeds().advanced(clock.now, bytes(SEED_BYTES))
    one.take(theirs)
    one.take(theirs)
    assert (one.served(), told) == (theirs.served(clock.now), [1])
