"""What clients were promised is written down before it is said."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mizzen.errors import ResourceRef
from mizzen.http3.announcement import Phase
from mizzen.http3.evidence import Evidence
from mizzen.http3.server import Server
from mizzen.model.announcement import Announcement
from mizzen.plane.announcement_file import PromiseFile, from_value, to_value

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PROVEN = Evidence(acked=True, proven=True)
KEY = ("gw.ns", "alt-svc/old")


def announcement(name: str = "alt-svc/old") -> Announcement:
    origin = ResourceRef(kind="Gateway")
    return Announcement(
        name=name,
        listener="udp",
        port=443,
        server_names=(name,),
        certificates=(),
        origin=origin,
    )


def promised() -> Server:
    return Server().follow((announcement(),), NOW).step(PROVEN, NOW).kept()


async def test_a_full_disk_is_a_problem_until_it_takes_something_again(tmp_path: Path) -> None:
    file = PromiseFile(tmp_path / "away" / "announcements.json")

    assert not await file.keep({KEY: promised()})
    (problem,) = file.problems
    assert problem.code == "DISK-001"
    assert "No such file or directory" in problem.message
    (tmp_path / "away").mkdir()
    assert await file.keep({KEY: promised()})
    assert file.problems == ()
    found = await PromiseFile(tmp_path / "away" / "announcements.json").load()
    assert found[KEY].follow((announcement(),), NOW).value == 'h3=":443"; ma=86400'


async def test_a_removed_file_is_written_again_also_by_the_next_control_plane(tmp_path: Path) -> None:
    path = tmp_path / "announcements.json"
    await PromiseFile(path).keep({KEY: promised()})
    text = path.read_bytes()
    file = PromiseFile(path)
    await file.load()

    path.unlink()

    assert file.restore() == ("announcements.json",)
    assert path.read_bytes() == text
    assert file.restore() == ()


def test_what_promises_nothing_is_not_written() -> None:
    tried = Server().follow((announcement(),), NOW).step(Evidence(acked=True, proven=None), NOW)
    assert to_value({KEY: tried}) == {}


def test_what_was_promised_under_the_names_of_proxies_is_the_gateways() -> None:
    """Another environment of a gateway's Pods was another proxy, and what the one promised was forgotten."""

    def old(until: str) -> dict[str, object]:
        return {"alt-svc/old": {"phase": "announced", "promisedUntil": until, "port": 443, "listener": "udp"}}

    early, late = "2026-01-02T00:00:00+00:00", "2026-01-03T00:00:00+00:00"
    for stored in (
        {"gw.ns~1a": old(early), "gw.ns~2b": old(late)},
        {"gw.ns~2b": old(late), "gw.ns": old(early)},
    ):
        found = from_value(stored)
        assert found.keys() == {KEY}
        assert found[KEY].states[443].promised_until == datetime.fromisoformat(late)
        gone = found[KEY].follow((), NOW)
        assert gone.phase is Phase.WITHDRAWN


@pytest.mark.parametrize(
    "text", ["", "[]", '{"g": 1}', '{"g": {"old": {"phase": "no such"}}}', '{"g": {"old": {"1": 2}}}']
)
async def test_a_file_that_is_not_ours_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "announcements.json"
    path.write_text(text)

    assert await PromiseFile(path).load() == {}
