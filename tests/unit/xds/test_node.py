import pytest

from mizzen._api import pb
from mizzen.xds.node import address_of, gateway_of, server_id_of, start_of
from mizzen.xds.start import SERVER_ID, START, Start


@pytest.mark.parametrize(
    ("node_id", "cluster", "gateway"),
    [
        (
            "router~127.0.0.1~istio-ingressgateway.istio-system~istio-system.svc.cluster.local",
            "istio-ingressgateway",
            "istio-ingressgateway.istio-system",
        ),
        ("gw1", "edge", "edge"),
        ("gw1", "", "gw1"),
        ("router~~~", "edge", "edge"),
    ],
)
def test_a_node_belongs_to_the_gateway_that_its_id_or_cluster_names(
    node_id: str, cluster: str, gateway: str
) -> None:
    assert gateway_of(pb.Node(id=node_id, cluster=cluster)) == gateway


@pytest.mark.parametrize(
    ("said", "start"),
    [
        ({"NUMBER": "3", "AFTER": "SIGABRT"}, Start(3, "SIGABRT")),
        ({"NUMBER": "3", "AFTER": "SIGKILL"}, Start(3, "")),  # somebody else ended it
        ({"NUMBER": "3"}, Start(3, "")),
        ({"NUMBER": "-1", "AFTER": "SIGABRT"}, Start(0, "SIGABRT")),
        ({"NUMBER": "9" * 5_000, "AFTER": ""}, Start()),
        ({"NUMBER": 3.0, "AFTER": 1.0}, Start()),
        ("SIGABRT", Start()),
        (None, Start()),
    ],
)
def test_a_node_says_how_its_envoy_came_to_be_started(said: object, start: Start) -> None:
    node = pb.Node(id="one")
    if said is not None:
        node.metadata.update({START: said})

    assert start_of(node) == start


def test_what_is_said_of_a_start_is_read_back() -> None:
    node = pb.Node(id="one")
    node.metadata.update({START: Start(7, "SIGSEGV").to_json()})

    assert start_of(node) == Start(7, "SIGSEGV")


def test_the_address_and_the_server_id_of_a_node() -> None:
    node = pb.Node(id="router~10.0.0.7~gateway.shop~shop.svc.cluster.local")
    assert (address_of(node.id), server_id_of(node)) == ("10.0.0.7", "")
    node.metadata[SERVER_ID] = "0a0b"
    assert server_id_of(node) == "0a0b"
    assert address_of("gw1") == ""
