from typing import Any

from mizzen.install.apply.summary import reached


def service(**status: Any) -> dict[str, Any]:
    ports = [{"port": 443, "protocol": "TCP"}, {"port": 443, "protocol": "UDP"}]
    return {"metadata": {"name": "edge", "namespace": "shop"}, "spec": {"ports": ports}, "status": status}


def test_a_gateway_says_where_it_is_reached() -> None:
    found = reached(service(loadBalancer={"ingress": [{"ip": "192.0.2.1"}, {"hostname": "lb.example"}]}))
    assert found == "  edge.shop: 192.0.2.1, lb.example, ports 443/TCP, 443/UDP"


def test_a_gateway_without_an_address_says_so() -> None:
    assert "no external address yet" in reached(service())


def test_a_load_balancer_that_refuses_udp_beside_tcp_is_named() -> None:
    condition = {
        "type": "LoadBalancerPortsError",
        "status": "True",
        "reason": "LoadBalancerMixedProtocolNotSupported",
    }
    assert "refuses some of these ports: LoadBalancerMixedProtocolNotSupported" in reached(
        service(conditions=[condition])
    )
