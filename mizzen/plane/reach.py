"""How the control plane reaches issuers of tokens and servers of modules: whom it trusts, and where services of the mesh are."""

import ssl
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field, replace
from functools import partial

from mizzen.lazy import dataclass
from mizzen.model import Model
from mizzen.model.backend import Health
from mizzen.model.plugin import ModuleSource
from mizzen.model.tls import TrustedCa
from mizzen.model.token import KeySource
from mizzen.node.system_roots import SystemRoots
from mizzen.resolve.names import backend_name
from mizzen.sources.fetching import Unfetched, Way
from mizzen.sources.key_sets import key_set_of
from mizzen.sources.modules import module_of


@dataclass(slots=True)
class Reach:
    """Fetches key sets and modules for the control plane of this machine."""

    roots: SystemRoots
    models: Callable[
        [], Iterable[Model]
    ]  # of the proxies that are served: services of the mesh are found in them
    own_ports: frozenset[int] = field(default_factory=frozenset)
    _trusted: tuple[TrustedCa, ssl.SSLContext] | None = None

    async def keys(self, source: KeySource) -> str:
        """The key set of a source. Unfetched says why there is none."""
        way = self._way(source.blocked, "BLOCKED_CIDRS_IN_JWKS_URIS")
        return await key_set_of(source, way if source.verify else replace(way, roots=_anybody))

    async def module(self, source: ModuleSource) -> bytes:
        """The module of a source. Unfetched says why there is none."""
        return await module_of(source, self._way(source.blocked, "BLOCKED_CIDRS_IN_WASM_FETCH"))

    def _way(self, blocked: tuple[str, ...], setting: str) -> Way:
        return Way(
            roots=self._context,
            endpoints=partial(endpoints_of, self.models),
            blocked=blocked,
            blocked_by=setting,
            own_ports=self.own_ports,
        )

    def _context(self) -> ssl.SSLContext:
        """Trusts whom this machine trusts; the same until that changes."""
        roots = self.roots.get()
        if roots is None:
            raise Unfetched(f"nobody can be verified: {self.roots.trouble}")
        if self._trusted is None or self._trusted[0] is not roots:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.load_verify_locations(cadata=roots.roots.decode("ascii", "replace"))
            self._trusted = (roots, context)
        return self._trusted[1]


def _anybody() -> ssl.SSLContext:
    """For JWKS_RESOLVER_INSECURE_SKIP_VERIFY."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def endpoints_of(models: Callable[[], Iterable[Model]], host: str, port: int) -> Iterator[tuple[str, int]]:
    """The endpoints of a service of the mesh, as some proxy knows them; none where there is no such service. Unix
    sockets are not asked."""
    name = backend_name(port, "", host)
    backend = next((one for model in models() if (one := model.backends.get(name)) is not None), None)
    for group in sorted(backend.groups, key=lambda group: group.priority) if backend is not None else ():
        for endpoint in group.endpoints:
            if endpoint.port and endpoint.health is not Health.UNHEALTHY:
                yield endpoint.address, endpoint.port
