"""The rules of Envoy's API, checked before anything is sent. That Envoy agrees: tests/e2e/test_fuzz_envoy.py."""

import re
from collections.abc import Callable

import pytest
from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.envoy.config import type_url
from mizzen.envoy.parts import packed
from mizzen.envoy.violations import RefusedByEnvoy, is_sound, sound, violations
from tests.golden import Case, cases


def listener(manager: pb.HttpConnectionManager) -> pb.Listener:
    out = pb.Listener(name="l")
    out.address.socket_address.address, out.address.socket_address.port_value = "127.0.0.1", 80
    out.filter_chains.add().filters.add(name="hcm").typed_config.CopyFrom(packed(manager))
    return out


def table(change: Callable[[pb.Route], object]) -> pb.RouteConfiguration:
    out = pb.RouteConfiguration(name="t")
    route = out.virtual_hosts.add(name="v", domains=["*"]).routes.add(match=pb.RouteMatch(prefix="/"))
    route.direct_response.status = 200
    change(route)
    return out


ROUTE = "virtual_hosts[0].routes[0]"
BROKEN: dict[str, Message] = {
    f"{ROUTE}.direct_response.status: it must be less than 600": table(
        lambda route: setattr(route.direct_response, "status", 600)
    ),
    f"{ROUTE}.redirect.path_redirect: it has a character that no header can have": table(
        lambda route: setattr(route.redirect, "path_redirect", "a\nb")
    ),
    f"{ROUTE}.request_headers_to_add[0].header.value: it is longer than 16384 bytes": table(
        lambda route: route.request_headers_to_add.add(header=pb.HeaderValue(key="a", value="x" * 16385))
    ),
    f"{ROUTE}.route.hash_policy[0].header.header_name: it is shorter than 1": table(
        lambda route: route.route.hash_policy.add().header.SetInParent()
    ),
    f"{ROUTE}.route.timeout: a duration must be less than 9223372036s": table(
        lambda route: setattr(route.route.timeout, "seconds", 9_223_372_036)
    ),
    f"{ROUTE}.action: one of its fields must be set": table(lambda route: route.ClearField("action")),
    f"{ROUTE}.match.path_specifier: one of its fields must be set": table(lambda route: route.match.Clear()),
    "filter_chains[0].filters[0].typed_config.stat_prefix: it is shorter than 1": listener(
        pb.HttpConnectionManager(route_config=pb.RouteConfiguration(name="r"))
    ),
    "connect_timeout: a duration cannot be less than 0": pb.Cluster(
        name="c", connect_timeout=pb.Duration(seconds=-1)
    ),
    "ring_hash_lb_config.minimum_ring_size: it must be at most 8388608": pb.Cluster(
        name="c",
        ring_hash_lb_config=pb.Cluster.RingHashLbConfig(minimum_ring_size=pb.UInt64Value(value=2**40)),
    ),
    "dns_refresh_rate: it must be more than 0.001s": pb.Cluster(
        name="c", dns_refresh_rate=pb.Duration(nanos=1_000_000)
    ),
    "name: it is shorter than 1": pb.Cluster(),
    "lb_policy: there is no such value": pb.Cluster(name="c", lb_policy=4),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("said", "message"), BROKEN.items(), ids=range(len(BROKEN)))
def test_a_broken_rule_is_told_with_the_path_of_its_field(said: str, message: Message) -> None:
    assert said in [f"{path}: {wrong}" for path, wrong in violations(message)]


def test_what_was_found_is_found_again() -> None:
    bad = table(lambda route: route.match.Clear())

    assert violations(bad) == violations(bad) != ()


@pytest.mark.parametrize("message", BROKEN.values(), ids=range(len(BROKEN)))
def test_what_breaks_a_rule_is_never_sound(message: Message) -> None:
    path, wrong = violations(message)[0]

    for _ in range(2):  # at first looked at, then remembered
        assert not is_sound(message)
        with pytest.raises(RefusedByEnvoy, match=re.escape(f"{path}: {wrong}")):
            sound(message)
    top = frozenset({re.split(r"[.\[]", path)[0]})
    if all(one.split(".")[0].split("[")[0] in top for one, _ in violations(message)):
        assert sound(message, but=top) is message


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_what_the_cases_become_breaks_no_rule(case: Case) -> None:
    for gateway in case.build().gateways:
        for message in gateway.config(gateway.announced_when_proven()).messages():
            assert violations(message) == (), type_url(type(message))
            assert is_sound(message)
