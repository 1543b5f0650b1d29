import pytest

from mizzen._api import pb
from mizzen.persistent import PersistentMap
from mizzen.xds import snapshot as module
from mizzen.xds.resource_type import CLUSTER, ROUTES
from mizzen.xds.snapshot import NOTHING, Entry, Snapshot, entry, snapshot


def metadata(order: list[str]) -> pb.Cluster:
    cluster = pb.Cluster(name="shop")
    for key in order:
        cluster.metadata.filter_metadata[key].fields["x"].string_value = key
    return cluster


def test_the_version_is_told_by_the_bytes_alone() -> None:
    one = snapshot({CLUSTER.url: {"shop": metadata(["a", "b", "c"])}})
    two = snapshot({CLUSTER.url: {"shop": metadata(["c", "b", "a"])}})

    assert one == two
    assert one.of(CLUSTER.url)["shop"].body == metadata(["b", "a", "c"]).SerializeToString(deterministic=True)


def test_another_content_has_another_version() -> None:
    one = snapshot({CLUSTER.url: {"shop": pb.Cluster(name="shop")}})
    two = snapshot({CLUSTER.url: {"shop": pb.Cluster(name="shop", type=pb.Cluster.EDS)}})

    assert one.of(CLUSTER.url)["shop"].version != two.of(CLUSTER.url)["shop"].version


def test_bytes_are_taken_as_they_are() -> None:
    cluster = metadata(["a"])
    from_bytes = snapshot({CLUSTER.url: {"shop": cluster.SerializeToString(deterministic=True)}})

    assert from_bytes == snapshot({CLUSTER.url: {"shop": cluster}})


def test_what_did_not_change_is_taken_from_the_previous_snapshot() -> None:
    first = snapshot(
        {
            CLUSTER.url: {"a": pb.Cluster(name="a"), "b": pb.Cluster(name="b")},
            ROUTES.url: {"http": pb.RouteConfiguration(name="http")},
        }
    )
    second = snapshot(
        {
            CLUSTER.url: {"a": pb.Cluster(name="a"), "b": pb.Cluster(name="b", type=pb.Cluster.EDS)},
            ROUTES.url: {"http": pb.RouteConfiguration(name="http")},
        },
        first,
    )

    assert second.of(ROUTES.url) is first.of(ROUTES.url)
    assert second.of(CLUSTER.url)["a"] is first.of(CLUSTER.url)["a"]
    assert second.of(CLUSTER.url)["b"] != first.of(CLUSTER.url)["b"]


def test_nothing_changed_gives_the_previous_snapshot_itself() -> None:
    first = snapshot({CLUSTER.url: {"a": pb.Cluster(name="a")}})

    assert snapshot({CLUSTER.url: {"a": pb.Cluster(name="a")}}, first) is first


def test_an_unknown_type_has_no_resources() -> None:
    assert dict(snapshot({}).of("type.googleapis.com/nothing")) == {}


def test_bytes_do_not_show_in_logs() -> None:
    secret = snapshot({"secrets": {"cred": b"PRIVATE KEY"}})

    assert "PRIVATE" not in repr(secret)


def test_of_many_resources_only_those_with_other_bytes_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = PersistentMap((f"c{number}", b"%d" % number) for number in range(10_000))
    first = snapshot({CLUSTER.url: bodies})
    hashed: list[bytes] = []

    def hashing(body: bytes) -> Entry:
        hashed.append(body)
        return entry(body)

    monkeypatch.setattr(module, "entry", hashing)

    second = snapshot({CLUSTER.url: bodies.updated({"c7": b"seven", "new": b"new"}, ["c8"])}, first)

    assert sorted(hashed) == [b"new", b"seven"]
    assert second == snapshot({CLUSTER.url: dict(second.bodies_of(CLUSTER.url))})
    assert "c8" not in second.of(CLUSTER.url)


def test_equal_bytes_in_another_object_are_no_change() -> None:
    first = snapshot({CLUSTER.url: {"a": bytes([1, 2])}, ROUTES.url: {"http": b"1"}})
    second = snapshot({CLUSTER.url: {"a": bytes([1, 2])}, ROUTES.url: {"http": b"2"}}, first)

    assert second.of(CLUSTER.url) is first.of(CLUSTER.url)


def test_what_follows_a_replaced_type_is_as_if_made_whole() -> None:
    """Secrets that are kept although they are gone must not stay when the next snapshot is made without them."""
    first = snapshot({"secrets": {"a": b"1", "b": b"1"}})
    without_b = snapshot({"secrets": {"a": b"1"}}, first)
    kept = without_b.replaced("secrets", first.of("secrets"))
    assert kept == first

    assert snapshot({"secrets": {"a": b"1"}}, kept) == without_b
    assert snapshot({"secrets": {"a": b"1"}}, kept.without("secrets")) == without_b
    assert snapshot({"secrets": {"a": b"2"}}, Snapshot(types=kept.types)) == snapshot(
        {"secrets": {"a": b"2"}}
    )
    assert kept.without("secrets").of("secrets") is NOTHING
