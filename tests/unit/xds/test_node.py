import pytest

from mizzen._api import pb
from mizzen.xds.node import gateway_of


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
