"""Where clients may still come."""

from datetime import timedelta

from mizzen.http3.lingering import NOTHING_LINGERS, NOWHERE, Lingering, Standing, standing
from tests.unit.http3.harness import DAY, NOW, PROVEN, SOON, UNKNOWN, an_announcement, life

LISTENER = "udp_0.0.0.0_8443"
HERE = Standing(remembered=frozenset({LISTENER}), open=frozenset({LISTENER}))


def test_a_promise_stands_until_it_is_forgotten_and_the_listener_until_it_is_drained():
    server = life(PROVEN)
    end, drain = server.promised_until, server.state.rollout.drain
    assert drain > timedelta(0)
    gone = server.follow((), NOW)
    assert standing(server, NOW) == standing(gone, end - SOON) == HERE
    assert standing(gone, end) == Standing(remembered=frozenset(), open=HERE.open)
    assert standing(gone, end + drain) == NOWHERE
    assert standing(gone.expired(end + drain), end + drain) == NOWHERE


def test_what_was_never_announced_stands_nowhere():
    assert standing(life(UNKNOWN), NOW) == NOWHERE
    assert standing(life(UNKNOWN).follow((), NOW), NOW) == NOWHERE


def test_a_server_that_moved_stands_at_both_listeners():
    moved = life(PROVEN).follow((an_announcement(port=444, listener="udp_0.0.0.0_9443"),), NOW)
    moved = moved.step(PROVEN, NOW).kept()
    assert standing(moved, NOW).open == {LISTENER, "udp_0.0.0.0_9443"}
    later = NOW + 2 * DAY
    assert standing(moved.step(PROVEN, later), later).open == {"udp_0.0.0.0_9443"}


def test_a_listener_is_needed_as_long_as_one_of_its_servers_is_remembered():
    both = NOTHING_LINGERS.changed({"a": (NOWHERE, HERE), "b": (NOWHERE, HERE)})
    assert dict(both.remembered) == {"a": HERE.remembered, "b": HERE.remembered}
    assert both.open == {LISTENER: 2}
    drained = Standing(open=HERE.open)
    one = both.changed({"a": (HERE, drained)})
    assert (dict(one.remembered), one.open) == ({"b": HERE.remembered}, {LISTENER: 2})
    none = one.changed({"a": (drained, NOWHERE), "b": (HERE, NOWHERE)})
    assert (dict(none.remembered), none.open) == ({}, {})
    assert isinstance(none, Lingering)
