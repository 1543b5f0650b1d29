"""What one client holds of one type, whatever the protocol."""

import pytest

from mizzen.persistent import PersistentMap
from mizzen.xds.facts import Look
from mizzen.xds.resource_type import (
    CLUSTER,
    ENDPOINTS,
    EXTENSION_CONFIG,
    LISTENER,
    ROUTES,
    SECRET,
    ResourceType,
)
from mizzen.xds.session import TypeSession
from mizzen.xds.shared import Shared
from mizzen.xds.snapshot import Entry
from mizzen.xds.state import State
from mizzen.xds.status import SyncState, TypeStatus
from mizzen.xds.update import Update


def entries(**versions: int) -> dict[str, Entry]:
    return {name: Entry(f"v{version}", f"{name} {version}".encode()) for name, version in versions.items()}


def asking_for(kind: ResourceType, *names: str) -> TypeSession:
    session = TypeSession(State(kind=kind), Shared())
    session.ask_for_everything(not names)
    session.subscribe(names)
    return session


def next_of(session: TypeSession, available: dict[str, Entry], *, removals: bool = True) -> Update | None:
    session.offer(PersistentMap(available))
    return session.next(removals=removals)


def status_of(session: TypeSession, available: dict[str, Entry]) -> TypeStatus:
    session.offer(PersistentMap(available))
    return session.status()


def send(session: TypeSession, available: dict[str, Entry], nonce: str) -> Update:
    update = next_of(session, available)
    assert update is not None
    session.record(nonce, update)
    return update


def test_a_client_that_asks_for_all_is_answered_even_if_there_is_nothing() -> None:
    session = asking_for(LISTENER)

    assert send(session, {}, "1").names == set()
    assert next_of(session, {}) is None


def test_a_client_that_asks_for_nothing_is_told_nothing() -> None:
    assert next_of(TypeSession(State(kind=LISTENER), Shared()), entries(a=1)) is None


def test_an_update_overtakes_the_judgement_on_an_earlier_one() -> None:
    session = asking_for(CLUSTER)
    send(session, entries(a=1), "1")

    assert set(send(session, entries(a=1, b=1), "2").changed) == {"b"}

    session.judge("1", "")
    session.judge("2", "")

    assert session.status().acked == {"a": "v1", "b": "v1"}


def test_each_resource_of_a_refused_response_is_sent_alone() -> None:
    session = asking_for(LISTENER)
    available = entries(bad=1, good=1)
    send(session, available, "1")
    session.judge("1", "one of them is bad")

    assert send(session, available, "2").names == {"bad"}
    assert next_of(session, available) is None  # the judgement is awaited
    session.judge("2", "no such address")
    assert send(session, available, "3").names == {"good"}
    session.judge("3", "")

    assert next_of(session, available) is None
    assert session.status().acked == {"good": "v1"}
    assert status_of(session, available).state is SyncState.ERROR
    assert status_of(session, available).rejections["bad"].reason == "no such address"


def test_a_version_refused_alone_is_not_sent_again_but_a_newer_one_is() -> None:
    session = asking_for(LISTENER)
    send(session, entries(a=1), "1")
    session.judge("1", "bad")

    assert next_of(session, entries(a=1)) is None

    assert send(session, entries(a=2), "2").names == {"a"}
    session.judge("2", "")

    assert status_of(session, entries(a=2)).state is SyncState.SYNCED
    assert status_of(session, entries(a=2)).last_error == ""


def test_a_refused_version_that_nobody_wants_any_more_is_no_error() -> None:
    session = asking_for(LISTENER)
    send(session, entries(a=1), "1")
    session.judge("1", "")
    send(session, entries(a=2), "2")
    session.judge("2", "bad")

    assert next_of(session, entries(a=1)) is None  # it still has the first
    assert status_of(session, entries(a=1)).state is SyncState.SYNCED


def test_what_was_good_before_is_told_again_to_who_keeps_what_it_refused() -> None:
    """Envoy makes new listeners of the extension configuration that it was told last, refused or not."""
    session = asking_for(EXTENSION_CONFIG, "a")
    send(session, entries(a=1), "1")
    session.judge("1", "")
    send(session, entries(a=2), "2")
    session.judge("2", "script load error")

    assert next_of(session, entries(a=2)) is None

    assert send(session, entries(a=1), "3").names == {"a"}
    assert next_of(session, entries(a=1)) is None  # it is under way
    session.judge("3", "")

    assert next_of(session, entries(a=1)) is None
    assert status_of(session, entries(a=1)).state is SyncState.SYNCED


def test_a_refused_removal_is_tried_once_alone() -> None:
    session = asking_for(LISTENER)
    send(session, entries(a=1, b=1), "1")
    session.judge("1", "")
    send(session, entries(b=2), "2")
    session.judge("2", "bad")

    assert send(session, entries(b=2), "3").removed == {"a"}
    session.judge("3", "")
    assert set(send(session, entries(b=2), "4").changed) == {"b"}


def test_what_was_overtaken_is_no_suspect() -> None:
    session = asking_for(CLUSTER)
    send(session, entries(a=1, b=1), "1")
    send(session, entries(a=2, b=1), "2")
    session.judge("1", "a is bad")
    session.judge("2", "")

    assert send(session, entries(a=2, b=1), "3").names == {"b"}


def test_a_judgement_on_an_unknown_nonce_changes_nothing() -> None:
    session = asking_for(CLUSTER)
    send(session, entries(a=1), "1")

    assert not session.judge("7", "")
    assert session.status().acked == {}
    assert status_of(session, entries(a=1)).unanswered == ("1",)


@pytest.mark.parametrize("kind", [ENDPOINTS, ROUTES])
def test_an_unknown_name_gets_something_empty(kind: ResourceType) -> None:
    session = asking_for(kind, "nobody")

    update = send(session, entries(other=1), "1")

    assert kind.empty is not None
    assert update.changed["nobody"].body == kind.empty("nobody")
    assert update.removed == frozenset()


@pytest.mark.parametrize("kind", [SECRET, EXTENSION_CONFIG])
def test_an_unknown_name_is_said_not_to_exist(kind: ResourceType) -> None:
    session = asking_for(kind, "nobody")

    assert send(session, entries(other=1), "1") == Update(removed=frozenset({"nobody"}))
    assert next_of(session, entries(other=1)) is None


@pytest.mark.parametrize("kind", [SECRET, EXTENSION_CONFIG, ROUTES])
def test_what_the_client_holds_and_is_gone_stays(kind: ResourceType) -> None:
    session = asking_for(kind, "cred")
    send(session, entries(cred=1), "1")
    session.judge("1", "")

    assert next_of(session, {}) is None
    assert status_of(session, {}).state is SyncState.SYNCED


def test_endpoints_that_are_gone_become_none_when_removals_are_due() -> None:
    session = asking_for(ENDPOINTS, "shop")
    send(session, entries(shop=1), "1")
    session.judge("1", "")

    assert next_of(session, {}, removals=False) is None
    update = next_of(session, {})
    assert update is not None
    assert set(update.changed) == {"shop"}


def test_removals_wait_and_changes_do_not() -> None:
    session = asking_for(CLUSTER)
    send(session, entries(old=1), "1")
    session.judge("1", "")

    assert next_of(session, entries(new=1), removals=False) == Update(changed=entries(new=1))
    assert next_of(session, entries(new=1)) == Update(changed=entries(new=1), removed=frozenset({"old"}))


def test_a_type_that_was_never_asked_for_is_not_sent() -> None:
    assert TypeSession(State(kind=ROUTES), Shared()).status().state is SyncState.NOT_SENT


def test_what_is_under_way_is_stale() -> None:
    session = asking_for(LISTENER)
    available = entries(udp=1)
    assert status_of(session, available).state is SyncState.STALE
    send(session, available, "1")
    assert status_of(session, available).state is SyncState.STALE
    session.judge("1", "")
    assert status_of(session, available).state is SyncState.SYNCED


def test_what_a_client_took_of_a_refused_response_is_put_back() -> None:
    """Envoy takes the good listeners of a response that it refuses for a bad one."""
    session = asking_for(LISTENER)
    send(session, entries(a=1, b=1), "1")
    session.judge("1", "")
    send(session, entries(a=2, b=2, c=2), "2")
    session.judge("2", "b is bad")

    assert send(session, entries(a=1, b=1), "3").changed == entries(a=1)
    session.judge("3", "")
    assert send(session, entries(a=1, b=1), "4").changed == entries(b=1)
    session.judge("4", "")
    assert send(session, entries(a=1, b=1), "5").removed == {"c"}
    session.judge("5", "")
    assert next_of(session, entries(a=1, b=1)) is None


def test_what_was_refused_for_a_reason_that_passes_is_sent_once_more_unchanged() -> None:
    session = asking_for(LISTENER)
    available = entries(a=1)
    send(session, available, "1")
    session.judge("1", "cannot bind '0.0.0.0:8443': Address already in use")
    assert next_of(session, available) is None
    assert not session.try_again(lambda reason: "no such filter" in reason)
    assert next_of(session, available) is None

    assert session.try_again(lambda reason: "cannot bind" in reason)

    assert send(session, available, "2").names == {"a"}
    session.judge("2", "")
    assert status_of(session, available).state is SyncState.SYNCED
    assert not session.try_again(lambda reason: True)


def test_of_many_resources_an_event_looks_at_those_that_it_is_about(monkeypatch: pytest.MonkeyPatch) -> None:
    available = PersistentMap((f"c{number}", Entry("1", b"")) for number in range(10_000))
    session = TypeSession(State(kind=CLUSTER), Shared())
    session.ask_for_everything(True)
    session.offer(available)
    for nonce in ("1", "2"):  # one more, so that what is held is not the very map that is offered
        update = session.next()
        assert update is not None
        session.record(nonce, update)
        session.judge(nonce, "")
        session.offer(available := available.updated({"c1": Entry(f"of {nonce}", b"")}))
    looked_at: list[str] = []
    look = State.look

    def counting(state: State, name: str) -> Look:
        looked_at.append(name)
        return look(state, name)

    monkeypatch.setattr(State, "look", counting)
    session.offer(available.updated({"c7": Entry("2", b""), "new": Entry("1", b"")}, ["c8"]))
    update = session.next()
    assert update is not None
    session.record("3", update)
    session.judge("3", "one of them is bad")
    while (update := session.next()) is not None:
        session.record("4", update)
        session.judge("4", "")

    assert session.status().state is SyncState.SYNCED
    assert set(looked_at) == {"c1", "c7", "c8", "new"}
    assert len(looked_at) < 20


def test_a_client_that_does_not_answer_is_told_no_more_after_a_while() -> None:
    session = asking_for(CLUSTER)
    for turn in range(100):
        send(session, entries(a=turn), str(turn))
    assert next_of(session, entries(a=100)) is None

    session.judge("0", "")

    assert send(session, entries(a=101), "next").changed == entries(a=101)
