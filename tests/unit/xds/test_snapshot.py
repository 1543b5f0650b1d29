from mizzen._api import pb
from mizzen.xds.resource_type import CLUSTER, ROUTES
from mizzen.xds.snapshot import snapshot


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
