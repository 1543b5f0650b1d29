"""What listeners, routes and backends ask for by name."""

from collections.abc import Iterable, Iterator

from mizzen.model.backend import Backend
from mizzen.model.listener import Listener, TcpService
from mizzen.model.route import Forward, RouteTable
from mizzen.model.tls import BESIDE_PROXY, ClientTls, ServerTls


def wanted_backends(tables: Iterable[RouteTable], found: Iterable[Listener]) -> Iterator[str]:
    """The names of every backend that a route or a chain passes traffic to."""
    for table in tables:
        for host in table.hosts.values():
            for route in host.routes:
                if isinstance(route.action, Forward):
                    yield from (target.backend for target in route.action.to)
                    yield from (copy.backend for copy in route.action.copies)
    for listener in found:
        for chain in listener.chains:
            if isinstance(chain.serve, TcpService):
                yield from (target.backend for target in chain.serve.to)


def secrets_of(found: Iterable[Listener], upstream: Iterable[Backend]) -> Iterator[str]:
    """The SDS names of every certificate and CA that somebody asks for."""
    for listener in found:
        for chain in listener.chains:
            if chain.tls is not None:
                yield from _names(chain.tls)
    for backend in upstream:
        if backend.tls is not None:
            yield from _names(backend.tls)


def _names(tls: ServerTls | ClientTls) -> Iterator[str]:
    """Without those that come from beside the proxy."""
    certificates = tls.certificates if isinstance(tls, ServerTls) else (tls.certificate,)
    ca = tls.verification.ca if tls.verification else None
    for name in (*certificates, ca):
        if name is not None and name not in BESIDE_PROXY:
            yield name
