"""Envoys that a balancer cannot tell apart."""

from dataclasses import replace

from mizzen.http3.server_ids import LONGEST
from mizzen.model.quic import ConnectionIds
from mizzen.plane.server_ids import server_id_problems
from mizzen.serve.ads import ClientStatus
from mizzen.xds.status import StreamStatus
from tests.harness import small_models as small


def model(length=4):
    ids = ConnectionIds(
        server_id_bytes=length, nonce_bytes=4, key="k", origin=small.GATEWAY, at="spec.connectionIds"
    )
    quic = replace(small.quic_listener(), connection_ids=ids)
    return small.model(listeners=(small.tcp_listener(), quic))


def pods(**written):
    """By name; each at an address of its own, with the id that was written for it."""
    return {
        name: ClientStatus(
            node_id=f"router~10.0.0.{number}~{name}~shop.svc.cluster.local",
            gateway=name,
            protocol="delta",
            version="",
            is_connected=True,
            stream=StreamStatus(types=()),
            server_id=text,
        )
        for number, (name, text) in enumerate(written.items())
    }


def told(model, clients):
    return [one.message for one in server_id_problems(model, clients)]


def test_addresses_tell_pods_apart():
    assert told(model(), pods(a="", b="", c="")) == []
    assert told(model(LONGEST), pods(a="", b="", c="")) == []


def test_an_id_that_was_written_twice_is_told():
    clients = pods(a="0a0a0a0a", b="", c="0A0A0A0A", d="0b0b0b0b")

    assert told(model(), clients) == [
        "a and c have the server id 0a0a0a0a: a balancer cannot tell them apart"
    ]


def test_an_id_that_is_written_may_be_that_of_anothers_address():
    assert len(told(model(), pods(a="", b="0a000000"))) == 1


def test_ids_of_another_length_are_none():
    assert told(model(), pods(a="0a", b="0a")) == []


def test_without_the_policy_nobody_asks():
    assert told(small.mirrored(), pods(a="0a0a0a0a", b="0a0a0a0a")) == []
