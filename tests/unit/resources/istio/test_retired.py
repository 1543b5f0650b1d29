import pytest

from mizzen.resources.declaring.compile import declared_fields
from mizzen.resources.declaring.declare import Element
from mizzen.resources.decode import decode
from mizzen.resources.istio import retired
from mizzen.resources.istio.mesh import MeshConfig, ProxyConfig
from mizzen.resources.istio.virtual_service import HTTPRoute
from mizzen.resources.raw_objects import parse_documents

ROUTE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.test]
  http:
  - websocketUpgrade: true
    appendHeaders: {x-a: "1"}
    fault: {abort: {percent: 10, httpStatus: 503}}
    route:
    - destination: {host: shop, port: {number: 80, name: http}}
      removeResponseHeaders: [x-b]
"""


def test_an_object_with_retired_fields_takes_part_and_each_is_told_with_its_successor() -> None:
    ((raw,), _) = parse_documents(ROUTE, "in.yaml")

    found = decode(raw)

    assert found.resource is not None
    assert {(p.severity.value, p.field, p.hint) for p in found.problems if p.code == "VAL-102"} == {
        ("warning", "spec.http[0].websocketUpgrade", "WebSockets pass without it: remove it."),
        ("warning", "spec.http[0].appendHeaders", "Write headers.request.add."),
        ("warning", "spec.http[0].fault.abort.percent", "Write percentage: {value: ...}."),
        ("warning", "spec.http[0].route[0].destination.port.name", "Write number."),
        ("warning", "spec.http[0].route[0].removeResponseHeaders", "Write headers.response.remove."),
    }


@pytest.mark.parametrize(
    ("declaration", "table"),
    [
        (HTTPRoute, retired.HTTP_ROUTE),
        (MeshConfig, retired.MESH_CONFIG),
        (ProxyConfig, retired.PROXY_CONFIG),
    ],
)
def test_what_is_retired_is_not_declared_too(declaration: type[Element], table: retired.Retired) -> None:
    assert declaration.RETIRED is table
    assert not table.keys() & {one.key for one in declared_fields(declaration)}
