"""Changing the root while the mesh runs: for a time both are trusted, so that no handshake ever fails.

    settled -> made -> distributed -> active -> settled
    made         the new root is in the trust bundle, which is being handed out; the old one still signs
    distributed  everybody has had the time to get that bundle (or somebody has seen to it)
    active       the new root signs; leaves of the old one are out there, and it stays trusted
    settled      the last of those leaves has ended: the old root is removed

Pure: each step is a function of the roots and the time. Istio instead makes the new root with the old key,
which needs no overlap, and never gets rid of a key that was stolen.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum

from mizzen.authority.issue import Policy
from mizzen.authority.root import SKEW, Certificates, Signer, certificates_pem
from mizzen.lazy import dataclass


class Stage(Enum):
    """Where a rotation stands."""

    SETTLED = "settled"
    MADE = "made"
    DISTRIBUTED = "distributed"
    ACTIVE = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """When a rotation begins, and how long its steps take."""

    share: float = 0.2  # it begins when less than this share of the root's life is left (Istio)
    spread: timedelta = (
        Policy().longest + SKEW
    )  # until every workload has renewed, and got the bundle with it
    keep: timedelta = Policy().longest + SKEW  # until the last leaf of the old root has ended

    @classmethod
    def of(cls, policy: Policy) -> "Overlap":
        """The overlap that is enough when no leaf lives longer than the policy allows."""
        return cls(spread=policy.longest + policy.backdate, keep=policy.longest + policy.backdate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Successor:
    """The root that will sign next."""

    signer: Signer
    made: datetime
    distributed: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """Roots that no longer sign, and are trusted until a time."""

    roots: Certificates
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Roots:
    """What the authority signs with, and all that its mesh trusts."""

    active: Signer
    successor: Successor | None = None
    retired: tuple[Retired, ...] = ()

    @property
    def bundle(self) -> Certificates:
        """What everybody has to trust now; the root that signs first."""
        following = self.successor.signer.roots if self.successor else ()
        before = tuple(root for each in self.retired for root in each.roots)
        return tuple(dict.fromkeys((self.active.anchor, *self.active.roots, *following, *before)))

    @property
    def bundle_pem(self) -> str:
        """The bundle as it is handed out (root-cert.pem, the last element of a response, ROOTCA)."""
        return certificates_pem(self.bundle)

    @property
    def stage(self) -> Stage:
        if self.successor:
            return Stage.DISTRIBUTED if self.successor.distributed else Stage.MADE
        return Stage.ACTIVE if self.retired else Stage.SETTLED


def is_due(roots: Roots, now: datetime, overlap: Overlap) -> bool:
    """Whether it is time to make a successor."""
    if roots.successor:
        return False
    ends = roots.active.ends
    life = ends - roots.active.certificate.not_valid_before_utc
    return ends - now < overlap.share * life


def begin(roots: Roots, signer: Signer, now: datetime) -> Roots:
    """`signer` shall sign next: settled (or active) -> made. A successor that waits already is replaced."""
    return replace(roots, successor=Successor(signer=signer, made=now))


def distributed(roots: Roots, now: datetime) -> Roots:
    """Somebody knows that everybody has the bundle: made -> distributed, without waiting."""
    if not roots.successor or roots.successor.distributed:
        return roots
    return replace(roots, successor=replace(roots.successor, distributed=now))


def advance(roots: Roots, now: datetime, overlap: Overlap) -> Roots:
    """At most one step further; the same object when it is not time for any."""
    kept = tuple(each for each in roots.retired if now < each.until)
    if kept != roots.retired:
        return replace(roots, retired=kept)
    successor = roots.successor
    if not successor:
        return roots
    # A root that has ended vouches for nobody: waiting would help no one.
    if successor.distributed or roots.active.ends <= now:
        return _activate(roots, successor.signer, now, overlap)
    if now >= successor.made + overlap.spread:
        return distributed(roots, now)
    return roots


def replaced(roots: Roots, signer: Signer, now: datetime, overlap: Overlap) -> Roots:
    """The operator plugged in another CA: it signs at once when its root is trusted already (Istio reloads
    only then), and else after an overlap."""
    if signer == roots.active:
        return roots
    if signer.anchor in roots.bundle:
        return _activate(roots, signer, now, overlap)
    return begin(roots, signer, now)


def _activate(roots: Roots, signer: Signer, now: datetime, overlap: Overlap) -> Roots:
    old = tuple(root for root in roots.active.roots if root not in signer.roots)
    retired = (Retired(roots=old, until=now + overlap.keep),) if old else ()
    return Roots(active=signer, retired=(*roots.retired, *retired))
