"""A load balancer for UDP that knows QUIC-LB (draft-ietf-quic-load-balancers), as small as it can be.

Server id and nonce are one block of AES together (16 bytes: the single pass of section 5.4.1). A datagram whose connection id leads
to nobody goes by the client's address, each new one to the next server in turn, as balancers do that know nothing of QUIC.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

Address = tuple[str, int]
_BLOCK = 16


def connection_id(datagram: bytes) -> bytes:
    """That of the receiver (RFC 9000, section 17): of a short header what may be one."""
    if datagram[0] & 0x80:
        return datagram[6 : 6 + datagram[5]]
    return datagram[1 : 1 + 1 + _BLOCK]


def server_id(found: bytes, keys: Mapping[int, bytes], length: int) -> bytes | None:
    """What a connection id says; None when it is encrypted with none of `keys` (by their version)."""
    key = keys.get(found[0] >> 5) if len(found) > _BLOCK else None
    if key is None or found[0] & 0x1F != _BLOCK:
        return None
    opening = Cipher(algorithms.AES(key), modes.ECB()).decryptor()
    return (opening.update(found[1 : 1 + _BLOCK]) + opening.finalize())[:length]


class Balancer:
    """`servers`: by server id, and in turn."""

    def __init__(self, port: int, servers: Mapping[bytes, Address], keys: Mapping[int, bytes]) -> None:
        self._servers, self._keys = servers, keys
        self._in_turn: Sequence[Address] = tuple(servers.values())
        self._by_client: dict[Address, Address] = {}
        self._links: dict[tuple[Address, Address], socket.socket] = {}
        self.routed = 0  # datagrams that went by their connection id
        self._front = self._open(self._from_clients)
        self._front.bind(("127.0.0.1", port))

    def _open(self, on_readable: Callable[[socket.socket], None]) -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.setblocking(False)
        asyncio.get_running_loop().add_reader(opened, on_readable, opened)
        return opened

    def _from_clients(self, front: socket.socket) -> None:
        for data, client in _datagrams(front):
            length = len(next(iter(self._servers)))
            said = server_id(connection_id(data), self._keys, length)
            server = self._servers.get(said) if said is not None else None
            if server is None:
                turn = self._in_turn[len(self._by_client) % len(self._in_turn)]
                server = self._by_client.setdefault(client, turn)
            else:
                self.routed += 1
            self._link(client, server).sendto(data, server)

    def _link(self, client: Address, server: Address) -> socket.socket:
        """Where one client speaks with one server."""

        def back(link: socket.socket) -> None:
            for data, _ in _datagrams(link):
                self._front.sendto(data, client)

        if (client, server) not in self._links:
            self._links[client, server] = self._open(back)
        return self._links[client, server]

    def close(self) -> None:
        for one in (self._front, *self._links.values()):
            asyncio.get_running_loop().remove_reader(one)
            one.close()


def _datagrams(of: socket.socket) -> Iterator[tuple[bytes, Address]]:
    with contextlib.suppress(BlockingIOError):
        while True:
            yield of.recvfrom(65535)


@contextlib.contextmanager
def balancing(port: int, servers: Mapping[bytes, Address], keys: Mapping[int, bytes]) -> Iterator[Balancer]:
    """At this port of 127.0.0.1; within a running loop."""
    balancer = Balancer(port, servers, keys)
    try:
        yield balancer
    finally:
        balancer.close()
