"""What the kernel says of UDP: the largest receive buffer that it gives, and what each socket has dropped."""

from pathlib import Path

from mizzen.node.ports import address_in_proc
from mizzen.status import KernelUdp, UdpSocket

UDP_SOCKETS = "/udp_sockets"  # where the agent of a Pod tells it, beside Envoy's pages
_FIELDS = 13  # of a line of /proc/net/udp; the last are the drops
_RECEIVE_MAX = Path("/proc/sys/net/core/rmem_max")


def kernel_udp(pid: int = 0) -> KernelUdp:
    """Of the network that the process `pid` is in; of our own without one, or where it is not ours to see."""
    sockets: list[UdpSocket] = []
    for table in ("udp", "udp6"):
        sockets += unconnected(_text(pid, table))
    return KernelUdp(receive_max=_receive_max(), sockets=tuple(sockets))


def _text(pid: int, table: str) -> str:
    for folder in ((f"/proc/{pid}/net",) if pid else ()) + ("/proc/net",):
        try:
            return Path(folder, table).read_text()
        except OSError:
            continue  # no IPv6 here, or somebody else's process
    return ""


def _receive_max() -> int | None:
    """None where the network of a container does not show it: the machine's limit holds there all the same."""
    try:
        return int(_RECEIVE_MAX.read_text())
    except (OSError, ValueError):
        return None


def unconnected(table: str) -> list[UdpSocket]:
    """The sockets that take datagrams from anybody, out of the text of /proc/net/udp or udp6 (proc(5))."""
    found = []
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) >= _FIELDS and fields[2].rpartition(":")[2] == "0000":
            address, _, port = fields[1].partition(":")
            found.append(
                UdpSocket(address=address_in_proc(address), port=int(port, 16), drops=int(fields[12]))
            )
    return found
