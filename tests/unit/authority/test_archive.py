"""Roots as text and back."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from mizzen.authority.archive import decode, encode
from mizzen.authority.root import AuthorityError, Signer, key_pem
from mizzen.authority.rotation import Overlap, Roots, advance, begin, distributed


def test_every_stage_of_a_rotation_is_kept(
    root: Signer, make_root: Callable[..., Signer], now: datetime
) -> None:
    roots = Roots(active=root)
    made = begin(roots, make_root(serial=2**70 + 2), now)
    spread = distributed(made, now + timedelta(hours=1))
    active = advance(spread, now, Overlap())

    for each in (roots, made, spread, active):
        assert decode(encode(each)) == each
    assert key_pem(decode(encode(roots)).active.key) == key_pem(root.key)


@pytest.mark.parametrize("change", [b"", b"[]", b"{}", b'{"version": 1, "active": {}}'])
def test_what_is_damaged_is_refused(change: bytes) -> None:
    with pytest.raises(AuthorityError, match="damaged"):
        decode(change)


def test_what_a_later_version_wrote_is_refused(root: Signer) -> None:
    later = encode(Roots(active=root)).replace(b'"version": 1', b'"version": 2')

    with pytest.raises(AuthorityError, match="version 2"):
        decode(later)
