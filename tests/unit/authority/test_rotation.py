"""Changing roots: at every moment, every leaf in use verifies against every bundle in use."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from mizzen.authority.issue import Issued, Policy
from mizzen.authority.root import Signer
from mizzen.authority.rotation import Overlap, Roots, Stage, advance, begin, distributed, is_due, replaced

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
OVERLAP = Overlap(spread=DAY, keep=DAY)


@pytest.fixture
def second(make_root: Callable[..., Signer]) -> Signer:
    return make_root(serial=2**70 + 2)


def test_a_root_is_followed_when_a_fifth_of_its_life_is_left(root: Signer, now: datetime) -> None:
    roots = Roots(active=root)

    assert not is_due(roots, now + 2900 * DAY, OVERLAP)
    assert is_due(roots, now + 2925 * DAY, OVERLAP)


def test_a_rotation_goes_through_all_its_stages(root: Signer, second: Signer, now: datetime) -> None:
    made = begin(Roots(active=root), second, now)
    assert made.stage is Stage.MADE and made.active == root and made.bundle == (*root.roots, *second.roots)
    assert not is_due(made, now + 3000 * DAY, OVERLAP)
    assert advance(made, now + DAY - HOUR, OVERLAP) is made

    spread = advance(made, now + DAY, OVERLAP)
    assert spread.stage is Stage.DISTRIBUTED and spread.active == root

    active = advance(spread, now + DAY, OVERLAP)
    assert active.stage is Stage.ACTIVE and active.active == second
    assert active.bundle == (*second.roots, *root.roots)
    assert advance(active, now + 2 * DAY - HOUR, OVERLAP) is active

    settled = advance(active, now + 2 * DAY, OVERLAP)
    assert settled.stage is Stage.SETTLED and settled.bundle == second.roots


def test_old_and_new_leaves_verify_against_every_bundle_of_the_overlap(
    root: Signer, second: Signer, leaf: Callable[..., Issued], accepts: Any, now: datetime
) -> None:
    made = begin(Roots(active=root), second, now)
    old = leaf(made.active, now=now + DAY)
    active = advance(advance(made, now + DAY, OVERLAP), now + DAY, OVERLAP)
    new = leaf(active.active, now=now + DAY)

    for bundle in (made.bundle, active.bundle):
        assert accepts(old, bundle, now + DAY + HOUR)
        assert accepts(new, bundle, now + DAY + HOUR)


def test_when_the_old_root_goes_no_leaf_of_it_is_left(
    root: Signer, second: Signer, leaf: Callable[..., Issued], accepts: Any, now: datetime
) -> None:
    policy = Policy(longest=DAY)
    overlap = Overlap.of(policy)
    roots = begin(Roots(active=root), second, now)
    issued: list[Issued] = []
    bundles = [roots.bundle]  # what the slowest workload has: the bundle of its last renewal
    at = now
    while roots.stage is not Stage.SETTLED:
        issued = [each for each in issued if each.certificate.not_valid_after_utc > at]
        issued.append(leaf(roots.active, now=at, lifetime=policy.longest))
        bundles = [*bundles[-3:], roots.bundle]
        assert all(accepts(each, bundle, at) for each in issued for bundle in bundles)
        at += 6 * HOUR
        roots = advance(roots, at, overlap)

    assert all(
        accepts(each, roots.bundle, at) for each in issued if each.certificate.not_valid_after_utc > at
    )
    assert roots.bundle == second.roots


def test_who_knows_that_all_have_the_bundle_need_not_wait(
    root: Signer, second: Signer, now: datetime
) -> None:
    roots = distributed(begin(Roots(active=root), second, now), now)

    assert advance(roots, now, OVERLAP).active == second
    assert distributed(roots, now) is roots
    assert distributed(Roots(active=root), now) == Roots(active=root)


def test_nobody_waits_for_a_root_that_has_ended(
    make_root: Callable[..., Signer], second: Signer, now: datetime
) -> None:
    roots = begin(Roots(active=make_root(lifetime=HOUR)), second, now)

    assert advance(roots, now + HOUR, OVERLAP).active == second


def test_another_ca_below_a_trusted_root_signs_at_once(root: Signer, second: Signer, now: datetime) -> None:
    both = Signer(certificate=root.certificate, key=root.key, roots=(*root.roots, *second.roots))
    following = Signer(certificate=second.certificate, key=second.key, roots=second.roots)

    roots = replaced(Roots(active=both), following, now, OVERLAP)

    assert roots.active == following
    assert roots.bundle == (*second.roots, *root.roots)
    assert replaced(roots, following, now, OVERLAP) is roots


def test_a_ca_below_a_root_that_nobody_trusts_yet_waits(root: Signer, second: Signer, now: datetime) -> None:
    roots = replaced(Roots(active=root), second, now, OVERLAP)

    assert roots.stage is Stage.MADE and roots.active == root
