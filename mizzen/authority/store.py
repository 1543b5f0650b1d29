"""Where an authority is kept on disk: the edge of this package, which reads and writes files.

One directory (0700): `authority.json` with the roots and their keys (0600), `root-cert.pem` with what to
trust (0644, for clients on this host), `tokens.json` with the join tokens (0600), and `lock`. Every change
is made under that lock and put in place at once, so that two processes that start together have one root,
and one that is killed leaves the old file or the new one. Network file systems without flock will not do.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from mizzen.authority import archive, tokens
from mizzen.authority.identity import Identity
from mizzen.authority.root import ROOT_LIFETIME, AuthorityError, Signer, check, plugged_in, self_signed
from mizzen.authority.rotation import Overlap, Roots, advance, begin, is_due

ROOTS = "authority.json"
BUNDLE = "root-cert.pem"
TOKENS = "tokens.json"
LOCK = "lock"

_PLUGGED_IN = (
    "ca-cert.pem",
    "ca-key.pem",
    "root-cert.pem",
    "cert-chain.pem",
    "tls.crt",
    "tls.key",
    "ca.crt",
)


class StoreError(RuntimeError):
    """A directory or file that cannot be used. The message is a sentence for users."""


def new_root(trust_domain: str, now: datetime, lifetime: timedelta = ROOT_LIFETIME) -> Signer:
    """A root with a fresh key."""
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    return self_signed(key, trust_domain=trust_domain, serial=serial, now=now, lifetime=lifetime)


def load_plugged_in(directory: Path, now: datetime) -> Roots:
    """The CA that an operator put into a directory (Istio: /etc/cacerts). Raises StoreError."""
    files = {name: _read(directory / name) for name in _PLUGGED_IN if (directory / name).exists()}
    try:
        return Roots(active=plugged_in(files, now))
    except AuthorityError as error:
        raise StoreError(f"{directory}: {error}") from None


class RootStore:
    """The roots of a self-signed authority."""

    def __init__(self, directory: Path, *, trust_domain: str, lifetime: timedelta = ROOT_LIFETIME) -> None:
        self._directory = directory
        self._trust_domain = trust_domain
        self._lifetime = lifetime  # of a new root

    def open(self, now: datetime) -> Roots:
        """The stored roots; made and stored when there are none. Never replaces what cannot be read.
        Raises StoreError."""
        with _locked(self._directory):
            roots = self._load()
            if not roots:
                roots = Roots(active=new_root(self._trust_domain, now, self._lifetime))
                self._save(roots)
        if not roots.successor:  # one that waits takes over at the next `maintain`
            try:
                check(roots.active, now)
            except AuthorityError as error:
                raise StoreError(f"{self._directory / ROOTS}: {error}") from None
        return roots

    def restore(self, roots: Roots) -> bool:
        """Store again what was stored, if it is gone. Never replaces what is there. Raises StoreError."""
        if (self._directory / ROOTS).exists() or not self._directory.parent.exists():
            return False
        with _locked(self._directory):
            if self._load():
                return False
            self._save(roots)
        return True

    def maintain(self, now: datetime, overlap: Overlap) -> Roots:
        """To be called every hour or so: begins a rotation when one is due, and takes its next step.

        Returns what is stored then, by whichever process. Raises StoreError."""
        with _locked(self._directory):
            roots = self._load()
            if not roots:
                raise StoreError(f"{self._directory / ROOTS} is gone")
            changed = advance(roots, now, overlap)
            if is_due(changed, now, overlap):
                changed = begin(changed, new_root(self._trust_domain, now, self._lifetime), now)
            if changed != roots:
                self._save(changed)
        return changed

    def rotate(self, now: datetime) -> Roots:
        """Begin a rotation now, due or not (a key may have been stolen). Raises StoreError."""
        with _locked(self._directory):
            roots = self._load()
            if not roots:
                raise StoreError(f"{self._directory / ROOTS} is gone")
            roots = begin(roots, new_root(self._trust_domain, now, self._lifetime), now)
            self._save(roots)
        return roots

    def _load(self) -> Roots | None:
        path = self._directory / ROOTS
        if not path.exists():
            return None
        try:
            return archive.decode(_read_private(path))
        except AuthorityError as error:
            raise StoreError(
                f"{path}: {error}; restore it from a backup, or move it away for a new root"
            ) from None

    def _save(self, roots: Roots) -> None:
        _write(self._directory / ROOTS, archive.encode(roots), 0o600)
        _write(self._directory / BUNDLE, roots.bundle_pem.encode(), 0o644)


class TokenStore:
    """Join tokens. All methods block on the disk, and raise StoreError."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def issue(self, identity: Identity, now: datetime, lifetime: timedelta = tokens.LIFETIME) -> str:
        """The text of a new token. It is shown once, and can be had from nowhere again."""
        random = secrets.token_bytes(tokens.RANDOM_BYTES)
        with _locked(self._directory):
            state, text = tokens.issue(
                self._load(), identity=identity, random=random, now=now, lifetime=lifetime
            )
            self._save(state)
        return text

    def find(self, text: str, now: datetime) -> tokens.Token | tokens.Refusal:
        """The token, without using it."""
        return tokens.find(self._load(), text, now)

    def redeem(self, text: str, key: str, now: datetime) -> tokens.Token | tokens.Refusal:
        """Use it for a key. Who gets a token here is the only one who does, of all processes."""
        with _locked(self._directory):
            before = self._load()
            state, result = tokens.redeem(before, text, key, now)
            if state != before:
                self._save(state)
        return result

    def revoke(self, name: str) -> None:
        """Forget the token of this id."""
        with _locked(self._directory):
            self._save(tokens.revoke(self._load(), name))

    def all(self) -> tokens.Tokens:
        """All that are known, used and ended ones too."""
        return self._load()

    def _load(self) -> tokens.Tokens:
        path = self._directory / TOKENS
        if not path.exists():
            return ()
        try:
            return tokens.decode(_read_private(path))
        except tokens.TokensError as error:
            raise StoreError(f"{path}: {error}; remove it: all tokens in it are lost") from None

    def _save(self, state: tokens.Tokens) -> None:
        _write(self._directory / TOKENS, tokens.encode(state), 0o600)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Alone among all processes and threads; makes the directory."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if directory.stat().st_mode & 0o002:
            raise StoreError(f"anybody may write to {directory}; use a directory of mode 0700")
        lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{directory} cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None


def _read_private(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise StoreError(
            f"others than its owner may read {path}; make it private (chmod 600), or make new keys"
        )
    return _read(path)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Put a file in place at once, with its mode from the first byte on. Under the lock only."""
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            os.fchmod(file.fileno(), mode)  # whatever the umask
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from None
