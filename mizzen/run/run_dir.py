"""Taking possession of a run-dir: ours alone, readable by nobody else, used by one instance at a time."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from mizzen.resources.checks import LONGEST_SOCKET_PATH
from mizzen.run.instance import Instance
from mizzen.run.keeper import StartFailed

LOCK = "lock"
LOGS = "logs"


@contextlib.contextmanager
def possession(instance: Instance) -> Iterator[None]:
    """Hold the run-dir while the block runs. StartFailed when it is not fit, or used by another instance."""
    run_dir = instance.run_dir
    try:
        _prepare(run_dir)
        lock = os.open(run_dir / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartFailed(f"run-dir {run_dir} cannot be used: {error.strerror}") from error
    try:
        _take(lock, run_dir)
        (run_dir / LOGS).mkdir(mode=0o700, exist_ok=True)
        yield
    finally:
        os.close(lock)  # the kernel does this too when we are killed


def _prepare(run_dir: Path) -> None:
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = run_dir.stat()
    if found.st_uid != os.geteuid():
        raise StartFailed(f"run-dir {run_dir} belongs to another user (uid {found.st_uid})")
    if stat.S_IMODE(found.st_mode) & 0o077:
        # Sockets without passwords live here. But what others use is not ours to close.
        if any(run_dir.iterdir()) and not (run_dir / LOCK).exists():
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
