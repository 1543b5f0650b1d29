from mizzen.pipeline import Settings
from mizzen.plane.gateway_services import services
from mizzen.resolve.context import ByService
from mizzen.status import PortStatus
from tests.golden import built

DEPLOYMENT = b"""
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {istio: edge}}
  template:
    metadata: {labels: {istio: edge}, annotations: {inject.istio.io/templates: gateway}}
    spec: {containers: [{name: istio-proxy, image: auto, ports: [{name: https, containerPort: 8443}]}]}
"""
SERVICE = b"""
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  selector: {istio: edge}
  ports:
  - {name: https, port: 443, targetPort: https}
  - {name: http3, port: 443, protocol: UDP, targetPort: 8443}
status:
  loadBalancer:
    ingress:
    - ip: 192.0.2.7
      ports:
      - {port: 443, protocol: TCP}
      - {port: 443, protocol: UDP, error: MixedProtocolNotSupported}
"""
OPERATOR = b"""
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec:
  components:
    ingressGateways:
    - name: istio-ingressgateway
      enabled: true
      k8s:
        service:
          ports:
          - {name: https, port: 443, targetPort: 8443}
"""


def test_a_service_is_told_with_its_ports_and_what_its_load_balancer_refused() -> None:
    settings = Settings(external_ports=ByService.SERVICE)
    build = built({"d.yaml": DEPLOYMENT, "s.yaml": SERVICE}, settings)
    (gateway,) = build.gateways
    (service,) = services(build.world, gateway.proxy)

    assert (service.resource, service.origin, service.field) == (
        "Service/shop/web",
        "s.yaml:9:3",
        "spec.ports",
    )
    assert (service.type, service.external_traffic_policy) == ("LoadBalancer", "Local")
    assert service.addresses == ("192.0.2.7",)
    refused = "the load balancer of the Service shop/web does not carry 443/UDP: MixedProtocolNotSupported"
    assert service.ports == (
        PortStatus(name="https", port=443, target="https"),
        PortStatus(name="http3", protocol="UDP", port=443, target="8443", refused=refused),
    )


def test_where_no_service_is_written_it_is_that_of_the_installation() -> None:
    build = built({"o.yaml": OPERATOR}, Settings())
    (service,) = services(build.world, build.gateways[0].proxy)

    assert service.resource == "IstioOperator/istio-system/mesh"
    assert (service.origin, service.field) == (
        "o.yaml:12:11",
        "spec.components.ingressGateways[0].k8s.service.ports",
    )
    assert [(one.protocol, one.port, one.target) for one in service.ports] == [("TCP", 443, "8443")]


def test_the_built_in_gateway_opens_udp_and_nobody_has_written_that() -> None:
    build = built({}, Settings())
    (service,) = services(build.world, build.gateways[0].proxy)

    assert service.origin == ""
    assert PortStatus(name="http3", protocol="UDP", port=443, target="8443") in service.ports
