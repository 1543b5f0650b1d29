"""Is an address free, and if not, who has it?

Envoy binds with SO_REUSEPORT: two Envoys of one user would share a port without a word, each getting some of
the connections. So whoever is about to open a port asks here first.
"""

import errno
import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from mizzen.lazy import dataclass

_CAP_NET_BIND_SERVICE = 10  # bit number, linux/capability.h
_TCP_LISTEN = "0A"  # state in /proc/net/tcp; a UDP socket that is not connected shows 07
_UDP_UNCONNECTED = "07"
_LONGEST = 120  # characters of a command line in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process that has a port open. `pid` is 0 when its owner does not let us see it."""

    pid: int = 0
    command: str = ""  # its words, with blanks between them

    def __str__(self) -> str:
        if not self.pid:
            return "a process of another user"
        short = self.command if len(self.command) <= _LONGEST else self.command[: _LONGEST - 3] + "..."
        return f"pid {self.pid} ({short})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a port cannot be opened."""

    reason: str  # "it is in use by pid 7 (nginx)"
    hint: str = ""  # one sentence: what to do about it
    holders: tuple[Holder, ...] = ()

    def involves(self, word: str) -> bool:
        """Is a process whose command line has `word` in it among those who hold the port?"""
        return any(word in holder.command for holder in self.holders)


def try_bind(address: str, port: int, *, udp: bool = False) -> Refusal | None:
    """Open `address`:`port` for a moment, as one who shares it with nobody. None when that works."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as trial:
        if not udp:
            # As Envoy does: connections that are only waiting for their end are no obstacle.
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((address, port))
            if not udp:
                trial.listen(1)
        except OSError as error:
            return _refusal(error, address, port, udp=udp)
    return None


def families() -> Literal["v4", "v6", "both"]:
    """Of which families the addresses of this machine are, its loopback aside."""
    if not _may_bind_ipv6():
        return "v4"
    far = {family: _has_way(family, to) for family, to in _DOCUMENTATION.items()}
    return "v6" if far[socket.AF_INET6] and not far[socket.AF_INET] else "both"


# Nobody has these (RFC 5737, RFC 3849); nothing is sent to them.
_DOCUMENTATION = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


def _may_bind_ipv6() -> bool:
    try:
        return try_bind("::", 0) is None
    except OSError:  # the kernel has no IPv6
        return False


def _has_way(family: socket.AddressFamily, to: str) -> bool:
    with socket.socket(family, socket.SOCK_DGRAM) as trial:
        try:
            trial.connect((to, 9))
        except OSError:
            return False
    return True


def _refusal(error: OSError, address: str, port: int, *, udp: bool) -> Refusal:
    match error.errno:
        case errno.EADDRINUSE:
            found = holders(port, udp=udp)
            names = ", ".join(str(holder) for holder in found) or "another process"
            return Refusal(
                reason=f"it is in use by {names}",
                hint="End that process, or use another port.",
                holders=found,
            )
        case errno.EACCES:
            return Refusal(reason=_missing_right(), hint=_RIGHT_HINT)
        case errno.EADDRNOTAVAIL:
            return Refusal(reason=f"no interface of this machine has the address {address}")
        case _:
            return Refusal(reason=error.strerror or str(error))


_RIGHT_HINT = (
    "Allow it for all with 'sysctl net.ipv4.ip_unprivileged_port_start=0', start mizzen with that capability "
    "(ambient, as AmbientCapabilities= of systemd does), or use a targetPort above the limit."
)


def _missing_right() -> str:
    limit = f"ports below {lowest_free_port()} need the capability CAP_NET_BIND_SERVICE"
    if may_bind_low_ports():
        return f"{limit}, and something forbids it although this process has it"
    return f"{limit}, which this process does not have"


def lowest_free_port() -> int:
    """The lowest port that anyone may open."""
    try:
        return int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    except (OSError, ValueError):
        return 1024


def may_bind_low_ports(status: str | None = None) -> bool:
    """May this process open every port? `status` is the text of /proc/self/status."""
    if status is None:
        status = Path("/proc/self/status").read_text()
    effective = 0
    for line in status.splitlines():
        key, _, value = line.partition(":")
        if key == "CapEff":
            effective = int(value, 16)
    return bool(effective >> _CAP_NET_BIND_SERVICE & 1)


def holders(port: int, *, udp: bool = False) -> tuple[Holder, ...]:
    """The processes that have this port open on any address, as far as their owners let us see them."""
    inodes: set[str] = set()
    for table in ("udp", "udp6") if udp else ("tcp", "tcp6"):
        try:
            text = Path("/proc/net", table).read_text()
        except OSError:
            continue  # no IPv6 here
        inodes |= listening_inodes(text, port, udp=udp)
    found = owners(inodes)
    return found if found or not inodes else (Holder(),)


def owners(inodes: set[str]) -> tuple[Holder, ...]:
    """The processes that have one of these sockets open, as far as we may see them."""
    return tuple(Holder(pid=pid, command=command_of(pid)) for pid in sorted(set(_owners(inodes))))


def listening_inodes(table: str, port: int, *, udp: bool) -> set[str]:
    """The inodes of sockets that listen on `port`, out of the text of /proc/net/tcp and its like."""
    state = _UDP_UNCONNECTED if udp else _TCP_LISTEN
    found = set()
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9 and fields[3] == state and int(fields[1].rpartition(":")[2], 16) == port:
            found.add(fields[9])
    return found


def address_in_proc(text: str) -> str:
    """An address as /proc/net writes it: words of 32 bits, each in the order of this machine's bytes (little-endian)."""
    words = [bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8)]
    return str(ipaddress.ip_address(b"".join(words)))


def connects_from(pid: int, peer_port: int, port: int) -> bool:
    """Is it the process `pid` that has a TCP connection of this machine to `port`, from `peer_port`?

    Where its files cannot be seen (a program with capabilities), any process of our user counts as it.
    """
    for table in ("tcp", "tcp6"):
        try:
            text = Path("/proc/net", table).read_text()
        except OSError:
            continue  # no IPv6 here
        for line in text.splitlines()[1:]:
            fields = line.split()
            if len(fields) > 9 and [_port(fields[1]), _port(fields[2])] == [peer_port, port]:
                return _is_of(pid, inode=fields[9], user=int(fields[7]))
    return False


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


def _is_of(pid: int, *, inode: str, user: int) -> bool:
    try:
        return any(_target(link) == f"socket:[{inode}]" for link in Path(f"/proc/{pid}/fd").iterdir())
    except FileNotFoundError:
        return False
    except OSError:
        return user == os.geteuid()


def _owners(inodes: set[str]) -> Iterator[int]:
    """Pids with one of these sockets among their open files."""
    wanted = {f"socket:[{inode}]" for inode in inodes}
    if not wanted:
        return
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(_target(link) in wanted for link in (process / "fd").iterdir()):
                yield int(process.name)
        except OSError:
            continue  # somebody else's, or gone


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def command_of(pid: int) -> str:
    """The words of a process, with blanks between them."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return "it has just ended"
    return " ".join(word.decode(errors="replace") for word in words if word)
