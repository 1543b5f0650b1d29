"""Keys of session tickets in a control plane: kept, rotated, followed."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mizzen._api import pb
from mizzen.http3.session_tickets import LIFE, ROTATION, SEED_BYTES, Seeds, ticket_key
from mizzen.model.tls import SESSION_TICKETS
from mizzen.node import private_file
from mizzen.plane.session_tickets import SessionTickets
from mizzen.sources.state_file import StateFile
from mizzen.xds.resource_type import LISTENER, SECRET
from tests.unit.plane.harness import GATEWAY, Plane, https

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


# --- what Envoys are told ---------------------------------------------------------------------------


def keys(plane: Plane) -> list[bytes]:
    """Those that the gateway was told last."""
    entry = plane.published[GATEWAY].of(SECRET.url).get(SESSION_TICKETS)
    found = pb.Secret.FromString(entry.body).session_ticket_keys.keys if entry else ()
    return [one.inline_bytes for one in found]


def test_envoys_have_keys_of_their_gateway_and_hear_of_others_without_a_build() -> None:
    plane = Plane(ticket_seeds=(b"a" * SEED_BYTES,))
    plane.build(https("shop"))
    first = [ticket_key(b"a" * SEED_BYTES, GATEWAY)]
    assert keys(plane) == first

    plane.ticket_seeds = (b"b" * SEED_BYTES, b"a" * SEED_BYTES)
    plane.take(plane.state.on_ticket_keys(plane.now))

    assert keys(plane) == [ticket_key(b"b" * SEED_BYTES, GATEWAY), *first]
    before = plane.published[GATEWAY]
    plane.build(https("shop"))
    assert plane.published[GATEWAY] is before  # a build changes nothing of it


def test_who_gives_no_tickets_has_no_keys() -> None:
    seeds = (b"a" * SEED_BYTES,)
    demanding = (
        https("shop").replace("mode: SIMPLE", "mode: MUTUAL").replace("tls.crt:", "ca.crt: {CA}\n  tls.crt:")
    )
    (certificate,) = [line.partition(": ")[2] for line in https("shop").splitlines() if "tls.crt" in line]
    for plane, text in (
        (Plane(ticket_seeds=seeds, environment={"PILOT_ENABLE_QUIC_LISTENERS": "false"}), https("shop")),
        (Plane(ticket_seeds=seeds), demanding.replace("{CA}", certificate)),
    ):
        plane.build(text)
        assert keys(plane) == []
        has_mirror = "udp_0.0.0.0_8443" in plane.published[GATEWAY].of(LISTENER.url)
        assert has_mirror is ("MUTUAL" in text)
        plane.take(plane.state.on_ticket_keys(plane.now))
        assert not plane.translating
