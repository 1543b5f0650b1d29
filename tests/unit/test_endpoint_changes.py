"""Where nothing but endpoints changes, the short way leads where the long way leads."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mizzen.pipeline import Memory, Settings, build, to_snapshot
from mizzen.resources.raw_objects import RawObject
from mizzen.sources.cluster import kept

Json = dict[str, Any]


def raw(version: str, kind: str, name: str, **rest: Any) -> RawObject:
    meta = {"name": name, "namespace": "shop", **rest.pop("metadata", {})}
    return kept(kind, version, {"apiVersion": version, "kind": kind, "metadata": meta, **rest})


def service(name: str) -> RawObject:
    return raw("v1", "Service", name, spec={"ports": [{"name": "http", "port": 80}], "clusterIP": "None"})


def route(name: str) -> RawObject:
    to = {"destination": {"host": f"{name}.shop.svc.cluster.local", "subset": "v1"}}
    spec = {"hosts": [f"{name}.test"], "gateways": ["istio-system/web"], "http": [{"route": [to]}]}
    return raw("networking.istio.io/v1", "VirtualService", name, spec=spec)


def rule(name: str) -> RawObject:
    spec = {
        "host": f"{name}.shop.svc.cluster.local",
        "subsets": [{"name": "v1", "labels": {"version": "v1"}}],
    }
    return raw("networking.istio.io/v1", "DestinationRule", name, spec=spec)


GATEWAY = raw(
    "networking.istio.io/v1",
    "Gateway",
    "web",
    metadata={"namespace": "istio-system"},
    spec={
        "selector": {"istio": "ingressgateway"},
        "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}],
    },
)
POD = raw("v1", "Pod", "p", metadata={"labels": {"version": "v1"}}, status={"podIP": "10.0.0.9"}, spec={})
ENTRY = raw(
    "networking.istio.io/v1",
    "WorkloadEntry",
    "vm",
    metadata={"labels": {"version": "v1"}},
    spec={"address": "10.9.9.9", "labels": {"version": "v1"}},
)
STILL = (GATEWAY, POD, ENTRY, *(make(name) for name in "abc" for make in (service, route, rule)))

endpoints = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from([True, False, None]), st.sampled_from(["", "p", "lost"])),
    max_size=3,
)


@st.composite
def slices(draw: st.DrawFn) -> tuple[RawObject, ...]:
    """Some slices, under names that may collide, of services that may not be there."""
    found = []
    for name in draw(st.lists(st.sampled_from("uvwx"), max_size=4)):
        of = draw(st.sampled_from("abcz"))
        listed = [
            {
                "addresses": [f"10.0.0.{number}"],
                "conditions": {"ready": ready} if ready is not None else {},
                **({"targetRef": {"kind": "Pod", "name": pod, "namespace": "shop"}} if pod else {}),
            }
            for number, ready, pod in draw(endpoints)
        ]
        labels = {"kubernetes.io/service-name": of} if draw(st.booleans()) or of != "z" else {}
        found.append(
            raw(
                "discovery.k8s.io/v1",
                "EndpointSlice",
                name,
                metadata={"labels": labels},
                addressType=draw(st.sampled_from(["IPv4", "nonsense"])),
                ports=[{"name": "http", "port": 8080}],
                endpoints=listed,
            )
        )
    return tuple(found)


@given(st.lists(slices(), min_size=2, max_size=5))
@settings(deadline=None)
def test_changed_endpoints_lead_where_a_build_from_nothing_leads(steps: list[tuple[RawObject, ...]]) -> None:
    memory, before = Memory(), None
    for some in steps:
        objects = (*STILL, *some)
        short, long = build(objects, (), Settings(), memory), build(objects, (), Settings())

        assert short.problems == long.problems
        assert [one.model for one in short.gateways] == [one.model for one in long.gateways]
        known = before.gateways[0].config({}) if before else None
        assert to_snapshot(short.gateways[0].config({}, known), None) == to_snapshot(
            long.gateways[0].config({}), None
        )
        before = short


def test_changed_endpoints_make_the_backends_of_their_service_anew_and_no_others() -> None:
    def with_address(number: int) -> tuple[RawObject, ...]:
        endpoint: Json = {"addresses": [f"10.0.0.{number}"], "conditions": {"ready": True}}
        one = raw(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            "u",
            metadata={"labels": {"kubernetes.io/service-name": "a"}},
            addressType="IPv4",
            ports=[{"name": "http", "port": 8080}],
            endpoints=[endpoint],
        )
        return (*STILL, one)

    memory = Memory()
    first = build(with_address(1), (), Settings(), memory).gateways[0].model
    second = build(with_address(2), (), Settings(), memory).gateways[0].model
    assert second.backends != first.backends
    assert second.route_tables is first.route_tables
    other = {one.name: one for one in first.backends.values()}
    assert [one.name for one in second.backends.values() if one is not other[one.name]] == [
        "outbound|80|v1|a.shop.svc.cluster.local",
        "outbound|80||a.shop.svc.cluster.local",
    ]
