"""When a backend is spoken to over HTTP/3, and what is told where it cannot be."""

from dataclasses import replace

import pytest

from mizzen.errors import ResourceRef
from mizzen.model.backend import Backend, Discovery, Endpoint, EndpointGroup, Http3
from mizzen.model.tls import ClientTls
from mizzen.resolve.services.policies import MergedRule
from mizzen.resolve.services.upstream_http3 import Carried, with_http3

RULE = MergedRule(
    host="a.test",
    namespace="n",
    export_to=frozenset({"*"}),
    selector=None,
    subsets=(),
    traffic_policy=None,
    policy_ref=ResourceRef(kind="DestinationRule", name="r"),
    subset_refs={},
    ref=ResourceRef(kind="DestinationRule", name="r"),
    http3="true",
)
TLS = ClientTls(certificate=None, verification=None, sni="a.test", alpn=("h2",))
BACKEND = Backend(
    name="outbound|443||a.test",
    discovery=Discovery.ENDPOINTS,
    service=None,
    groups=(EndpointGroup(endpoints=tuple(Endpoint(address="192.0.2.1", port=port) for port in (9, 8, 9))),),
    tls=TLS,
    origin=ResourceRef(kind="Service"),
)
CARRIED = Carried(host="a.test", port_protocol="HTTP", bytes_too=False)


@pytest.fixture
def ctx(gateway):
    return gateway("{apiVersion: v1, kind: Namespace, metadata: {name: n}}")


def test_it_is_tried_where_envoy_knows_whom_it_asks(ctx):
    made = with_http3(ctx.ctx, BACKEND, RULE, CARRIED)
    assert made.http3 is Http3.PREFERRED
    assert made.http3_known == (("a.test", 8), ("a.test", 9))
    assert made.tls == replace(TLS, alpn=())
    assert ctx.codes == []
    assert with_http3(ctx.ctx, BACKEND, replace(RULE, http3="only"), CARRIED).http3_known == ()


@pytest.mark.parametrize(
    ("backend", "carried"),
    [
        (replace(BACKEND, tls=None), CARRIED),
        (replace(BACKEND, tls=replace(TLS, certificate="kubernetes://own")), CARRIED),
        (replace(BACKEND, proxy_protocol="V2"), CARRIED),
        (BACKEND, replace(CARRIED, bytes_too=True)),
        (replace(BACKEND, discovery=Discovery.CONNECTION), CARRIED),
        (replace(BACKEND, groups=(EndpointGroup(endpoints=(Endpoint(address="/a", port=0),)),)), CARRIED),
    ],
)
def test_where_it_cannot_be_spoken_tcp_is_and_it_is_told(ctx, backend, carried):
    assert with_http3(ctx.ctx, backend, RULE, carried) is backend
    assert ctx.codes == ["BE-007"]


def test_who_does_not_ask_is_not_told_of_it(ctx):
    assert with_http3(ctx.ctx, BACKEND, None, CARRIED) is BACKEND
    assert with_http3(ctx.ctx, BACKEND, replace(RULE, http3=""), CARRIED) is BACKEND
    assert with_http3(ctx.ctx, BACKEND, RULE, replace(CARRIED, port_protocol="TCP")) is BACKEND
    assert ctx.codes == []
