"""The certificates of proxies on this machine: got before they are needed, renewed at half their life.

Keys are made here, beside the proxy, and never leave but to it. Who signs is handed in: the authority of this
process, or one that is asked over the network.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from mizzen.authority.identity import Identity
from mizzen.authority.renewal import Renewal, failed, received
from mizzen.authority.request import signing_request
from mizzen.authority.root import key_pem
from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.model.tls import MESH_ROOTS, WORKLOAD, Certificate, TrustedCa

_log = logging.getLogger(__name__)

_AT_ONCE = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What an authority answered: the chain, leaf first, and the roots to trust (PEM)."""

    chain: bytes
    roots: bytes

    @property
    def ends(self) -> datetime:
        return x509.load_pem_x509_certificate(self.chain).not_valid_after_utc


Sign = Callable[[Identity, str], Awaitable[Granted]]


@dataclass(slots=True)
class _Held:
    """What is known of one identity."""

    key: bytes = field(default=b"", repr=False)
    granted: Granted | None = None
    # The key of a request that has not been answered: a join token is good for one key.
    asking: ec.EllipticCurvePrivateKey | None = field(default=None, repr=False)
    renewal: Renewal = field(default_factory=lambda: Renewal(ends=_AT_ONCE, at=_AT_ONCE))


class Workloads:
    """Keeps a certificate for each identity that is wanted."""

    def __init__(
        self,
        sign: Sign,
        on_change: Callable[[Identity], None],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`on_change` hears of each identity that has a new certificate or new roots."""
        self._sign, self._on_change = sign, on_change
        self._clock, self._chance = clock, chance
        self._held: dict[Identity, _Held] = {}
        self._wake = asyncio.Event()
        self.trouble = ""  # why the last certificate was not to be had

    def want(self, identities: Iterable[Identity]) -> None:
        """From now on these, and no others."""
        self._held = {one: self._held.get(one) or _Held() for one in frozenset(identities)}
        self._wake.set()

    def renew_all(self) -> None:
        """At once, not at half-life: the roots have changed."""
        for held in self._held.values():
            held.renewal = Renewal(ends=held.renewal.ends, at=_AT_ONCE)
        self._wake.set()

    def credentials(self, identity: Identity) -> tuple[Certificate, TrustedCa] | None:
        """Certificate, key and roots under the names that Envoy asks for; None before there are any."""
        held = self._held.get(identity)
        if held is None or held.granted is None:
            return None
        origin = ResourceRef(
            kind="ServiceAccount", namespace=identity.namespace, name=identity.service_account
        )
        return (
            Certificate(name=WORKLOAD, chain=held.granted.chain, key=held.key, origin=origin),
            TrustedCa(name=MESH_ROOTS, roots=held.granted.roots, origin=origin),
        )

    def adopt(self, identity: Identity, key: bytes, granted: Granted) -> None:
        """What an earlier run of this process got, and kept."""
        renewal = received(now=self._clock(), ends=granted.ends, jitter=self._chance())
        self._held[identity] = _Held(key=key, granted=granted, renewal=renewal)
        self._wake.set()

    async def once(self) -> None:
        """Wait until somebody's certificate is due, and renew all that are."""
        await self._wait()
        await self.renew_due()

    async def renew_due(self) -> None:
        """Ask for every certificate whose time has come."""
        for identity, held in list(self._held.items()):
            if held.renewal.is_due(self._clock()):
                await self._renew(identity, held)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.once()

    async def _wait(self) -> None:
        """Until the next is due, or others are wanted."""
        while True:
            self._wake.clear()
            now = self._clock()
            waits = [held.renewal.wait(now).total_seconds() for held in self._held.values()]
            if waits and min(waits) <= 0:
                return
            try:
                await asyncio.wait_for(self._wake.wait(), min(waits, default=None))
            except TimeoutError:
                continue

    async def _renew(self, identity: Identity, held: _Held) -> None:
        """A new key each time: one that leaked is worth a day at most."""
        key = held.asking = held.asking or ec.generate_private_key(ec.SECP256R1())
        try:
            granted = await self._sign(identity, signing_request(key))
            ends = granted.ends
        except Exception as error:  # noqa: BLE001  # whatever it was, the old certificate holds: try again
            held.renewal = failed(held.renewal, now=self._clock(), jitter=self._chance())
            self.trouble = f"no certificate for {identity}: {error}"
            _log.warning("%s", self.trouble)
            return
        held.key, held.granted, held.asking = key_pem(key).encode(), granted, None
        held.renewal = received(now=self._clock(), ends=ends, jitter=self._chance())
        if self._held.get(identity) is held:
            self._on_change(identity)
