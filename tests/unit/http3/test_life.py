"""Whatever happens, in whatever order: what no client of a gateway shall ever see."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mizzen.http3.announcement import Phase, State, header_value
from mizzen.http3.evidence import Evidence
from mizzen.http3.health import UNSEEN, Verdict
from mizzen.http3.life import kept, leave, step
from mizzen.http3.server import Server
from mizzen.http3.written import from_json, to_json
from mizzen.model.announcement import Rollout, Stage, StepBack
from tests.unit.http3.harness import DAY, NOW, PROVEN, SOON, UNKNOWN, an_announcement

STAGES = (
    Stage(max_age=timedelta(minutes=1), duration=timedelta(minutes=5)),
    Stage(max_age=timedelta(minutes=20), duration=timedelta(hours=1)),
    Stage(max_age=DAY),
)
ROLLOUTS = (
    Rollout(),
    Rollout(stages=STAGES, step_back=StepBack(bad=2, good=2, pause=timedelta(minutes=3))),
    Rollout(stages=STAGES[1:], dns_ttl=timedelta(minutes=7)),
)
EVIDENCE = st.builds(
    Evidence,
    acked=st.booleans(),
    proven=st.sampled_from([None, True, False]),
    everywhere=st.booleans(),
)
LOOKS = st.lists(
    st.tuples(
        st.timedeltas(timedelta(0), timedelta(hours=30)) | st.timedeltas(timedelta(0), timedelta(minutes=2)),
        EVIDENCE,
        st.booleans(),  # is it wanted?
        st.booleans(),  # is it served on where it is not?
        st.booleans(),  # is it written down?
        st.sampled_from([None, UNSEEN, Verdict(), Verdict(bad="bad"), Verdict(bad="bad")]),
        st.sampled_from([*ROLLOUTS, None]),
    ),
    max_size=16,
)


@dataclass
class Client:
    """Who comes at each moment, and remembers what it heard (RFC 7838)."""

    until: datetime = NOW - DAY
    heard: list[str | None] = field(default_factory=list)

    def hear(self, value: str | None, now: datetime) -> None:
        self.heard.append(value)
        if value is not None and value.startswith("h3"):
            self.until = max(self.until, now + timedelta(seconds=int(value.rpartition("=")[2])))


@given(LOOKS)
def test_whatever_happens_h3_follows_proof_and_a_promise_is_taken_back(looks):
    server, now, client, proven_once = Server(), NOW, Client(), False
    rollout = ROLLOUTS[0]
    for span, evidence, is_wanted, is_served, is_written, verdict, other in looks:
        now += span
        rollout = other or rollout
        before = server.value
        server = server.follow(
            (an_announcement(port=443 if is_wanted else None, rollout=rollout, served=is_served),), now
        )
        server = server.step(evidence, now)
        if verdict is not None:
            server = server.judged(verdict, now)
        if is_written:
            server = server.kept()
        proven_once = proven_once or (evidence.acked and evidence.proven is True and is_wanted)
        value = server.value
        if value is not None and value.startswith("h3"):
            assert proven_once
            assert is_wanted
            assert evidence.proven is not False
            if before is None or not before.startswith("h3"):  # time alone announces nothing
                assert evidence.acked
                assert evidence.proven
                assert evidence.everywhere
            assert server.state.max_age <= server.state.rollout.stages[server.state.stage].max_age
        elif now < client.until:
            assert value == "clear" or server.shown.phase is Phase.LEAVING
        assert (server.phase in (Phase.WITHHELD, Phase.LEAVING)) == (value is None)
        client.hear(value, now)
        if now < client.until:  # a promise is never forgotten while a client may remember it
            assert server.promised_until >= client.until


@given(LOOKS, st.integers(0, 24))
def test_a_control_plane_that_is_started_again_says_the_same(looks, restart_at):
    """What was promised is known at any moment, and all goes on as if nothing had been. What Envoy's counters were is not
    written down: they begin anew."""
    first = second = Server()
    now, rollout = NOW, ROLLOUTS[2]
    for number, (span, evidence, is_wanted, is_served, _, _, other) in enumerate(looks):
        now += span
        rollout = rollout if other is None or other.step_back is not None else other
        wanted = (an_announcement(port=443 if is_wanted else None, rollout=rollout, served=is_served),)
        if number == restart_at:
            second = from_json(json.loads(json.dumps(to_json(second))))
        first, second = (one.follow(wanted, now) for one in (first, second))
        first, second = (one.step(evidence, now).kept() for one in (first, second))
        assert first.value == second.value
        assert first.promised_until == second.promised_until
        assert (first.shown.phase, first.state.stage) == (second.shown.phase, second.state.stage)


@given(LOOKS, LOOKS)
def test_what_replicas_write_is_merged_alike_in_any_order(mine, theirs):
    one, other = lived(mine), lived(theirs)
    end = NOW + timedelta(seconds=50)
    there, back = one.merged(other, end, "a"), other.merged(one, end, "b")
    standing = {at for one in (there, back) if (at := one.promised_until) is not None and at > end}
    assert len(standing) <= 1
    if one.phase is other.phase is Phase.ANNOUNCED:
        assert there.state.stage == back.state.stage
        assert there.state.since == back.state.since
    assert there.merged(other, end, "a") == there
    assert back.merged(one, end, "b") == back


def lived(looks) -> Server:
    server, now = Server(), NOW
    for span, evidence, *_ in looks[:6]:
        now += span / 10_000
        server = server.follow((an_announcement(rollout=ROLLOUTS[1]),), now).step(evidence, now).kept()
    return server


def test_a_planned_withdrawal_waits_until_dns_says_nothing_any_more():
    ttl = timedelta(minutes=5)
    rollout = Rollout(dns_ttl=ttl)
    server = Server().follow((an_announcement(rollout=rollout),), NOW).step(PROVEN, NOW).kept()
    assert server.lists_dns
    gone = (an_announcement(port=None, rollout=rollout, served=True),)
    leaving = server.follow(gone, NOW)
    assert (leaving.value, leaving.phase, leaving.lists_dns) == (None, Phase.LEAVING, False)
    assert leaving.next(NOW) == NOW + ttl
    assert leaving.step(UNKNOWN, NOW + ttl - SOON).value is None
    assert leaving.step(UNKNOWN, NOW + ttl).value == "clear"
    stored = from_json(json.loads(json.dumps(to_json(leaving))))
    assert stored.follow(gone, NOW + SOON).phase is Phase.LEAVING


def test_what_is_not_served_any_more_waits_for_no_dns():
    rollout = Rollout(dns_ttl=timedelta(minutes=5))
    server = Server().follow((an_announcement(rollout=rollout),), NOW).step(PROVEN, NOW).kept()
    lost = server.follow((an_announcement(port=None, rollout=rollout),), NOW)
    assert (lost.value, lost.lists_dns) == ("clear", False)
    assert server.follow((), NOW).phase is Phase.WITHDRAWN


def test_while_dns_may_be_believed_clients_may_come_however_short_the_promise_was():
    ttl = timedelta(minutes=5)
    rollout = Rollout(stages=(Stage(max_age=timedelta(seconds=10)),), dns_ttl=ttl)
    server = Server().follow((an_announcement(rollout=rollout),), NOW).step(PROVEN, NOW).kept()
    leaving = server.follow((an_announcement(port=None, rollout=rollout, served=True),), NOW)
    assert leaving.promised_until == NOW + ttl
    assert leaving.step(UNKNOWN, NOW + ttl).value is None  # nobody remembers it by now


def test_a_mirror_that_fails_says_so_at_once_whatever_dns_says():
    rollout = Rollout(dns_ttl=timedelta(minutes=5))
    server = Server().follow((an_announcement(rollout=rollout),), NOW).step(PROVEN, NOW).kept()
    assert server.step(Evidence(acked=True, proven=False), NOW).value == "clear"


def test_what_leaves_and_is_wanted_again_is_announced_again():
    rollout = Rollout(dns_ttl=timedelta(minutes=5))
    wanted = (an_announcement(rollout=rollout),)
    server = Server().follow(wanted, NOW).step(PROVEN, NOW).kept()
    leaving = server.follow((an_announcement(port=None, rollout=rollout, served=True),), NOW)
    back = leaving.follow(wanted, NOW + SOON).step(UNKNOWN, NOW + SOON)
    assert back.value is None
    assert back.step(PROVEN, NOW + SOON).kept().value == 'h3=":443"; ma=86400'


def test_an_address_is_answered_at_until_who_was_there_is_gone():
    state = kept(step(State(), PROVEN, wanted=True, now=NOW))
    end = state.promised_until
    over = leave(state, end)
    assert over.phase is Phase.WITHHELD
    assert over.promised_until == end  # it lingers
    assert leave(over, end + state.rollout.drain).promised_until is None
    server = Server(states={443: state})
    assert server.follow((), end).states.keys() == {443}
    assert server.follow((), end + state.rollout.drain).states == {}
    assert header_value(an_announcement(), over) is None


def test_nothing_is_announced_before_every_envoy_has_confirmed():
    server = Server().follow((an_announcement(),), NOW)
    partly = server.step(replace(PROVEN, everywhere=False), NOW)
    assert not partly.is_pending
    assert partly.reason == "not every Envoy has confirmed the mirror yet"
    announced = partly.step(PROVEN, NOW).kept()
    assert announced.step(replace(PROVEN, everywhere=False), NOW + DAY).kept().phase is Phase.ANNOUNCED
