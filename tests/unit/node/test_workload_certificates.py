"""Certificates of a machine's proxies, on a clock of the test's own."""

import secrets
from datetime import UTC, datetime, timedelta

from cryptography import x509

from mizzen.authority.identity import Identity
from mizzen.authority.issue import issue
from mizzen.authority.request import key_digest, requested_key
from mizzen.authority.root import Signer, certificates_pem
from mizzen.authority.store import new_root
from mizzen.node.workload_certificates import Granted, Workloads

START = datetime(2026, 1, 1, tzinfo=UTC)
WEB = Identity(namespace="shop", service_account="web")


class World:
    """An authority, a clock, and what was asked of them."""

    def __init__(self) -> None:
        self.now, self.is_away = START, False
        self.signer: Signer = new_root("cluster.local", START)
        self.keys: list[str] = []
        self.changes: list[Identity] = []
        self.workloads = Workloads(self.sign, self.changes.append, clock=lambda: self.now, chance=lambda: 0.5)

    async def sign(self, identity: Identity, request: str) -> Granted:
        key = requested_key(request.encode())
        self.keys.append(key_digest(key))
        if self.is_away:
            raise OSError("nobody answers")
        issued = issue(
            self.signer,
            key,
            identity=identity,
            now=self.now,
            lifetime=timedelta(hours=24),
            serial=secrets.randbits(127),
        )
        return Granted(
            chain=certificates_pem(issued.chain).encode(), roots=certificates_pem(self.signer.roots).encode()
        )

    def leaf(self) -> x509.Certificate:
        found = self.workloads.credentials(WEB)
        assert found is not None
        return x509.load_pem_x509_certificate(found[0].chain)

    def is_valid(self) -> bool:
        return self.leaf().not_valid_before_utc <= self.now < self.leaf().not_valid_after_utc


async def begun() -> World:
    """A world in which a certificate has been got."""
    world = World()
    world.workloads.want([WEB])
    await world.workloads.renew_due()
    return world


async def after(world: World, waited: timedelta) -> None:
    """That much later, with whatever is due done."""
    world.now += waited
    await world.workloads.renew_due()


async def test_a_certificate_is_got_at_once_and_replaced_with_a_new_key_at_half_its_life() -> None:
    world = await begun()
    first = world.leaf().serial_number
    await after(world, timedelta(hours=11))
    assert world.leaf().serial_number == first
    await after(world, timedelta(hours=1, minutes=1))
    assert world.leaf().serial_number != first
    assert len(set(world.keys)) == 2
    assert world.changes == [WEB, WEB]


async def test_an_authority_that_is_away_for_an_hour_hurts_nobody() -> None:
    world = await begun()
    await after(world, timedelta(hours=11, minutes=50))
    world.is_away = True
    first = world.leaf().serial_number
    for _ in range(60):
        await after(world, timedelta(minutes=1))
        assert world.is_valid()
    assert world.leaf().serial_number == first
    assert "nobody answers" in world.workloads.trouble
    world.is_away = False
    await after(world, timedelta(minutes=6))
    assert world.leaf().serial_number != first


async def test_a_request_that_was_not_answered_is_made_again_with_the_same_key() -> None:
    """A join token is good for one key: the answer may have been lost on its way."""
    world = await begun()
    world.is_away = True
    await after(world, timedelta(hours=13))
    await after(world, timedelta(minutes=10))
    assert len(world.keys) >= 3
    assert len(set(world.keys)) == 2


async def test_clocks_may_differ_by_five_minutes() -> None:
    world = await begun()
    for skew in (timedelta(minutes=-5), timedelta(minutes=5)):
        seen = world.now + skew
        assert world.leaf().not_valid_before_utc <= seen < world.leaf().not_valid_after_utc


async def test_new_roots_are_fetched_without_waiting_for_half_life() -> None:
    world = await begun()
    first = world.leaf().serial_number
    world.workloads.renew_all()
    await after(world, timedelta(seconds=1))
    assert world.leaf().serial_number != first


async def test_who_is_not_wanted_any_more_has_no_certificate() -> None:
    world = await begun()
    world.workloads.want([])
    assert world.workloads.credentials(WEB) is None
