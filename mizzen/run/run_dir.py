"""Taking possession of a run-dir: ours alone, readable by nobody else, used by one instance at a time."""

import contextlib
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from mizzen.authority.proof import KEY_BYTES
from mizzen.resources.checks import LONGEST_SOCKET_PATH
from mizzen.run.descriptors import raise_limit
from mizzen.run.instance import Instance
from mizzen.run.keeper import StartFailed

LOCK = "lock"
LOGS = "logs"


@contextlib.contextmanager
def possession(instance: Instance) -> Iterator[bytes]:
    """Hold the run-dir while the block runs: with the key of this start (`Instance.key`).

    StartFailed when the run-dir is not fit, or used by another instance.
    """
    run_dir, key = instance.run_dir, secrets.token_bytes(KEY_BYTES)
    raise_limit()
    try:
        _prepare(run_dir)
        lock = os.open(run_dir / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartFailed(f"run-dir {run_dir} cannot be used: {error.strerror}") from error
    try:
        _take(lock, run_dir)
        (run_dir / LOGS).mkdir(mode=0o700, exist_ok=True)
        keep_key(instance, key)
        try:
            yield key
        finally:
            instance.secret.unlink(missing_ok=True)
    finally:
        os.close(lock)  # the kernel does this too when we are killed


def keep_key(instance: Instance, key: bytes) -> None:
    """Write the key of this start where its other processes, and the verbs of its owner, find it. OSError."""
    beside = instance.secret.with_name(f".{instance.secret.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key)
    beside.replace(instance.secret)


def _prepare(run_dir: Path) -> None:
    if run_dir.is_symlink():
        raise StartFailed(f"run-dir {run_dir} is a link, which could lead anywhere; name the folder itself")
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = run_dir.lstat()
    if found.st_uid != os.geteuid():
        raise StartFailed(f"run-dir {run_dir} belongs to another user (uid {found.st_uid})")
    if stat.S_IMODE(found.st_mode) & 0o077:
        # Keys and sockets live here. But what others use, or have put here, is not ours to close.
        inside = list(run_dir.iterdir())
        is_ours = (run_dir / LOCK) in inside and all(one.lstat().st_uid == found.st_uid for one in inside)
        if inside and not is_ours:
            raise StartFailed(
                f"run-dir {run_dir} is open to other users and holds files that are not mizzen's; "
                "name an empty or new folder"
            )
        run_dir.chmod(0o700)


def _take(lock: int, run_dir: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(lock, 32, 0).decode(errors="replace").strip() or "unknown"
        raise StartFailed(f"run-dir {run_dir} is used by mizzen pid {owner}") from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def check_socket_path(path: Path) -> None:
    """StartFailed when the kernel's limit for socket paths does not allow `path`."""
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise StartFailed(
            f"{path} is too long for a socket (at most {LONGEST_SOCKET_PATH} bytes); use a shorter --run-dir"
        )
