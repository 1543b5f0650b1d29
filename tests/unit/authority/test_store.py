"""Roots and tokens on disk: private, whole, and the same for everybody."""

import multiprocessing
import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mizzen.authority.identity import Identity
from mizzen.authority.root import Signer, certificates_pem, key_pem
from mizzen.authority.rotation import Overlap, Roots, Stage
from mizzen.authority.store import RootStore, StoreError, TokenStore, load_plugged_in
from mizzen.authority.tokens import Refusal, Token

DAY = timedelta(days=1)
OVERLAP = Overlap(spread=DAY, keep=DAY)
WHO = Identity(namespace="httpbin", service_account="httpbin")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "authority"


def store(folder: Path) -> RootStore:
    return RootStore(folder, trust_domain="cluster.local")


def opened(folder: Path, now: datetime) -> str:
    """In another process: which root there is."""
    return store(folder).open(now).bundle_pem


def test_a_root_is_made_once_and_found_again(folder: Path, now: datetime) -> None:
    first = store(folder).open(now)

    again = store(folder).open(now + DAY)

    assert again == first and key_pem(again.active.key) == key_pem(first.active.key)
    assert (folder / "root-cert.pem").read_text() == first.bundle_pem


def test_keys_and_tokens_are_private(folder: Path, now: datetime) -> None:
    store(folder).open(now)
    TokenStore(folder).issue(WHO, now)

    modes = {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())}

    assert modes == {
        "authority": 0o700,
        "authority.json": 0o600,
        "root-cert.pem": 0o644,
        "tokens.json": 0o600,
        "lock": 0o600,
    }
    assert "PRIVATE" not in (folder / "root-cert.pem").read_text()


def test_processes_that_start_at_once_have_one_root(folder: Path, now: datetime) -> None:
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        bundles = list(pool.map(opened, [folder] * 2, [now] * 2))

    assert len(set(bundles)) == 1


def test_threads_that_start_at_once_have_one_root(folder: Path, now: datetime) -> None:
    with ThreadPoolExecutor(8) as pool:
        bundles = list(pool.map(lambda _: opened(folder, now), range(16)))

    assert len(set(bundles)) == 1


def test_what_cannot_be_read_is_never_replaced(folder: Path, now: datetime) -> None:
    store(folder).open(now)
    (folder / "authority.json").write_bytes(b"{")

    with pytest.raises(StoreError, match="damaged; restore it"):
        store(folder).open(now)
    assert (folder / "authority.json").read_bytes() == b"{"


def test_a_key_that_others_may_read_is_not_used(folder: Path, now: datetime) -> None:
    store(folder).open(now)
    (folder / "authority.json").chmod(0o644)

    with pytest.raises(StoreError, match="chmod 600"):
        store(folder).open(now)


def test_a_directory_that_anybody_may_write_to_is_not_used(folder: Path, now: datetime) -> None:
    folder.mkdir()
    folder.chmod(0o777)

    with pytest.raises(StoreError, match="anybody may write"):
        store(folder).open(now)


def test_a_directory_that_cannot_be_made_is_a_sentence(tmp_path: Path, now: datetime) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="cannot be used: Not a directory"):
        store(tmp_path / "file" / "authority").open(now)


def test_a_root_that_has_ended_is_not_served(folder: Path, now: datetime) -> None:
    store(folder).open(now)

    with pytest.raises(StoreError, match="ended at"):
        store(folder).open(now + 4000 * DAY)


def test_maintenance_carries_a_rotation_through(folder: Path, now: datetime) -> None:
    first = store(folder).open(now)
    roots = store(folder)
    assert roots.maintain(now, OVERLAP) == first

    stages = []
    for day in range(2925, 2931):
        stages.append(roots.maintain(now + day * DAY, OVERLAP).stage)

    assert stages[:5] == [Stage.MADE, Stage.DISTRIBUTED, Stage.ACTIVE, Stage.SETTLED, Stage.SETTLED]
    last = store(folder).open(now + 2931 * DAY)
    assert last.active != first.active
    assert (folder / "root-cert.pem").read_text() == last.bundle_pem


def test_two_control_planes_make_one_successor(folder: Path, now: datetime) -> None:
    store(folder).open(now)
    at = now + 2925 * DAY

    assert store(folder).maintain(at, OVERLAP) == store(folder).maintain(at, OVERLAP)


def test_a_rotation_can_be_asked_for(folder: Path, now: datetime) -> None:
    first = store(folder).open(now)

    roots = store(folder).rotate(now)

    assert roots.stage is Stage.MADE and roots.active == first.active
    assert store(folder).open(now) == roots


def test_a_store_that_is_gone_is_not_made_anew_behind_the_mesh(folder: Path, now: datetime) -> None:
    store(folder).open(now)
    (folder / "authority.json").unlink()

    for change in (lambda: store(folder).maintain(now, OVERLAP), lambda: store(folder).rotate(now)):
        with pytest.raises(StoreError, match="is gone"):
            change()


def test_plugged_in_certificates_are_read_from_their_directory(
    tmp_path: Path, make_root: Callable[..., Signer], now: datetime
) -> None:
    root = make_root()
    (tmp_path / "ca-cert.pem").write_text(certificates_pem(root.roots))
    (tmp_path / "ca-key.pem").write_text(key_pem(root.key))

    with pytest.raises(StoreError, match=r"root-cert\.pem missing"):
        load_plugged_in(tmp_path, now)
    (tmp_path / "root-cert.pem").write_text(certificates_pem(root.roots))
    assert load_plugged_in(tmp_path, now) == Roots(active=root)


def test_of_many_who_redeem_a_token_at_once_one_gets_it(folder: Path, now: datetime) -> None:
    text = TokenStore(folder).issue(WHO, now)

    def redeem(number: int) -> Token | Refusal:
        return TokenStore(folder).redeem(text, f"key {number}", now)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(redeem, range(16)))

    assert sum(isinstance(each, Token) for each in results) == 1
    assert set(results) - {Refusal.USED} == {next(each for each in results if isinstance(each, Token))}


def test_a_used_token_stays_used_after_a_restart(folder: Path, now: datetime) -> None:
    text = TokenStore(folder).issue(WHO, now)
    TokenStore(folder).redeem(text, "mine", now)

    assert TokenStore(folder).redeem(text, "stolen", now) is Refusal.USED
    assert isinstance(TokenStore(folder).find(text, now), Token)


def test_tokens_are_listed_and_revoked(folder: Path, now: datetime) -> None:
    tokens = TokenStore(folder)
    text = tokens.issue(WHO, now)
    tokens.issue(WHO, now)

    tokens.revoke(text.split(".")[1])

    assert len(tokens.all()) == 1
    assert tokens.find(text, now) is Refusal.UNKNOWN


def test_damaged_tokens_are_a_sentence(folder: Path, now: datetime) -> None:
    TokenStore(folder).issue(WHO, now)
    (folder / "tokens.json").write_bytes(b"?")

    with pytest.raises(StoreError, match="join tokens are damaged"):
        TokenStore(folder).all()


def test_a_root_that_was_removed_is_stored_again_and_one_that_is_there_is_never_replaced(
    folder: Path, now: datetime
) -> None:
    first = store(folder).open(now)
    assert not store(folder).restore(first)

    shutil.rmtree(folder)
    assert store(folder).restore(first)
    assert store(folder).open(now) == first

    (folder / "authority.json").write_text("{}")
    assert not store(folder).restore(first)
    assert not RootStore(folder / "away" / "authority", trust_domain="cluster.local").restore(first)
