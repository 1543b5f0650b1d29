"""A message that is joined from kept parts is the one that protobuf would make of the whole."""

import pytest

from mizzen._api import pb
from mizzen.envoy.joined import entry, frame
from mizzen.envoy.types import MESSAGES
from tests.golden import Case, cases


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16_383, 16_384, 3_000_000])
def test_entries_stand_where_protobuf_puts_them(length: int) -> None:
    hosts = [pb.VirtualHost(name="a" * length, domains=["a.test"]), pb.VirtualHost(name="b")]
    whole = pb.RouteConfiguration(name="table", validate_clusters=pb.BoolValue(value=False))
    around = frame(whole, "virtual_hosts")
    whole.virtual_hosts.extend(hosts)

    joined = around.around(entry(host, pb.RouteConfiguration, "virtual_hosts") for host in hosts)

    assert joined == whole.SerializeToString(deterministic=True)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_what_the_cases_become_is_serialised_deterministically(case: Case) -> None:
    for gateway in case.build().gateways:
        for url, named in gateway.config(gateway.announced_when_proven()).bodies.items():
            for name, body in named.items():
                again = MESSAGES[url].FromString(body).SerializeToString(deterministic=True)
                assert again == body, f"{url} {name}"
