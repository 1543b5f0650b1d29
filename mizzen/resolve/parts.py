"""What listeners, routes and backends ask for by name."""

from collections.abc import Iterable, Iterator

from mizzen.model.authorization import Access
from mizzen.model.backend import Backend
from mizzen.model.listener import Listener, TcpService
from mizzen.model.route import Forward, Route
from mizzen.model.tls import ClientTls, ServerTls, is_beside_proxy


def backends_of(routes: Iterable[Route]) -> Iterator[str]:
    """The names of the backends that routes pass requests to, and copies of them."""
    for route in routes:
        if isinstance(route.action, Forward):
            yield from (target.backend for target in route.action.to)
            yield from (copy.backend for copy in route.action.copies)


def backends_of_chains(listeners: Iterable[Listener]) -> Iterator[str]:
    """The names of the backends that chains pass bytes to."""
    for listener in listeners:
        for chain in listener.chains:
            if isinstance(chain.serve, TcpService):
                yield from (target.backend for target in chain.serve.to)


def backends_of_access(access: Iterable[Access]) -> Iterator[str]:
    """The names of the backends whose answer decides."""
    for one in access:
        if one.authorizer is not None:
            yield one.authorizer.backend


def secrets_of_chains(listeners: Iterable[Listener]) -> Iterator[str]:
    """The SDS names of every certificate and CA that servers ask for."""
    for listener in listeners:
        for chain in listener.chains:
            if chain.tls is not None:
                yield from _names(chain.tls)


def secrets_of_backend(backend: Backend) -> Iterator[str]:
    """The SDS names of the certificate and the CA of a backend."""
    if backend.tls is not None:
        yield from _names(backend.tls)


def _names(tls: ServerTls | ClientTls) -> Iterator[str]:
    """Without those that come from beside the proxy."""
    certificates = tls.certificates if isinstance(tls, ServerTls) else (tls.certificate,)
    ca = tls.verification.ca if tls.verification else None
    for name in (*certificates, ca):
        if name is not None and not is_beside_proxy(name):
            yield name
