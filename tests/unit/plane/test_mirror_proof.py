"""What must be proven of a mirror."""

import pytest

from mizzen.errors import ResourceRef
from mizzen.model.announcement import Announcement
from mizzen.model.tls import FILE_CERT, WORKLOAD, Certificate
from mizzen.persistent import PersistentMap
from mizzen.plane.mirror_proof import Target, concrete, subject
from mizzen.serve.clients import ClientStatus
from mizzen.xds.resource_type import LISTENER, SECRET
from mizzen.xds.snapshot import Entry, Snapshot
from mizzen.xds.status import StreamStatus, SyncState, TypeStatus

LISTENER_NAME = "udp_0.0.0.0_8443"
HELD = Entry("1", b"")


def acked(url: str, *names: str) -> TypeStatus:
    return TypeStatus(
        type_url=url,
        short="",
        state=SyncState.SYNCED,
        sent=1,
        unanswered=(),
        subscribed=names,
        wildcard=False,
        acked=dict.fromkeys(names, HELD.version),
        rejections={},
        last_error="",
    )


def client(*secrets: str) -> ClientStatus:
    return ClientStatus(
        gateway="edge.istio-system",
        protocol="delta",
        version="1.40.0",
        is_connected=True,
        node_id="router~10.0.0.7~edge.istio-system~istio-system.svc.cluster.local",
        stream=StreamStatus(types=(acked(LISTENER.url, LISTENER_NAME), acked(SECRET.url, *secrets))),
    )


def target(*certificates: str, known: tuple[Certificate, ...] = ()) -> Target:
    return Target(
        announcement=Announcement(
            name="alt-svc/https.443",
            port=443,
            listener=LISTENER_NAME,
            server_names=("*.shop.example",),
            certificates=certificates,
            origin=ResourceRef(kind="Gateway"),
        ),
        address="0.0.0.0",
        port=8443,
        demands_certificate=True,
        certificates=known,
    )


def snapshot(**secrets: Entry) -> Snapshot:
    return Snapshot(
        types={
            LISTENER.url: PersistentMap({LISTENER_NAME: HELD}),
            SECRET.url: PersistentMap(secrets),
        }
    )


@pytest.mark.parametrize("name", [WORKLOAD, f"{FILE_CERT}/etc/a.pem~/etc/a.key"])
def test_a_certificate_beside_a_proxy_elsewhere_is_proven_by_the_handshake(name: str) -> None:
    found = subject(target(name), snapshot(), client())
    assert found is not None
    assert found.leaves == (b"",)
    assert (found.address, found.port, found.server_name) == ("10.0.0.7", 8443, "probe.shop.example")
    assert found.demands_certificate


def test_a_certificate_of_ours_must_be_the_one_that_is_shown() -> None:
    pair = Certificate(
        name="kubernetes://shop", chain=b"chain", key=b"key", origin=ResourceRef(kind="Secret")
    )
    wanted = target(pair.name, known=(pair,))
    held = snapshot(**{pair.name: HELD})
    assert subject(wanted, held, client()) is None  # Envoy has not confirmed it
    found = subject(wanted, held, client(pair.name))
    assert found is not None
    assert found.leaves == (b"chain",)


def test_nothing_is_proven_of_who_is_not_there() -> None:
    assert subject(target(WORKLOAD), snapshot(), None) is None
    assert subject(target(WORKLOAD), Snapshot(types={}), client()) is None


def test_a_name_is_asked_for_that_a_server_takes() -> None:
    assert concrete(("*.a.example", "b.example")) == "b.example"
    assert concrete(()) == "mizzen.invalid"
