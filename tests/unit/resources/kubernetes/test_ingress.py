"""How an Ingress is read."""

from mizzen.resources.decode import decode
from mizzen.resources.kubernetes.ingress import Ingress
from mizzen.resources.raw_objects import parse_documents

TEXT = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  ingressClassName: istio
  tls: [{secretName: tls}]
  rules:
  - http: {paths: [{path: /a, backend: {service: {name: web, port: {name: http}}}}]}
status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}
"""


def test_what_is_not_written_is_told_from_what_is():
    (raw,), _ = parse_documents(TEXT, "x.yaml")
    ingress = decode(raw).resource
    assert isinstance(ingress, Ingress)
    assert ingress.spec.ingress_class_name == "istio"
    assert ingress.spec.tls[0].hosts == ()
    [path] = ingress.spec.rules[0].http.paths
    assert (path.path_type, path.backend.service.port.name, path.backend.service.port.number) == (
        "",
        "http",
        None,
    )
    assert path.at == "spec.rules[0].http.paths[0]"
    assert ingress.status.load_balancer.ingress[0].ip == "192.0.2.1"
