"""A refusal stands until the client has confirmed better: a real session says what it knows in between."""

import itertools

from mizzen._api import pb
from mizzen.persistent import PersistentMap
from mizzen.plane.refusals import Refusals, standing
from mizzen.serve.ads import ClientStatus
from mizzen.xds.delta import DeltaStream
from mizzen.xds.resource_type import ROUTES
from mizzen.xds.snapshot import NOTHING, Snapshot, entry

KEY = (ROUTES.url, "http")


def tables(**bodies: bytes) -> Snapshot:
    return Snapshot(types={ROUTES.url: PersistentMap((name, entry(body)) for name, body in bodies.items())})


class Client:
    """An Envoy that asked for one route table."""

    def __init__(self) -> None:
        self.stream = DeltaStream(itertools.count(1))
        self.stream.receive(pb.DeltaDiscoveryRequest(type_url=ROUTES.url, resource_names_subscribe=["http"]))
        self.refused: Refusals = {}

    def offer(self, snapshot: Snapshot) -> Refusals:
        """What stands refused as soon as the next snapshot is there, and after it was sent."""
        self.snapshot = snapshot
        self.stream.offer(snapshot)
        return self.now()

    def judge(self, error: str = "") -> Refusals:
        """The same after the client answered."""
        response = self.stream.next_response()
        assert response is not None
        assert self.now() == self.refused  # that it was sent changes nothing
        request = pb.DeltaDiscoveryRequest(type_url=response.type_url, response_nonce=response.nonce)
        if error:
            request.error_detail.message = error
        self.stream.receive(request)
        return self.now()

    def now(self) -> Refusals:
        status = ClientStatus(
            node_id="",
            gateway="one",
            protocol="delta",
            version="",
            is_connected=True,
            stream=self.stream.status(),
        )
        self.refused = standing(self.refused, status, self.snapshot)
        return self.refused


def refusing() -> Client:
    client = Client()
    client.offer(tables(http=b"bad"))
    assert client.judge("no such thing") == {KEY: "no such thing"}
    return client


def test_a_refusal_stands_while_a_newer_version_is_not_judged() -> None:
    client = refusing()

    assert client.offer(tables(http=b"bad, and a neighbour changed")) == {KEY: "no such thing"}
    assert client.judge("no such thing") == {KEY: "no such thing"}


def test_it_is_over_when_the_client_confirms() -> None:
    client = refusing()

    client.offer(tables(http=b"good"))

    assert client.judge() == {}


def test_another_reason_takes_its_place() -> None:
    client = refusing()

    client.offer(tables(http=b"worse"))

    assert client.judge("something else") == {KEY: "something else"}


def test_what_is_wanted_no_more_is_refused_no_more() -> None:
    client = refusing()

    assert client.offer(Snapshot(types={ROUTES.url: NOTHING})) == {}


def test_it_stands_while_the_client_is_away() -> None:
    client = refusing()

    assert standing(client.refused, None, client.snapshot) == {KEY: "no such thing"}
