"""Where logs and spans go."""

from mizzen.model.backend import Backend, Discovery, Protocol, Service
from mizzen.resolve.listeners.collectors import Collector, at_address, backends_of, wanted_by

ONE = Collector(name="tracing/otel", host="otel.default.svc.cluster.local", port=4317)


def test_a_service_of_the_mesh_collects_in_the_protocol_that_is_spoken(gateway):
    ctx = gateway("").ctx
    [name] = wanted_by([ONE])
    service = Backend(
        name=name,
        discovery=Discovery.ENDPOINTS,
        service=Service(host=ONE.host, name="otel", namespace="default"),
        protocol=Protocol.HTTP1,
        origin=ctx.proxy.origin,
    )
    [made] = backends_of(ctx, [ONE], {name: service})
    assert (made.name, made.discovery, made.protocol) == ("tracing/otel", Discovery.ENDPOINTS, Protocol.HTTP2)


def test_what_nobody_knows_is_looked_up_by_dns(gateway):
    [made] = backends_of(gateway("").ctx, [ONE], {})
    assert (made.discovery, made.groups[0].endpoints[0].address) == (Discovery.DNS, ONE.host)


def test_nowhere_is_a_backend_without_endpoints(gateway):
    [made] = backends_of(gateway("").ctx, [Collector(name="zipkin", host="", port=1)], {})
    assert (made.discovery, made.groups) == (Discovery.NONE, ())


def test_an_address_may_leave_out_its_port():
    def read(text):
        found = at_address(text, "zipkin", 9411, Protocol.UNKNOWN)
        return found.host, found.port

    assert read("zipkin.test:9412") == ("zipkin.test", 9412)
    assert read("zipkin.test") == ("zipkin.test", 9411)
    assert read("zipkin.test:http") == ("zipkin.test", 9411)
