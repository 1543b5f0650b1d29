"""Taking possession of a run-dir: ours alone, readable by nobody else, used by one instance at a time."""

import contextlib
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from mizzen.authority.proof import KEY_BYTES
from mizzen.node import private_file
from mizzen.node.file_descriptors import raise_limit
from mizzen.node.instance import Instance
from mizzen.node.restarting_process import StartFailed
from mizzen.resources.formats.checks import LONGEST_SOCKET_PATH

LOCK = "lock"
LOGS = "logs"


class Possession:
    """A run-dir that is held. The kernel lets go of it when this process ends, however it ends.

    `key`: of this start (`Instance.key`).
    """

    def __init__(self, instance: Instance) -> None:
        """Take it. StartFailed when it is not fit, or used by another instance."""
        self.instance, self.run_dir = instance, instance.run_dir
        self.key = secrets.token_bytes(KEY_BYTES)
        # The file in it can be removed by whoever cleans up; then the folder itself still says that it is held.
        self._locks: dict[Path, int] = {}
        try:
            self.restore()
        except StartFailed:
            self.release()
            raise

    def restore(self) -> tuple[str, ...]:
        """Make again what somebody removed of the run-dir and its folder of logs: what that was.

        Raises:
            StartFailed: when it cannot be made again, or when another instance has it now.
        """
        try:
            return tuple(self._restore())
        except OSError as error:
            raise StartFailed(f"run-dir {self.run_dir} cannot be used: {error.strerror}") from error

    def _restore(self) -> Iterator[str]:
        folder, file, logs = self.run_dir, self.run_dir / LOCK, self.run_dir / LOGS
        if not self._holds(folder):
            _prepare(folder)
            self._take(folder, os.O_RDONLY | os.O_DIRECTORY)
            yield "the folder"
        if not self._holds(file):
            self._take(file, os.O_RDWR | os.O_CREAT)
            os.ftruncate(self._locks[file], 0)
            os.pwrite(self._locks[file], f"{os.getpid()}\n".encode(), 0)
            yield LOCK
        if not logs.is_dir():
            logs.mkdir(mode=0o700, exist_ok=True)
            yield LOGS
        if not self._has_key():  # the next control plane needs it
            private_file.write(self.instance.secret, self.key)
            yield self.instance.secret.name

    def _has_key(self) -> bool:
        try:
            return self.instance.key() == self.key
        except OSError:
            return False

    def release(self) -> None:
        """Let go of it."""
        if self._has_key():
            with contextlib.suppress(OSError):  # the folder may be read-only by now
                self.instance.secret.unlink()
        for descriptor in self._locks.values():
            os.close(descriptor)
        self._locks = {}

    def _holds(self, path: Path) -> bool:
        """Is `path` still the name of what is locked?"""
        try:
            return path in self._locks and os.path.samestat(path.stat(), os.fstat(self._locks[path]))
        except FileNotFoundError:
            return False

    def _take(self, path: Path, flags: int) -> None:
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
        try:
            _lock(descriptor, self.run_dir)
        except (OSError, StartFailed):
            os.close(descriptor)
            raise
        if (before := self._locks.pop(path, None)) is not None:
            os.close(before)
        self._locks[path] = descriptor


@contextlib.contextmanager
def possession(instance: Instance) -> Iterator[Possession]:
    """Hold the run-dir while the block runs. StartFailed when it is not fit, or used by another instance."""
    raise_limit()
    held = Possession(instance)
    try:
        yield held
    finally:
        held.release()


def _lock(lock: int, run_dir: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StartFailed(f"run-dir {run_dir} is used by {_owner(run_dir)}") from None
    except OSError:
        if stat.S_ISREG(os.fstat(lock).st_mode):
            raise
        # Some network file systems lock no folders; there the file alone has to do.


def _owner(run_dir: Path) -> str:
    try:
        pid = (run_dir / LOCK).read_text(errors="replace")[:32].strip()
    except OSError:
        pid = ""
    return f"mizzen pid {pid or 'unknown'}"


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


def check_socket_path(path: Path) -> None:
    """StartFailed when the kernel's limit for socket paths does not allow `path`."""
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise StartFailed(
            f"{path} is too long for a socket (at most {LONGEST_SOCKET_PATH} bytes); use a shorter --run-dir"
        )
