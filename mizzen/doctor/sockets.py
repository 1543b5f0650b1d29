"""Connected sockets, and what the kernel says when one fails."""

import errno
import socket

from mizzen.doctor.measured import Reply, Where

_REFUSED = (errno.ECONNREFUSED, errno.ECONNRESET)
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EACCES, errno.EPERM)
_OWN = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)

# linux/in.h, linux/in6.h: datagrams are sent whole or not at all, whatever the kernel has heard of the path.
_IP_MTU_DISCOVER, _IPV6_MTU_DISCOVER, _PROBE = 10, 23, 3


def connected(where: Where, kind: socket.SocketKind, timeout: float = 0.0) -> socket.socket:
    """A socket that is connected to an address and port. OSError says why there is none."""
    family = socket.AF_INET6 if ":" in where.address else socket.AF_INET
    made = socket.socket(family, kind)
    try:
        if kind is socket.SOCK_DGRAM:
            _whole_datagrams(made, family)
        else:
            made.settimeout(timeout)
        made.connect((where.address, where.port))
    except OSError:
        made.close()
        raise
    return made


def _whole_datagrams(udp: socket.socket, family: socket.AddressFamily) -> None:
    if family == socket.AF_INET6:
        udp.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PROBE)
    else:
        udp.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PROBE)


def reply_of(error: OSError) -> Reply:
    """What a failed connection, or an ICMP message, says of an address."""
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        return Reply.SILENT
    if error.errno in _REFUSED:
        return Reply.REFUSED
    if error.errno in _OWN:
        return Reply.UNLOOKED
    return Reply.UNREACHABLE if error.errno in _UNREACHABLE else Reply.SILENT


def failure(error: OSError) -> str:
    """The kernel's words."""
    return error.strerror or str(error)


def dialled(where: Where, patience: float) -> Reply:
    """What an address does over TCP."""
    try:
        connected(where, socket.SOCK_STREAM, patience).close()
    except OSError as error:
        return reply_of(error)
    return Reply.ANSWERED
