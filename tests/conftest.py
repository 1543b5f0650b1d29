"""All tests run in a network namespace of their own, so that fixed ports are free and nothing gets out."""

import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

import pytest

# Every control plane that a test starts holds each of its builds against one that is made from nothing.
os.environ.setdefault("MIZZEN_VERIFY_BUILDS", "1")

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1

# Why there is no namespace; "" when there is one.
not_isolated = ""


def _unshare(flags: int) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    return os.strerror(ctypes.get_errno()) if libc.unshare(flags) else ""


def _isolate() -> str:
    """Move this process into a network namespace with a loopback interface; say why that failed."""
    if os.geteuid() == 0:
        problem = _unshare(CLONE_NEWNET)
    else:
        user, group = os.geteuid(), os.getegid()
        problem = _unshare(CLONE_NEWUSER | CLONE_NEWNET)
        if not problem:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"0 {user} 1")
            Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    if problem:
        return problem
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh", b"lo", 0) + bytes(14)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(control, SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh", b"lo", flags | IFF_UP) + bytes(14))
    return ""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="Write the expected files of tests/cases anew.")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    global not_isolated
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        # Of several that run side by side each has a folder; its name must leave room for the paths of sockets.
        config.option.basetemp = Path(config.option.basetemp).with_name(worker.removeprefix("gw"))
    if config.option.markexpr.strip() in ("kubernetes", "node"):
        not_isolated = "the tests of a cluster must reach it"
        return
    not_isolated = _isolate()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """End-to-end tests come last; they are skipped where no network namespace can be made."""
    items.sort(key=lambda item: item.get_closest_marker("e2e") is not None)
    if not_isolated:
        reason = f"needs a network namespace of its own, and unshare says: {not_isolated}"
        for item in items:
            if item.get_closest_marker("e2e"):
                item.add_marker(pytest.mark.skip(reason=reason))
