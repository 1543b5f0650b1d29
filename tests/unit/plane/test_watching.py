"""When Envoy's counters are looked at."""

from datetime import UTC, datetime, timedelta

from mizzen.http3.health import UNSEEN, Counters, Verdict
from mizzen.model.announcement import StepBack
from mizzen.plane.statistics import Meters
from mizzen.plane.watching import Watch, Watches

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVERY, LATER = timedelta(seconds=30), timedelta(seconds=45)
A, B = ("gw", "a"), ("gw", "b")
METERS = Meters(listener="udp", prefix="a", tcp_listener="tcp", tcp_prefix="a")
JUDGED = (StepBack(), METERS, ("one", "two"))


def looked(watches: Watches, now: datetime, *requests: tuple[str, int, int]) -> tuple[Watches, Verdict]:
    """`requests`: an Envoy, and what it has counted."""
    watches = watches.begin(Watch(servers=(A,), envoys={}))
    assert watches.next is None  # while a look runs
    found = {name: {METERS: Counters(requests=count, errors=bad)} for name, count, bad in requests}
    watches, verdicts = watches.end(found, {A: JUDGED}, now)
    return watches, verdicts[A]


def test_servers_are_looked_at_in_their_intervals_and_no_more_when_nobody_asks() -> None:
    watches = Watches().want({A: EVERY, B: LATER, ("gw", "c"): None}, NOW)
    assert watches.due.due(NOW) == (A, B)
    assert watches.want({A: EVERY}, NOW) is watches
    watches, _ = watches.begin(Watch(servers=(A, B), envoys={})).end({}, {A: JUDGED}, NOW)
    assert watches.next == NOW + EVERY
    assert watches.counted.keys() == {A}  # nobody judges the other any more
    assert watches.want({A: None}, NOW).next is None


def test_what_came_between_two_looks_is_judged_over_all_envoys() -> None:
    watches, verdict = looked(Watches().want({A: EVERY}, NOW), NOW, ("one", 1000, 900), ("two", 5, 5))
    assert verdict is UNSEEN  # what came before is of no interval
    watches, verdict = looked(watches, NOW + EVERY, ("one", 1010, 900), ("two", 15, 5))
    assert verdict == Verdict()
    watches, verdict = looked(watches, NOW + 2 * EVERY, ("one", 1020, 910), ("two", 25, 5))
    assert verdict.bad == "50% of 20 requests over HTTP/3 failed with 5xx, 0% over TCP"


def test_an_envoy_that_does_not_answer_is_judged_when_it_does() -> None:
    watches, _ = looked(Watches().want({A: EVERY}, NOW), NOW, ("one", 0, 0))
    watches, verdict = looked(watches, NOW + EVERY)
    assert verdict is UNSEEN
    _, verdict = looked(watches, NOW + 2 * EVERY, ("one", 30, 30))
    assert verdict.bad
