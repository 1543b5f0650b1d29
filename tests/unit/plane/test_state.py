"""The state of the control plane under a clock that stands until it is moved; builds and xDS sessions are real."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from mizzen.http3.life import GRACE
from mizzen.http3.replicas import FAILURE_LASTS
from mizzen.http3.server import Server
from mizzen.plane import announcing
from mizzen.plane.announcement_file import from_value, to_value
from mizzen.plane.proof_schedule import AGAIN_AFTER, MOST_AT_ONCE
from mizzen.plane.state import GAP, KEEP_AGAIN
from mizzen.xds.resource_type import LISTENER, ROUTES, SECRET
from tests.unit.plane.harness import BAD, CLEAR, GATEWAY, GOOD, H3, Plane, https, renamed, server

SHOP = server("shop")


def served(plane: Plane | None = None, text: str = "") -> Plane:
    """A plane with one Envoy that has confirmed everything, and its mirrors proven."""
    plane = plane or Plane()
    plane.build(text or https("shop"))
    plane.connect()
    plane.settle()
    plane.prove()
    plane.wait(1)
    return plane


# --- what is announced ------------------------------------------------------------------------------


def test_a_mirror_is_announced_when_it_is_confirmed_proven_and_written_down() -> None:
    plane = Plane()
    plane.build(https("shop"))
    assert plane.says(SHOP) is None
    envoy = plane.connect()
    assert not plane.proving  # nothing is confirmed
    envoy.settle()
    assert plane.says(SHOP) is None
    (prove,) = plane.proving
    assert (prove.subject.address, prove.subject.port) == ("127.0.0.1", 8443)
    plane.prove()

    assert plane.says(SHOP) == H3
    assert to_value(plane.keeping[0].promises)["istio-ingressgateway.istio-system"].keys() == {SHOP}


def test_asking_changes_nothing_and_begins_nothing() -> None:
    plane = served()
    before = plane.state
    assert plane.state.unsettled(plane.state.gateways[GATEWAY]) == ""
    assert plane.state.server(GATEWAY, SHOP).value == H3
    assert plane.state.next is not None
    assert plane.state is before


def test_while_nothing_can_be_written_nothing_new_is_promised_and_what_was_goes_on() -> None:
    plane = served()
    plane.disk_is_full = True
    plane.build(https("shop") + "---" + https("new"))
    plane.settle()
    plane.prove()
    plane.wait(0.2)

    assert (plane.says(SHOP), plane.says(server("new"))) == (H3, None)
    assert plane.state.trouble
    assert plane.state.unsettled(plane.state.gateways[GATEWAY]) == ""  # nobody waits for it
    tries = len(plane.keeping)
    plane.wait(KEEP_AGAIN.total_seconds() * 2.5)
    assert len(plane.keeping) - tries == 2
    plane.disk_is_full = False
    plane.wait(KEEP_AGAIN.total_seconds() + 1)
    assert plane.says(server("new")) == H3
    assert not plane.state.trouble


def test_a_proof_that_fails_takes_it_back_at_once() -> None:
    plane = served()
    plane.wait(AGAIN_AFTER.total_seconds() + 1, BAD)
    assert plane.says(SHOP) == CLEAR


def test_an_envoy_that_goes_is_believed_in_for_a_while() -> None:
    plane = served()
    plane.envoys[0].leave()
    plane.wait(GRACE.total_seconds() - 1)
    assert plane.says(SHOP) == H3
    plane.wait(3)
    assert plane.says(SHOP) == CLEAR


def test_a_proof_that_comes_after_the_withdrawal_announces_nothing() -> None:
    plane = Plane()
    plane.build(https("shop"))
    plane.connect().settle()
    (prove,) = plane.proving
    plane.build(
        https("shop").replace("istio-system", "istio-system").replace("mode: SIMPLE", "mode: PASSTHROUGH")
    )
    plane.settle()
    plane.prove()
    plane.wait(1)

    assert prove.key == (GATEWAY, SHOP)
    assert plane.state.trials.running == 0
    assert all(one.value is None for one in plane.state.servers.values())


def test_a_proof_of_what_is_another_by_now_counts_for_nothing() -> None:
    plane = Plane()
    plane.build(https("shop"))
    plane.connect().settle()
    (old,) = plane.proving
    plane.build(https("shop", credential="other"))
    plane.settle()
    old, new = plane.proving
    plane.proving.clear()

    plane.take(plane.state.on_proof(old.key, old.subject, GOOD, plane.now))
    assert plane.says(SHOP) is None
    plane.take(plane.state.on_proof(new.key, new.subject, GOOD, plane.now))
    assert plane.says(SHOP) == H3


# --- whose promise it is ----------------------------------------------------------------------------


def test_what_was_promised_under_another_environment_of_the_pods_is_taken_back() -> None:
    """Pods of another environment are another proxy: what was promised by those before them is the gateway's."""
    plane = Plane()
    (made,) = plane.make(https("shop")).values()
    plane.serve({"": renamed(made, "~1", "a")})
    plane.connect("a.istio-system").settle()
    plane.prove()
    assert plane.says(SHOP, "a.istio-system") == H3

    plane.number += 1
    plane.serve({"": renamed(made, "~2", "b")})
    plane.envoys[0].leave()
    envoy = plane.connect("b.istio-system")
    envoy.settle()
    assert plane.says(SHOP, "b.istio-system") == H3  # believed in, as when a control plane restarts
    plane.prove(BAD)
    assert plane.says(SHOP, "b.istio-system") == CLEAR


def test_one_that_fails_counts_for_all_pods_of_the_gateway() -> None:
    plane = Plane()
    (made,) = plane.make(https("shop")).values()
    plane.serve({str(one): renamed(made, f"~{one}", name) for one, name in enumerate(("a", "b"))})
    for name in ("a.istio-system", "b.istio-system"):
        plane.connect(name).settle()
    first, second = sorted(plane.proving, key=lambda effect: effect.key)
    plane.proving.clear()
    plane.take(plane.state.on_proof(first.key, first.subject, GOOD, plane.now))
    assert plane.says(SHOP, "a.istio-system") is None  # the first announcement waits for all
    plane.take(plane.state.on_proof(second.key, second.subject, BAD, plane.now))
    assert plane.says(SHOP, "a.istio-system") is None
    plane.wait(5, GOOD)
    assert plane.says(SHOP, "a.istio-system") == H3
    plane.wait(AGAIN_AFTER.total_seconds() + 1, None)
    for effect in tuple(plane.proving):
        proof = GOOD if effect.key[0] == "a.istio-system" else BAD
        plane.take(plane.state.on_proof(effect.key, effect.subject, proof, plane.now))
    assert plane.says(SHOP, "a.istio-system") == CLEAR


def test_an_envoy_that_has_just_come_breaks_no_announcement() -> None:
    plane = Plane()
    (made,) = plane.make(https("shop")).values()
    plane.serve({"": renamed(made, "~1", "a", "b")})
    plane.connect("a.istio-system").settle()
    plane.prove()
    plane.wait(1)
    assert plane.says(SHOP, "a.istio-system") == H3  # it alone is there
    plane.connect("b.istio-system")
    plane.wait(GRACE.total_seconds() * 2)
    assert plane.says(SHOP, "a.istio-system") == H3


def test_a_control_plane_takes_up_what_the_one_before_it_promised() -> None:
    first, second = served(), Plane()
    second.take(second.state.on_promises(from_value(to_value(first.keeping[-1].promises)), second.now))
    second.build(https("shop"))
    assert second.says(SHOP) == H3  # from the first word on
    second.wait(GRACE.total_seconds() + 1)
    assert second.says(SHOP) == CLEAR


# --- replicas ---------------------------------------------------------------------------------------


class Shared:
    """Where replicas write their promises down."""

    def __init__(self, *planes: Plane) -> None:
        self.planes, self.stored = planes, dict[tuple[str, str], Server]()

    def meet(self) -> None:
        for plane in self.planes:
            for effect in plane.keeping:
                for key, one in effect.promises.items():
                    theirs = self.stored.get(key, Server())
                    self.stored[key] = one.merged(theirs, plane.now, plane.replica)
                self.stored = from_value(to_value(self.stored))
            plane.keeping.clear()
        text = to_value(self.stored)
        for plane in self.planes:
            plane.take(plane.state.on_promises(from_value(text), plane.now))


def test_two_replicas_with_one_gateway_say_the_same() -> None:
    one, two = Plane("one"), Plane("two")
    shared = Shared(one, two)
    served(one)
    two.build(https("shop"))
    two.connect().settle()
    shared.meet()
    assert (one.says(SHOP), two.says(SHOP)) == (H3, CLEAR)  # some client of the first has heard it
    two.prove(BAD)
    two.wait(1, None)
    one.now = two.now = max(one.now, two.now)
    shared.meet()
    assert (one.says(SHOP), two.says(SHOP)) == (CLEAR, CLEAR)  # clients cannot choose to whom they come

    two.wait(30, GOOD)
    shared.meet()
    assert two.says(SHOP) == H3
    one.now = two.now
    one.wait(FAILURE_LASTS.total_seconds() + 1)
    assert one.says(SHOP) == H3


def test_a_promise_of_another_replica_is_taken_back_here_too() -> None:
    one, two = Plane("one"), Plane("two")
    served(one)
    two.take(two.state.on_promises(from_value(to_value(one.keeping[-1].promises)), two.now))
    two.build(https("shop").replace("mode: SIMPLE", "mode: PASSTHROUGH"))
    two.build(https("shop"))
    two.connect().settle()
    two.prove(BAD)
    assert two.says(SHOP) == CLEAR


# --- builds -----------------------------------------------------------------------------------------


def test_a_build_that_is_overtaken_is_forgotten() -> None:
    plane = Plane()
    old, new = plane.make(https("shop")), plane.make(https("shop") + "---" + https("new"))
    plane.serve(new, number=2)
    plane.serve(old, number=1)
    assert set(plane.state.servers) == {(GATEWAY, SHOP), (GATEWAY, server("new"))}
    assert plane.state.number == 2


def test_what_is_translated_from_a_build_of_before_is_not_served_over_the_next() -> None:
    plane = Plane()
    plane.build(https("shop"))
    plane.connect().settle()
    plane.holds_translations = True
    plane.prove()
    (late,) = plane.translating  # h3, of the first build
    plane.build(https("shop") + "---" + https("new"))
    plane.translate()

    assert late.gateway.translated is not plane.state.gateways[GATEWAY].translated
    names = plane.published[GATEWAY].of(SECRET.url).keys()
    assert names == {"kubernetes://shop-tls", "kubernetes://new-tls"}
    assert plane.says(SHOP) == H3
    assert not plane.state.owed
    assert not plane.state.translating


def test_a_build_that_says_what_was_taken_back_is_not_published_before_it_says_so() -> None:
    plane = served()
    stale = plane.make(https("shop") + "---" + https("new"))  # begun while the mirror was announced
    plane.wait(AGAIN_AFTER.total_seconds() + 1, BAD)
    assert plane.says(SHOP) == CLEAR
    heard: list[str | None] = []
    plane.holds_translations = True
    plane.serve(stale)
    heard.append(plane.says(SHOP))
    plane.translate()
    heard.append(plane.says(SHOP))
    assert heard == [CLEAR, CLEAR]
    assert server("new") in str(plane.state.servers.keys())


def test_new_credentials_that_come_while_others_are_translated_are_not_lost() -> None:
    plane = served()
    plane.holds_translations = True
    identity = plane.state.gateways[GATEWAY].translated.build.identity
    plane.take(plane.state.on_renewed(identity, plane.now))
    plane.take(plane.state.on_renewed(identity, plane.now))
    assert len(plane.translating) == 1
    effect = plane.translating.pop()
    made = plane.worker.translate(effect.gateway, effect.values, {})
    plane.take(plane.state.on_translated(effect, made, plane.now))
    assert len(plane.translating) == 1  # the second


def test_where_translating_fails_what_was_built_is_served() -> None:
    plane = served()
    plane.wait(AGAIN_AFTER.total_seconds() + 1, BAD)
    plane.holds_translations = True
    plane.build(https("shop") + "---" + https("new"))
    for effect in plane.translating:
        plane.take(plane.state.on_translated(effect, None, plane.now))
    assert "kubernetes://new-tls" in plane.published[GATEWAY].of(SECRET.url)


# --- who comes and goes -----------------------------------------------------------------------------


def test_a_word_about_what_is_gone_changes_nothing() -> None:
    plane = served()
    (envoy,) = plane.envoys
    plane.number += 1
    plane.serve({})
    assert GATEWAY not in plane.published
    before = plane.state
    step, effects = plane.state.on_client(envoy.status(), plane.now)
    assert effects == ()
    assert (step.servers, step.gateways, step.trials) == (before.servers, {}, before.trials)
    assert step.on_client(envoy.status(is_connected=False), plane.now)[0].envoys == {}


def test_an_envoy_that_came_before_its_gateway_is_known_when_that_is_built() -> None:
    plane = Plane()
    envoy = plane.connect()
    plane.build(https("shop"))
    assert plane.state.gateways[GATEWAY].clients.keys() == {GATEWAY}
    envoy.settle()
    assert plane.proving


def test_what_is_kept_for_an_envoy_goes_with_its_pod() -> None:
    plane = Plane()
    (made,) = plane.make(https("shop")).values()
    plane.serve({"": renamed(made, "~1", "a", "b")})
    assert plane.published.keys() == {"a.istio-system", "b.istio-system"}
    for name in ("a", "b"):
        plane.connect(f"{name}.istio-system").settle()
    plane.number += 1
    plane.serve({"": renamed(made, "~1", "b")})

    assert plane.published.keys() == {"b.istio-system"}
    assert plane.state.trials.of_envoy.keys() == {"b.istio-system"}
    assert plane.state.gateways[f"{GATEWAY}~1"].clients.keys() == {"b.istio-system"}


def test_a_refusal_is_handed_on_once() -> None:
    plane = Plane()
    plane.build(https("shop"))
    envoy = plane.connect()
    envoy.refuses = lambda url, name: "no such filter" if url == LISTENER.url else ""
    envoy.settle()
    plane.hear(envoy)
    found = {(one.gateway, one.type_url, one.name, one.reason) for one in plane.refused}
    assert {name for _, _, name, _ in found} == set(plane.published[GATEWAY].of(LISTENER.url))
    assert found == {(GATEWAY, LISTENER.url, name, "no such filter") for _, _, name, _ in found}
    assert len(plane.refused) == len(found)
    for one in plane.refused:
        assert one.version == plane.published[GATEWAY].of(LISTENER.url)[one.name].version


# --- Secrets ----------------------------------------------------------------------------------------


def test_a_key_that_nobody_asks_for_is_forgotten() -> None:
    plane = served()
    for number in range(5):
        plane.build(https("shop", credential=f"renamed-{number}"))
        assert len(plane.published[GATEWAY].of(SECRET.url)) == 2  # the Envoy still asks for the one before
        plane.settle()
        assert plane.published[GATEWAY].of(SECRET.url).keys() == {f"kubernetes://renamed-{number}"}


def test_a_key_whose_secret_went_away_stays_while_a_server_names_it() -> None:
    plane = served()
    without = https("shop").rpartition("---")[0]
    for _ in range(3):
        plane.build(without)
        plane.settle()
        assert plane.published[GATEWAY].of(SECRET.url).keys() == {"kubernetes://shop-tls"}


# --- how much work ----------------------------------------------------------------------------------


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a mirror, or what is announced of a server, was looked at."""
    count: Counter[str] = Counter()

    def counted(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            count[name] += 1
            return original(*arguments, **named)

        monkeypatch.setattr(owner, name, wrapped)

    counted(announcing, "subject")
    counted(Server, "step")
    counted(Server, "follow")
    return count


def many(number: int) -> str:
    return "---".join(https(f"host-{one}", credential="shared-tls") for one in range(number))


def test_what_concerns_no_mirror_looks_at_none(work: Counter[str]) -> None:
    plane = served(text=many(10))
    work.clear()
    (envoy,) = plane.envoys
    envoy.ask(ROUTES.url, set(plane.published[GATEWAY].of(ROUTES.url)))
    plane.hear(envoy)
    plane.settle()  # routes are confirmed
    assert work.total() == 0

    plane.build(many(10).replace("status: 200", "status: 201"))
    plane.settle()
    assert work.total() == 0
    assert envoy.status().stream.of(ROUTES.url)


def test_the_work_of_a_start_grows_with_the_servers_and_no_faster(work: Counter[str]) -> None:
    totals = []
    for number in (20, 80):
        work.clear()
        plane = Plane()
        plane.build(many(number))
        plane.connect()
        plane.settle()
        plane.prove()
        plane.wait(5)
        assert all(plane.says(server(f"host-{one}")) == H3 for one in range(number))
        totals.append(work.total())
    assert totals[1] / totals[0] < 4.4


def test_many_proofs_at_once_are_written_down_and_told_together() -> None:
    plane = Plane()
    plane.build(many(80))
    plane.connect()
    plane.settle()
    assert len(plane.proving) == MOST_AT_ONCE
    published = plane.state.number
    plane.prove()
    plane.wait(GAP.total_seconds() * 2)
    assert published == plane.state.number
    assert len(plane.keeping) <= 3


def test_at_rest_a_thousand_mirrors_cost_no_more_proofs_than_twenty() -> None:
    def proofs(number: int) -> int:
        plane = served(text=many(number))
        plane.wait(30)
        return plane.wait(120)

    few, lots = proofs(20), proofs(120)
    assert few > 0
    assert lots < 2.5 * few


def test_when_one_mirror_of_many_fails_all_of_that_envoy_are_tried_at_once() -> None:
    plane = served(text=many(60))
    at = plane.state.trials.next
    assert at is not None
    plane.now = max(plane.now, at)
    plane.take(plane.state.on_time(plane.now))
    count = plane.prove(BAD)
    assert count == 60
    plane.wait(0.1, None)
    assert {plane.says(server(f"host-{one}")) for one in range(60)} == {CLEAR}


def test_promises_are_renewed_together() -> None:
    plane = served(text=many(10))
    written = len(plane.keeping)
    plane.wait(timedelta(hours=5).total_seconds())
    assert 2 <= len(plane.keeping) - written <= 4  # and not 20
    assert plane.says(server("host-0")) == H3
