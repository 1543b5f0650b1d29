"""The sockets of another process of this machine, to ask the kernel how they are set up."""

import ctypes
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

_PIDFD_GETFD = 438  # of every architecture (pidfd_getfd(2)); Python has no function for it
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def udp_socket(pid: int, port: int) -> Iterator[socket.socket]:
    """A copy of the UDP socket that process `pid` has bound to `port`.

    Raises:
        LookupError: it has none.
    """
    process = os.pidfd_open(pid)
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            copy = _libc.syscall(_PIDFD_GETFD, process, int(name), 0)
            if copy < 0:
                continue
            if (held := _socket(copy)) is None:
                os.close(copy)
                continue
            with held:
                if held.type == socket.SOCK_DGRAM and _port(held) == port:
                    yield held
                    return
    finally:
        os.close(process)
    raise LookupError(f"process {pid} has no UDP socket at port {port}")


def _socket(descriptor: int) -> socket.socket | None:
    try:
        return socket.socket(fileno=descriptor)
    except OSError:
        return None


def _port(held: socket.socket) -> int:
    name = held.getsockname()
    return name[1] if held.family in (socket.AF_INET, socket.AF_INET6) else 0
