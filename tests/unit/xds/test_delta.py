"""Conversations with a delta client."""

import itertools
from collections.abc import Mapping

from mizzen._api import pb
from mizzen.persistent import PersistentMap
from mizzen.xds.delta import DeltaStream
from mizzen.xds.resource_type import CLUSTER, ENDPOINTS, LISTENER, ROUTES, SECRET, ResourceType
from mizzen.xds.snapshot import NOTHING, Entry, Snapshot
from mizzen.xds.status import SyncState
from tests.unit.xds.heard import heard

V1 = PersistentMap({"shop": Entry("1", b"shop 1"), "blog": Entry("1", b"blog 1")})
V2 = PersistentMap({"shop": Entry("2", b"shop 2"), "blog": Entry("1", b"blog 1")})


def stream_of(kind: ResourceType, resources: Mapping[str, Entry]) -> DeltaStream:
    stream = DeltaStream(itertools.count(1))
    stream.offer(Snapshot(types={kind.url: PersistentMap(resources)}))
    return stream


def ask(kind: ResourceType, *names: str, left: tuple[str, ...] = (), **held: str) -> pb.DeltaDiscoveryRequest:
    return pb.DeltaDiscoveryRequest(
        type_url=kind.url,
        resource_names_subscribe=names,
        resource_names_unsubscribe=left,
        initial_resource_versions=held,
    )


def ack(response: pb.DeltaDiscoveryResponse | None) -> pb.DeltaDiscoveryRequest:
    assert response is not None
    return pb.DeltaDiscoveryRequest(type_url=response.type_url, response_nonce=response.nonce)


def nack(response: pb.DeltaDiscoveryResponse | None, reason: str) -> pb.DeltaDiscoveryRequest:
    request = ack(response)
    request.error_detail.code = 13
    request.error_detail.message = reason
    return request


def names(response: pb.DeltaDiscoveryResponse | None) -> list[str]:
    assert response is not None
    return [resource.name for resource in response.resources]


def test_a_client_is_told_nothing_before_there_is_a_snapshot() -> None:
    stream = DeltaStream(itertools.count(1))
    stream.receive(ask(LISTENER))

    assert heard(stream) is None

    stream.offer(Snapshot(types={}))

    assert names(heard(stream)) == []


def test_a_response_carries_names_versions_and_bytes() -> None:
    stream = stream_of(LISTENER, {"udp_0.0.0.0_8443": Entry("abc", b"bytes")})
    stream.receive(ask(LISTENER))

    response = heard(stream)

    expected = pb.DeltaDiscoveryResponse(type_url=LISTENER.url, nonce="1")
    expected.resources.add(name="udp_0.0.0.0_8443", version="abc").resource.MergeFrom(
        pb.Any(type_url=LISTENER.url, value=b"bytes")
    )
    assert response == expected


def test_what_did_not_change_is_not_sent() -> None:
    stream = stream_of(LISTENER, V1)
    stream.receive(ask(LISTENER))
    first = heard(stream)
    assert names(first) == ["blog", "shop"]
    stream.receive(ack(first))

    stream.offer(Snapshot(types={LISTENER.url: V2}))

    assert names(heard(stream)) == ["shop"]
    assert heard(stream) is None


def test_a_client_that_subscribes_again_is_sent_the_resource_again() -> None:
    stream = stream_of(SECRET, V1)
    stream.receive(ask(SECRET, "shop"))
    assert names(heard(stream)) == ["shop"]
    assert heard(stream) is None

    stream.receive(ask(SECRET, "shop"))

    assert names(heard(stream)) == ["shop"]


def test_a_client_that_unsubscribes_hears_no_more_of_it() -> None:
    stream = stream_of(SECRET, V1)
    stream.receive(ask(SECRET, "shop", "blog"))
    stream.receive(ack(heard(stream)))
    stream.receive(ask(SECRET, left=("shop",)))

    stream.offer(Snapshot(types={SECRET.url: V2}))

    assert heard(stream) is None


def test_a_client_that_comes_back_is_sent_only_what_changed() -> None:
    stream = stream_of(LISTENER, V2)
    stream.receive(ask(LISTENER, shop="1", blog="1"))

    assert names(heard(stream)) == ["shop"]


def test_a_client_that_comes_back_to_an_unchanged_snapshot_is_sent_nothing() -> None:
    stream = stream_of(LISTENER, V1)
    stream.receive(ask(LISTENER, shop="1", blog="1"))

    assert heard(stream) is None
    assert stream.status().types[0].state is SyncState.SYNCED


def test_a_client_that_comes_back_learns_what_is_gone() -> None:
    stream = stream_of(LISTENER, V1)
    stream.receive(ask(LISTENER, shop="1", blog="1", news="1"))

    response = heard(stream)

    assert response is not None
    assert response.removed_resources == ["news"]


def test_a_star_asks_for_everything_of_any_type() -> None:
    stream = stream_of(SECRET, V1)
    stream.receive(ask(SECRET, "*"))

    assert names(heard(stream)) == ["blog", "shop"]


def test_no_names_ask_for_everything_only_of_types_that_are_asked_for_so() -> None:
    """Envoy opens a stream with an empty request for a type whose last subscriber has just left."""
    stream = stream_of(SECRET, V1)
    stream.receive(ask(SECRET))

    assert heard(stream) is None


def test_who_takes_the_star_back_keeps_the_names_he_asked_for() -> None:
    stream = stream_of(LISTENER, V1)
    stream.receive(ask(LISTENER, "*", "shop"))
    stream.receive(ack(heard(stream)))
    stream.receive(ask(LISTENER, left=("*",)))

    stream.offer(
        Snapshot(
            types={
                LISTENER.url: PersistentMap({"shop": Entry("2", b"shop 2"), "blog": Entry("2", b"blog 2")})
            }
        )
    )

    assert names(heard(stream)) == ["shop"]


def test_a_deleted_secret_that_the_client_holds_is_not_taken_away() -> None:
    stream = stream_of(SECRET, V1)
    stream.receive(ask(SECRET, "shop"))
    stream.receive(ack(heard(stream)))

    stream.offer(Snapshot(types={SECRET.url: NOTHING}))

    assert heard(stream) is None


def test_a_secret_that_was_never_there_is_said_to_be_missing() -> None:
    stream = stream_of(SECRET, {})
    stream.receive(ask(SECRET, "cred"))

    response = heard(stream)

    assert response is not None
    assert response.removed_resources == ["cred"]


def test_an_unknown_route_table_is_answered_with_an_empty_one() -> None:
    stream = stream_of(ROUTES, {})
    stream.receive(ask(ROUTES, "http.8080"))

    response = heard(stream)

    assert response is not None
    table = pb.RouteConfiguration()
    assert response.resources[0].resource.Unpack(table)
    assert table == pb.RouteConfiguration(name="http.8080", validate_clusters=pb.BoolValue(value=False))


def test_a_refused_response_is_told_again_one_by_one() -> None:
    stream = stream_of(LISTENER, V1)
    stream.receive(ask(LISTENER))
    stream.receive(nack(heard(stream), "no"))

    blog = heard(stream)
    assert names(blog) == ["blog"]
    assert heard(stream) is None
    stream.receive(nack(blog, "cannot bind"))
    shop = heard(stream)
    assert names(shop) == ["shop"]
    stream.receive(ack(shop))

    assert heard(stream) is None
    status = stream.status()
    assert dict(status.rejections) == {(LISTENER.url, "blog"): "cannot bind"}
    assert [(each.short, each.state, dict(each.acked)) for each in status.types] == [
        ("LDS", SyncState.ERROR, {"shop": "1"})
    ]


def test_a_refusal_without_a_word_is_a_refusal() -> None:
    stream = stream_of(LISTENER, V1)
    stream.receive(ask(LISTENER))
    request = ack(heard(stream))
    request.error_detail.code = 13
    stream.receive(request)

    assert stream.status().types[0].last_error == "refused with code 13"


def test_a_confirmation_tells_what_the_client_holds() -> None:
    stream = stream_of(LISTENER, V1)
    stream.receive(ask(LISTENER))
    response = heard(stream)
    listeners = stream.status().of(LISTENER.url)
    assert listeners is not None
    assert dict(listeners.acked) == {}

    stream.receive(ack(response))

    listeners = stream.status().of(LISTENER.url)
    assert listeners is not None
    assert dict(listeners.acked) == {"shop": "1", "blog": "1"}
    assert listeners.wildcard


def test_a_type_that_we_do_not_serve_has_nothing() -> None:
    stream = stream_of(LISTENER, V1)
    runtime = ResourceType(url="type.googleapis.com/envoy.service.runtime.v3.Runtime", short="Runtime")
    stream.receive(ask(runtime, "limits"))

    response = heard(stream)

    assert response is not None
    assert response.removed_resources == ["limits"]


def test_status_speaks_of_types_that_were_asked_for_in_the_order_of_sending() -> None:
    stream = stream_of(LISTENER, V1)
    for kind in (ROUTES, LISTENER, ENDPOINTS, CLUSTER):
        stream.receive(ask(kind, "shop"))

    assert [each.short for each in stream.status().types] == ["CDS", "EDS", "LDS", "RDS"]
    assert stream.status().of(SECRET.url) is None
