"""Which entries of directories are looked at, of what the kernel tells."""

import pytest

from mizzen.sources import inotify
from mizzen.sources.watching import OPEN_SECONDS, Told

FILE, HIDDEN = ("d", "x.yaml"), ("d", "..data")


def told(*events: tuple[tuple[str, str], int]) -> Told:
    heard = Told()
    for entry, mask in events:
        heard.hear(entry, mask, 10.0)
    return heard


def test_a_file_is_looked_at_when_it_is_closed_not_while_it_is_written() -> None:
    heard = told((FILE, inotify.CREATE), (FILE, inotify.MODIFY))
    assert heard.seconds(10.0) == pytest.approx(OPEN_SECONDS)
    assert not heard.take(10.0)
    heard.hear(FILE, inotify.CLOSE_WRITE, 10.01)

    assert heard.seconds(10.01) == 0.0
    assert heard.take(10.01) == {FILE}
    assert heard.seconds(10.01) is None


def test_a_file_that_is_not_closed_is_looked_at_after_a_while() -> None:
    heard = told((FILE, inotify.MODIFY))
    heard.hear(FILE, inotify.MODIFY, 10.0 + OPEN_SECONDS)

    assert heard.take(10.0 + OPEN_SECONDS) == {FILE}
    assert heard.seconds(20.0) is None


def test_a_folder_that_changes_makes_all_unclear_unless_it_is_hidden() -> None:
    assert told((("d", "sub"), inotify.CREATE | inotify.ISDIR)).is_unclear
    assert told((("d", ""), inotify.MOVE_SELF)).is_unclear
    hidden = told((HIDDEN, inotify.CREATE | inotify.ISDIR))
    assert (hidden.is_unclear, hidden.take(10.0)) == (False, {HIDDEN})
