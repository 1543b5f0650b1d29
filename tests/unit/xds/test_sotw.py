"""Conversations with a state-of-the-world client."""

import itertools
from collections.abc import Mapping

from mizzen._api import pb
from mizzen.persistent import PersistentMap
from mizzen.xds.resource_type import LISTENER, SECRET, ResourceType
from mizzen.xds.snapshot import Entry, Snapshot
from mizzen.xds.sotw import SotwStream
from tests.unit.xds.heard import heard

V1 = PersistentMap({"shop": Entry("1", b"shop 1"), "blog": Entry("1", b"blog 1")})
V2 = PersistentMap({"shop": Entry("2", b"shop 2"), "blog": Entry("1", b"blog 1")})


def stream_of(kind: ResourceType, resources: Mapping[str, Entry]) -> SotwStream:
    stream = SotwStream(itertools.count(1))
    stream.offer(Snapshot(types={kind.url: PersistentMap(resources)}))
    return stream


def ask(kind: ResourceType, *names: str, version: str = "", nonce: str = "") -> pb.DiscoveryRequest:
    return pb.DiscoveryRequest(
        type_url=kind.url, resource_names=names, version_info=version, response_nonce=nonce
    )


def ack(response: pb.DiscoveryResponse | None, *names: str, error: str = "") -> pb.DiscoveryRequest:
    assert response is not None
    request = pb.DiscoveryRequest(
        type_url=response.type_url,
        resource_names=names,
        version_info=response.version_info,
        response_nonce=response.nonce,
    )
    if error:
        request.error_detail.message = error
    return request


def bodies(response: pb.DiscoveryResponse | None) -> list[bytes]:
    assert response is not None
    return sorted(resource.value for resource in response.resources)


def test_a_response_names_all_listeners_though_one_changed() -> None:
    stream = stream_of(LISTENER, V1)
    stream.receive(ask(LISTENER))
    first = heard(stream)
    assert bodies(first) == [b"blog 1", b"shop 1"]
    stream.receive(ack(first))

    stream.offer(Snapshot(types={LISTENER.url: V2}))

    assert bodies(heard(stream)) == [b"blog 1", b"shop 2"]


def test_a_removed_listener_is_left_out() -> None:
    stream = stream_of(LISTENER, V1)
    stream.receive(ask(LISTENER))
    stream.receive(ack(heard(stream)))

    stream.offer(Snapshot(types={LISTENER.url: PersistentMap({"shop": V1["shop"]})}))

    assert bodies(heard(stream)) == [b"shop 1"]


def test_of_other_types_only_what_changed_is_sent() -> None:
    stream = stream_of(SECRET, V1)
    stream.receive(ask(SECRET, "shop", "blog"))
    stream.receive(ack(heard(stream), "shop", "blog"))

    stream.offer(Snapshot(types={SECRET.url: V2}))

    assert bodies(heard(stream)) == [b"shop 2"]


def test_a_name_that_is_added_is_answered_alone() -> None:
    stream = stream_of(SECRET, V1)
    stream.receive(ask(SECRET, "shop"))
    first = heard(stream)
    assert first is not None
    stream.receive(ack(first, "shop"))

    stream.receive(ask(SECRET, "shop", "blog", nonce=first.nonce, version=first.version_info))

    assert bodies(heard(stream)) == [b"blog 1"]


def test_a_missing_secret_is_waited_for() -> None:
    """There is no word for "there is no such secret"."""
    stream = stream_of(SECRET, {})
    stream.receive(ask(SECRET, "cred"))
    assert heard(stream) is None

    stream.offer(Snapshot(types={SECRET.url: PersistentMap({"cred": Entry("1", b"cred")})}))

    assert bodies(heard(stream)) == [b"cred"]


def test_a_client_that_asks_again_is_sent_all_it_asks_for() -> None:
    stream = stream_of(SECRET, V1)
    stream.receive(ask(SECRET, "shop"))
    first = heard(stream)
    assert first is not None
    stream.receive(ack(first, "shop"))
    assert heard(stream) is None

    stream.receive(ask(SECRET, "shop", nonce=first.nonce, version=first.version_info))

    assert bodies(heard(stream)) == [b"shop 1"]


def test_a_client_that_comes_back_with_the_same_version_is_sent_nothing() -> None:
    before = stream_of(LISTENER, V1)
    before.receive(ask(LISTENER))
    response = heard(before)
    assert response is not None

    after = stream_of(LISTENER, V1)
    after.receive(ask(LISTENER, version=response.version_info))
    assert heard(after) is None

    after.offer(Snapshot(types={LISTENER.url: V2}))

    assert bodies(heard(after)) == [b"blog 1", b"shop 2"]


def test_a_client_that_comes_back_with_another_version_is_sent_everything() -> None:
    stream = stream_of(LISTENER, V1)
    stream.receive(ask(LISTENER, version="of another control plane"))

    assert bodies(heard(stream)) == [b"blog 1", b"shop 1"]


def test_each_resource_of_a_refused_response_is_tried_on_top_of_what_was_good() -> None:
    stream = stream_of(LISTENER, V1)
    stream.receive(ask(LISTENER))
    stream.receive(ack(heard(stream)))
    stream.offer(
        Snapshot(
            types={
                LISTENER.url: PersistentMap(
                    {"shop": Entry("bad", b"shop bad"), "blog": Entry("2", b"blog 2")}
                )
            }
        )
    )
    refused = heard(stream)
    assert bodies(refused) == [b"blog 2", b"shop bad"]
    stream.receive(ack(refused, error="shop is bad"))

    blog = heard(stream)
    assert bodies(blog) == [b"blog 2", b"shop 1"]
    assert heard(stream) is None
    stream.receive(ack(blog))
    shop = heard(stream)
    assert bodies(shop) == [b"blog 2", b"shop bad"]
    stream.receive(ack(shop, error="shop is bad"))

    assert heard(stream) is None
    assert dict(stream.status().rejections) == {(LISTENER.url, "shop"): "shop is bad"}


def test_a_response_that_names_all_waits_for_the_judgement_on_the_one_before() -> None:
    stream = stream_of(LISTENER, V1)
    stream.receive(ask(LISTENER))
    first = heard(stream)
    stream.offer(Snapshot(types={LISTENER.url: V2}))
    assert heard(stream) is None

    stream.receive(ack(first))

    assert bodies(heard(stream)) == [b"blog 1", b"shop 2"]


def test_an_old_nonce_with_the_same_names_asks_for_nothing_while_a_response_is_under_way() -> None:
    stream = stream_of(SECRET, V1)
    stream.receive(ask(SECRET, "shop"))
    first = heard(stream)
    assert first is not None
    stream.receive(ack(first, "shop"))
    stream.offer(Snapshot(types={SECRET.url: V2}))
    assert bodies(heard(stream)) == [b"shop 2"]

    stream.receive(ask(SECRET, "shop", nonce=first.nonce, version=first.version_info))

    assert heard(stream) is None
