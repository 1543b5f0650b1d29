"""What the clients of a gateway are offered, and what is kept of them."""

import itertools

from mizzen._api import pb
from mizzen.model.tls import SESSION_TICKETS
from mizzen.serve.clients import Client, Clients
from mizzen.xds.delta import DeltaStream
from mizzen.xds.resource_type import LISTENER, SECRET
from mizzen.xds.snapshot import snapshot

GATEWAY = "edge.shop"
KNOWN = snapshot({LISTENER.url: {"one": b"listener"}, SECRET.url: {"key": b"secret"}})


def client_of(clients: Clients, number: int, *, secrets: bool = True, gateway: str = GATEWAY) -> Client:
    node = pb.Node(id=f"router~10.0.0.{number}~{gateway}~shop.svc.cluster.local")
    stream = DeltaStream(itertools.count(1), clients.shared)
    client = Client(stream, node, silent=False, secrets=secrets)
    clients.add(client)
    for kind, names in ((LISTENER, ()), (SECRET, ("key",))):
        stream.receive(pb.DeltaDiscoveryRequest(type_url=kind.url, resource_names_subscribe=names))
    clients.offer(client)
    return client


def told(client: Client) -> dict[str, list[str]]:
    """Type -> names, those that are said not to be there with a dash."""
    found = {}
    while (response := client.stream.next_response()) is not None:
        message = pb.DeltaDiscoveryResponse.FromString(response.body)
        names = [each.name for each in message.resources] + [f"-{name}" for name in message.removed_resources]
        found[message.type_url] = names
        client.stream.receive(
            pb.DeltaDiscoveryRequest(type_url=message.type_url, response_nonce=message.nonce)
        )
    return found


async def test_who_may_not_be_told_secrets_is_told_all_else() -> None:
    clients = Clients()
    clients.publish(GATEWAY, KNOWN)
    trusted, *public = (client_of(clients, number, secrets=not number) for number in range(3))

    assert told(trusted) == {SECRET.url: ["key"], LISTENER.url: ["one"]}
    for client in public:
        assert told(client) == {SECRET.url: ["-key"], LISTENER.url: ["one"]}
    first, second = (client.stream.status() for client in public)
    assert all(one is other for one, other in zip(first.types, second.types, strict=True))
    clients.close()


async def test_keys_of_session_tickets_are_told_to_who_has_proven_to_be_the_gateway_and_own_ones_to_the_rest() -> (
    None
):
    keys = pb.Secret(name=SESSION_TICKETS)
    keys.session_ticket_keys.keys.add(inline_bytes=b"k" * 80)
    clients = Clients()
    clients.publish(GATEWAY, snapshot({SECRET.url: {"key": b"secret", SESSION_TICKETS: keys}}))

    def held(*, is_proven: bool) -> tuple[Client, bytes]:
        node = pb.Node(id=f"router~10.0.0.9~{GATEWAY}~shop.svc.cluster.local")
        stream = DeltaStream(itertools.count(1), clients.shared)
        client = Client(stream, node, silent=False, secrets=False, is_proven=is_proven)
        clients.add(client)
        names = ("key", SESSION_TICKETS)
        stream.receive(pb.DeltaDiscoveryRequest(type_url=SECRET.url, resource_names_subscribe=names))
        clients.offer(client)
        response = stream.next_response()
        assert response is not None
        message = pb.DeltaDiscoveryResponse.FromString(response.body)
        assert list(message.removed_resources) == ["key"]
        (resource,) = message.resources
        (key,) = pb.Secret.FromString(resource.resource.value).session_ticket_keys.keys
        return client, key.inline_bytes

    assert held(is_proven=True)[1] == b"k" * 80
    (one, own), (_, other) = held(is_proven=False), held(is_proven=False)
    assert len({own, other, b"k" * 80}) == 3
    tickets = one.tickets
    clients.offer(one)
    assert one.tickets is tickets
    clients.close()


async def test_only_the_clients_of_a_gateway_are_offered_what_is_published_for_it() -> None:
    clients = Clients()
    one, other = client_of(clients, 1), client_of(clients, 2, gateway="other.shop")

    clients.publish(GATEWAY, KNOWN)

    assert (one.changed.is_set(), other.changed.is_set()) == (True, False)
    assert told(other) == {}
    clients.close()


async def test_nothing_is_kept_of_gateways_that_are_unknown_and_clients_that_are_gone() -> None:
    clients = Clients()
    client = client_of(clients, 1)
    clients.publish(GATEWAY, KNOWN)
    assert clients.streams_of(client.node_id) == 1

    clients.unpublish(GATEWAY)
    clients.remove(client)

    assert clients.streams_of(client.node_id) == 0
    assert not (clients._gateways or clients._streams or list(clients) or clients.status())
    clients.close()


async def test_publishing_the_same_again_wakes_nobody() -> None:
    clients = Clients()
    clients.publish(GATEWAY, KNOWN)
    client = client_of(clients, 1)
    told(client)
    client.changed.clear()

    clients.publish(GATEWAY, KNOWN)

    assert not client.changed.is_set()
    clients.close()
