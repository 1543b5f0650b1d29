"""Edits of the golden cases at random: Envoy counts that it lets go of connections exactly where a plan says so."""

import asyncio
import copy
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from mizzen.envoy.config import EnvoyConfig
from mizzen.pipeline import GatewayBuild, Memory, build
from mizzen.plan.differences import with_data
from mizzen.plan.planning import Served, plan
from mizzen.plan.surface import Surface
from mizzen.proxy.admin import ask
from mizzen.resources.raw_objects import RawObject
from tests.e2e.test_cases_on_envoy import running
from tests.golden import Case, cases, parsed
from tests.harness.snapshots import held

pytestmark = pytest.mark.e2e

CASES = cases()
TRIES = 12  # at an edit whose gateway has something to lose
Objects = tuple[RawObject, ...]
COUNTERS = r"^listener_manager\.(listener_modified|listener_removed|listener_in_place_updated|total_filter_chains_draining)$"


def ways(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """To every field and item."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from ways(one, (*path, key))
    if path:
        yield path


def edited(raw: RawObject, chance: random.Random) -> RawObject:
    """One field is gone, or says something else."""
    data = copy.deepcopy(dict(raw.data))
    *way, last = chance.choice([path for path in ways(data) if path[0] in ("spec", "data")] or [("kind",)])
    place: Any = data
    for step in way:
        place = place[step]
    value = place[last]
    if isinstance(value, bool):
        place[last] = not value
    elif isinstance(value, int):
        place[last] = value + 1
    elif isinstance(value, str) and chance.random() < 0.7:
        place[last] = chance.choice((f"{value}x", "b.example.com", "/z"))
    else:
        del place[last]
    return with_data(raw, data, "edited")


def edit(objects: Objects, chance: random.Random) -> tuple[Objects, Objects]:
    """The objects and others: one of them is gone or edited, or it is the other way round."""
    some = [one for one in objects if isinstance(one.data, Mapping)]
    if not some:
        return objects, objects
    raw = chance.choice(some)
    instead = () if chance.random() < 0.3 else (edited(raw, chance),)
    other = (*(one for one in objects if one is not raw), *instead)
    return (objects, other) if chance.random() < 0.6 else (other, objects)


Told = tuple[GatewayBuild, EnvoyConfig]


def gateways(case: Case, old: Objects, new: Objects) -> Iterator[tuple[Told, Told]]:
    """What each gateway is told before and after. Chains that refuse have no connections: where there are any it is not seen
    whether others are let go."""
    memory = Memory()
    was, will = (
        {one.proxy.key: one for one in build(objects, (), case.settings, memory).gateways}
        for objects in (old, new)
    )
    for key in sorted(was.keys() & will.keys()):
        before = was[key].config(was[key].announced_when_proven())
        after = will[key].config(will[key].announced_when_proven(), before)
        surfaces = (Surface(was[key], before), Surface(will[key], after))
        chains = [
            chain for one in surfaces for listener in one.listeners.values() for chain in listener.chains
        ]
        if (
            was[key].model.listeners
            and before.bodies != after.bodies
            and not any(one.refuses for one in chains)
        ):
            yield (was[key], before), (will[key], after)


async def lets_go(before: EnvoyConfig, after: EnvoyConfig) -> bool | None:
    """Does Envoy let go of connections? None where it does not take one of the two."""
    async with running() as envoy:

        async def counted() -> dict[str, int]:
            _, body = await ask(envoy.told.spec.admin_socket, f"/stats?filter={COUNTERS}")
            lines = (line.rpartition(": ") for line in body.decode().splitlines())
            return {name.rpartition(".")[2]: int(value) for name, _, value in lines}

        async def takes(config: EnvoyConfig) -> bool | None:
            """None: it does not ask for all of it."""
            try:
                return await asyncio.wait_for(envoy.offer(held(config)), 1.0) == ""
            except TimeoutError:
                return None

        if not await takes(before):
            return None
        was = await counted()
        if await takes(after) is False:
            return None
        await asyncio.sleep(0.03)
        now = await counted()
    replaced = now["listener_modified"] - now["listener_in_place_updated"] > (
        was["listener_modified"] - was["listener_in_place_updated"]
    )
    removed = now["listener_removed"] > was["listener_removed"]
    return replaced or removed or now["total_filter_chains_draining"] > 0


@pytest.mark.parametrize("seed", range(24))
def test_envoy_lets_go_of_connections_where_it_is_said(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(TRIES):
        case = chance.choice(CASES)
        objects, found = parsed(case.texts())
        old, new = edit(objects, chance)
        for (was, before), (_, after) in gateways(case, old, new):
            changes = plan(Served(objects=old, problems=found), new, found, case.settings).changes
            mine = [one for one in changes if one.gateway == was.proxy.called and one.effect.closes]
            of_chains = [one for one in mine if any(facet[0] in ("chain", "own") for facet in one.facets)]
            counted = asyncio.run(lets_go(before, after))
            if counted is not None:
                where = f"{case.name}: {[(one.effect.value, one.listener, one.host) for one in mine]}"
                assert counted if of_chains else mine or not counted, where
                return
    pytest.skip("no edit did anything")
