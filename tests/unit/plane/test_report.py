from dataclasses import replace

from mizzen._api import pb
from mizzen.envoy.config import CLUSTERS, ROUTES
from mizzen.persistent import PersistentMap
from mizzen.pipeline import Settings
from mizzen.plane.report import rejection, why
from mizzen.xds.refusal import LOST
from tests.golden import built


def test_a_reason_that_envoy_cut_off_is_found_in_what_it_refused() -> None:
    bad = pb.Cluster(name="c", dns_refresh_rate=pb.Duration(nanos=1))
    [gateway] = built({"a.yaml": YAML}, Settings()).gateways
    bodies = {CLUSTERS: PersistentMap({"c": bad.SerializeToString()})}
    config = replace(gateway.config({}), bodies=bodies)

    assert why(config, CLUSTERS, "c", f"cluster(s) c: {LOST}") == (
        "cluster(s) c: dns_refresh_rate: it must be more than 0.001s"
    )
    assert why(config, CLUSTERS, "c", "too late\nmore") == "too late"
    assert why(config, CLUSTERS, "gone", LOST) == LOST


YAML = b"""
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: first, namespace: shop}
spec: {hosts: [a.test], gateways: [edge], http: [{directResponse: {status: 200}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: second, namespace: shop}
spec:
  hosts: [b.test]
  gateways: [edge]
  http:
    - match: [{uri: {exact: /}}]
      directResponse: {status: 200}
    - directResponse: {status: 201}
"""


def test_a_refused_route_is_told_at_the_rule_that_it_came_from() -> None:
    (gateway,) = built({"in.yaml": YAML}, Settings()).gateways
    config = gateway.config({})
    reason = "virtual_hosts[1].routes[1].direct_response.status: value must be less than 600"

    problem = rejection(gateway.model, config, ROUTES, "http.8080", reason)

    assert str(problem.resource) == "VirtualService/shop/second"
    assert problem.field == "spec.http[1]"
    assert str(problem.origin) == "in.yaml:21:7"
    assert problem.message == f"Envoy refused RDS http.8080: {reason}"
    for elsewhere in ("virtual_hosts[9].routes[0].x: y", "virtual_hosts[1].routes[9].x: y", "no place"):
        other = rejection(gateway.model, config, ROUTES, "http.8080", elsewhere)
        assert str(other.resource) == "Gateway/shop/edge"
