"""Collections: resources that are asked for with one name."""

import itertools

import pytest

from mizzen._api import pb
from mizzen.persistent import PersistentMap
from mizzen.xds.collection import Collections, collection_of, is_collection
from mizzen.xds.delta import DeltaStream
from mizzen.xds.resource_type import SCOPED_ROUTES
from mizzen.xds.snapshot import NOTHING, Entry, Snapshot
from mizzen.xds.status import SyncState
from tests.unit.xds.heard import heard

SCOPES = "xdstp:///envoy.config.route.v3.ScopedRouteConfiguration"
SHOP, BLOG = f"{SCOPES}/shop/*", f"{SCOPES}/blog/*"
A, B, C = f"{SCOPES}/shop/a", f"{SCOPES}/shop/b", f"{SCOPES}/blog/c"


@pytest.mark.parametrize(
    ("name", "collection"),
    [
        (A, SHOP),
        ("xdstp://authority/type/a?x=1&y=2", "xdstp://authority/type/*?x=1&y=2"),
        (f"{SCOPES}/shop/deeper/a", f"{SCOPES}/shop/deeper/*"),
        ("shop/a", ""),
        ("", ""),
    ],
)
def test_a_member_is_one_segment_below_its_collection(name: str, collection: str) -> None:
    assert collection_of(name) == collection
    assert is_collection(collection) == bool(collection)
    assert not is_collection(name)


def test_members_follow_what_is_added_and_removed() -> None:
    collections = Collections.of([A, C, "plain"])

    later = collections.updated([B], [C])

    assert set(collections.members(SHOP)) == {A}
    assert set(later.members(SHOP)) == {A, B}
    assert (set(collections.members(BLOG)), set(later.members(BLOG))) == ({C}, set())


def entries(**versions: str) -> PersistentMap[str, Entry]:
    """Of a, b, c."""
    names = {"a": A, "b": B, "c": C}
    return PersistentMap((names[key], Entry(version, version.encode())) for key, version in versions.items())


class Client:
    """It asks for scoped routes, and confirms what it is told."""

    def __init__(self, available: PersistentMap[str, Entry]) -> None:
        self.stream = DeltaStream(itertools.count(1))
        self.offer(available)

    def offer(self, available: PersistentMap[str, Entry]) -> None:
        self.stream.offer(Snapshot(types={SCOPED_ROUTES.url: available}))

    def ask(self, *names: str, left: tuple[str, ...] = (), **held: str) -> list[str]:
        self.stream.receive(
            pb.DeltaDiscoveryRequest(
                type_url=SCOPED_ROUTES.url,
                resource_names_subscribe=names,
                resource_names_unsubscribe=left,
                initial_resource_versions={{"a": A, "b": B, "c": C}[key]: held[key] for key in held},
            )
        )
        return self.told()

    def told(self) -> list[str]:
        told = []
        while (response := heard(self.stream)) is not None:
            told += [each.name for each in response.resources]
            told += [f"-{name}" for name in response.removed_resources]
            self.stream.receive(
                pb.DeltaDiscoveryRequest(type_url=SCOPED_ROUTES.url, response_nonce=response.nonce)
            )
        return told

    @property
    def state(self) -> SyncState:
        return self.stream.status().types[0].state


def test_of_a_collection_its_members_are_told_and_no_others() -> None:
    client = Client(entries(a="1", b="1", c="1"))

    assert client.ask(SHOP) == [A, B]
    assert client.state is SyncState.SYNCED
    client.offer(entries(a="1", b="2", c="2"))
    assert client.told() == [B]
    client.offer(entries(a="1", c="2"))
    assert client.told() == [f"-{B}"]
    assert client.ask(BLOG) == [C]


def test_an_empty_collection_is_said_not_to_be_there() -> None:
    """Envoy waits for an answer that names the collection, or a member of it."""
    client = Client(entries(c="1"))

    assert client.ask(SHOP) == [f"-{SHOP}"]
    assert client.state is SyncState.SYNCED
    client.offer(entries(a="1", c="1"))
    assert client.told() == [A]


def test_a_collection_that_is_gone_as_a_whole_stays_until_the_client_lets_go_of_it() -> None:
    """The connections of a server that is gone drain, and still use its routes."""
    client = Client(entries(a="1", b="1", c="1"))
    assert client.ask(SHOP) == [A, B]

    client.offer(entries(c="1"))
    assert client.told() == []
    assert client.state is SyncState.SYNCED
    client.offer(entries(a="2", c="1"))
    assert client.told() == [A, f"-{B}"]
    client.offer(entries(c="1"))
    assert client.ask(left=(SHOP,)) == []
    assert client.state is SyncState.SYNCED


def test_a_collection_that_is_emptied_before_it_was_told_is_said_not_to_be_there() -> None:
    client = Client(entries(a="1"))
    client.stream.receive(
        pb.DeltaDiscoveryRequest(type_url=SCOPED_ROUTES.url, resource_names_subscribe=[SHOP])
    )

    client.offer(NOTHING)

    assert client.told() == [f"-{SHOP}"]


def test_who_lets_go_of_a_collection_hears_no_more_of_it_and_is_told_all_if_it_asks_again() -> None:
    client = Client(entries(a="1", b="1", c="1"))
    client.ask(SHOP, BLOG)

    assert client.ask(left=(SHOP,)) == []
    client.offer(entries(a="2", c="2"))
    assert client.told() == [C]
    assert client.state is SyncState.SYNCED
    assert client.ask(SHOP) == [A]
    assert client.ask(SHOP) == [A]  # it may have forgotten


def test_who_comes_back_with_members_is_told_what_changed() -> None:
    client = Client(entries(a="1", c="1"))

    assert client.ask(SHOP, a="1", b="1") == [f"-{B}"]
    assert client.ask(SHOP) == [A]
    assert Client(entries(a="1")).ask(SHOP, a="1") == []


def test_a_member_that_is_asked_for_by_name_too_stays_when_its_collection_is_let_go_of() -> None:
    client = Client(entries(a="1", b="1"))
    client.ask(SHOP, A)

    assert client.ask(left=(SHOP,)) == [A]  # it may be forgotten with its collection
    client.offer(entries(a="2", b="2"))
    assert client.told() == [A]


def test_of_many_members_only_what_changed_is_looked_at() -> None:
    many = PersistentMap((f"{SCOPES}/shop/{number}", Entry("1", b"")) for number in range(10_000))
    client = Client(many)
    client.ask(SHOP)
    before = client.stream._sessions[SCOPED_ROUTES.url].state

    client.offer(many.updated({f"{SCOPES}/shop/7": Entry("2", b"")}))
    state = client.stream._sessions[SCOPED_ROUTES.url].state

    assert list(state.differs) == [f"{SCOPES}/shop/7"]
    assert before.is_at_rest
    assert before.acked is many
