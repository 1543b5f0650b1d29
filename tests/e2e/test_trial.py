"""What a trial says of a configuration is what a running Envoy does with it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.blame.pieces import parsed
from mizzen.envoy.config import CLUSTERS, ENDPOINTS, EXTENSION_CONFIGS, LISTENERS, ROUTES, SECRETS
from mizzen.pipeline import Settings, build
from mizzen.proxy.binary import envoy_binary
from mizzen.proxy.trial import Name, Outcome, Trial, Verdict
from tests.unit.test_guard import OBJECTS

pytestmark = pytest.mark.e2e

GATEWAY = build(OBJECTS, (), Settings()).gateways[0]
HCM = pb.HttpConnectionManager
TEMPLATE = "envoy.path.match.uri_template.uri_template_matcher"


def resources() -> dict[Name, Message]:
    """All that a gateway is told, as it may be altered."""
    bodies = GATEWAY.config(GATEWAY.announced_when_proven()).bodies
    return {(url, name): parsed(url, body) for url, named in bodies.items() for name, body in named.items()}


async def tried(folder: Path, some: dict[Name, Message], *clusters: str) -> Verdict:
    return await Trial(envoy=envoy_binary(), folder=folder).run(some, clusters)


def first(some: dict[Name, Message], url: str) -> Message:
    return some[min(key for key in some if key[0] == url)]


def in_policies(some: dict[Name, Message], alter: Callable[[pb.RBACRules], None]) -> None:
    """Alter the rules of the first policy filter."""
    listener = first(some, LISTENERS)
    assert isinstance(listener, pb.Listener)
    for one in listener.filter_chains[0].filters:
        manager = HCM()
        if not one.typed_config.Unpack(manager):
            continue
        for http_filter in manager.http_filters:
            policies = pb.RBAC()
            if http_filter.typed_config.Unpack(policies):
                alter(policies.rules)
                http_filter.typed_config.Pack(policies)
        one.typed_config.Pack(manager)


def template(path: str) -> Callable[[pb.RBACRules], None]:
    def alter(rules: pb.RBACRules) -> None:
        for policy in rules.policies.values():
            match = policy.permissions.add().uri_template
            match.name = TEMPLATE
            match.typed_config.Pack(pb.UriTemplateMatchConfig(path_template=path))

    return alter


def refused_route(some: dict[Name, Message]) -> None:
    table = first(some, ROUTES)
    assert isinstance(table, pb.RouteConfiguration)
    config = table.virtual_hosts[0].routes[0].typed_per_filter_config
    config["envoy.filters.http.fault"].Pack(pb.Cluster(name="x"))


def refused_cluster(some: dict[Name, Message]) -> None:
    cluster = first(some, CLUSTERS)
    assert isinstance(cluster, pb.Cluster)
    cluster.lb_policy = pb.Cluster.RING_HASH
    cluster.ring_hash_lb_config.minimum_ring_size.value = 8_000_000
    cluster.ring_hash_lb_config.maximum_ring_size.value = 10


def refused_listener(some: dict[Name, Message]) -> None:
    listener = first(some, LISTENERS)
    assert isinstance(listener, pb.Listener)
    listener.filter_chains.add().CopyFrom(listener.filter_chains[0])


def refused_endpoints(some: dict[Name, Message]) -> None:
    told = first(some, ENDPOINTS)
    assert isinstance(told, pb.ClusterLoadAssignment)
    address = told.endpoints.add().lb_endpoints.add().endpoint.address.socket_address
    address.address, address.port_value = "no address", 1


def refused_extension(some: dict[Name, Message]) -> None:
    told = first(some, EXTENSION_CONFIGS)
    assert isinstance(told, pb.TypedExtensionConfig)
    told.typed_config.Pack(pb.Cluster(name="x"))


async def test_what_is_served_is_taken(tmp_path: Path) -> None:
    assert await tried(tmp_path, resources()) == Verdict(outcome=Outcome.TAKEN)
    assert not list(tmp_path.iterdir())  # and nothing is left of it


@pytest.mark.parametrize(
    ("alter", "why"),
    [
        (refused_route, "Didn't find a registered implementation"),
        (refused_cluster, "minimum_ring_size (8000000) > maximum_ring_size (10)"),
        (refused_listener, "has the same matching rules"),
        (refused_endpoints, "malformed IP address: no address"),
        (refused_extension, "Didn't find a registered implementation"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_what_an_envoy_refuses_is_refused(
    tmp_path: Path, alter: Callable[[dict[Name, Message]], None], why: str
) -> None:
    some = resources()
    alter(some)

    verdict = await tried(tmp_path, some)

    assert verdict.outcome is Outcome.REFUSED
    assert why in verdict.why
    assert str(tmp_path) not in verdict.why


async def test_what_an_envoy_dies_of_is_deadly(tmp_path: Path) -> None:
    some = resources()
    in_policies(some, template("/files/{**}"))

    verdict = await tried(tmp_path, some)

    assert verdict.outcome is Outcome.DEADLY
    assert verdict.why == "SIGABRT: std::terminate called! Uncaught unknown exception, see trace."
    well = resources()
    in_policies(well, template("/files/*"))
    assert (await tried(tmp_path, well)).is_taken


async def test_a_part_is_tried_beside_clusters_that_are_not_in_question(tmp_path: Path) -> None:
    some = {key: message for key, message in resources().items() if key[0] == LISTENERS}
    clusters = [name for url, name in resources() if url == CLUSTERS]

    assert (await tried(tmp_path, some, *clusters)).is_taken


async def test_no_private_key_is_written_down(tmp_path: Path) -> None:
    """The file of a trial is seen by an Envoy that is a shell script."""
    copy, script = tmp_path / "copy", tmp_path / "envoy"
    script.write_text(f'#!/bin/sh\ncat "$4" > {copy}\nstat -c %a "$4" >> {copy}.mode\n')
    script.chmod(0o755)
    some = resources()
    assert any(url == SECRETS for url, _ in some)

    verdict = await Trial(envoy=script, folder=tmp_path).run(some)

    assert verdict.is_taken
    assert b"PRIVATE KEY" not in copy.read_bytes()
    assert b"filter_chain" in copy.read_bytes() or copy.stat().st_size > 1_000
    assert (tmp_path / "copy.mode").read_text() == "600\n"


async def test_a_trial_that_cannot_be_made_says_nothing_of_the_configuration(tmp_path: Path) -> None:
    missing = await Trial(envoy=tmp_path / "none", folder=tmp_path).run({})
    nowhere = await Trial(envoy=envoy_binary(), folder=tmp_path / "none").run({})
    sleeper = tmp_path / "sleeper"
    sleeper.write_text("#!/bin/sh\nexec sleep 60\n")
    sleeper.chmod(0o755)
    late = await Trial(envoy=sleeper, folder=tmp_path, seconds=0.2).run({})

    assert {missing.outcome, nowhere.outcome, late.outcome} == {Outcome.UNKNOWN}
    assert late.why == "Envoy did not come to an end within 0.2 s"
