"""The stages in a row: objects -> World -> Model for each gateway -> Envoy configuration -> Snapshot.

`build` is a pure function; `mizzen render`, `mizzen analyze` and the control plane all call it, so that
what is shown offline is what is sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from mizzen.envoy.config import SECRETS, EnvoyConfig, envoy_config
from mizzen.envoy.secret import ca_secret, tls_secret
from mizzen.errors import Problem, sort_key
from mizzen.http3.announcement import Phase, State, header_value
from mizzen.model import Model
from mizzen.model.tls import Certificate, TrustedCa
from mizzen.resolve import resolve
from mizzen.resolve.context import Context, ExternalPorts, Proxy
from mizzen.resolve.identity import spiffe
from mizzen.resolve.proxies import mesh_config, proxies, sidecars
from mizzen.resolve.secrets import validity_problems
from mizzen.resolve.sidecar import resolve_sidecar
from mizzen.resources.decode import Decoded, decode
from mizzen.resources.mesh import MeshConfig
from mizzen.resources.world import World, decode_all
from mizzen.resources.yaml import RawObject
from mizzen.xds.snapshot import Snapshot, snapshot

# Announcement name -> alt-svc value; None says nothing about HTTP/3.
Announced = Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is not in the objects: how the daemon was started."""

    environment: Mapping[str, str] = field(default_factory=dict)  # switches that no IstioOperator sets
    external_ports: ExternalPorts = ()
    default_namespace: str = "default"
    sidecars: frozenset[str] = frozenset()  # "namespace/name" of WorkloadEntries and Pods that have one
    routers: frozenset[str] | None = None  # Pods that are gateways; None: gateways are declared


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayBuild:
    """One gateway's (or sidecar's) part of a build."""

    proxy: Proxy
    model: Model
    identity: str  # who it is to the mesh: its SPIFFE name

    def config(self, announced: Announced) -> EnvoyConfig:
        """The Envoy messages, with `announced` on the answers of its HTTPS servers."""
        return envoy_config(self.model, announced)

    def announced_when_proven(self) -> Announced:
        """What answers say once every mirror has been proven."""
        proven = State(phase=Phase.ANNOUNCED)
        return {one.name: header_value(one, proven) for one in self.model.announcements}

    def without_listeners(self, names: frozenset[str]) -> "GatewayBuild":
        """The same, less some listeners; a mirror that goes with them is not announced."""
        if not names:
            return self
        return replace(
            self,
            model=replace(
                self.model,
                listeners=tuple(one for one in self.model.listeners if one.name not in names),
                announcements=tuple(
                    replace(one, port=None) if one.listener in names else one
                    for one in self.model.announcements
                ),
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """All that follows from some objects."""

    world: World
    gateways: tuple[GatewayBuild, ...]  # sorted by name
    problems: tuple[Problem, ...]  # sorted, each once
    trust_domain: str  # of the mesh


@dataclass(slots=True)
class Memory:
    """Decoded objects of the last build: what did not change is not decoded again. Changes no result."""

    decoded: dict[str, Decoded] = field(default_factory=dict)  # by digest

    def decode(self, raw: RawObject, default_namespace: str) -> Decoded:
        known = self.decoded.get(raw.digest)
        if known is None:
            known = self.decoded[raw.digest] = decode(raw, default_namespace=default_namespace)
        return known

    def forget_all_but(self, objects: tuple[RawObject, ...]) -> None:
        current = {raw.digest for raw in objects}
        self.decoded = {digest: one for digest, one in self.decoded.items() if digest in current}


def build(
    objects: tuple[RawObject, ...],
    found: tuple[Problem, ...],
    settings: Settings,
    memory: Memory | None = None,
) -> Build:
    """Resolve `objects` for every gateway they declare; `found` are problems of reading them."""
    memory = memory or Memory()
    namespace = settings.default_namespace
    world, wrong = decode_all(
        objects, default_namespace=namespace, remember=lambda raw: memory.decode(raw, namespace)
    )
    memory.forget_all_but(objects)
    problems: dict[Problem, None] = dict.fromkeys((*found, *wrong))

    def report(problem: Problem) -> None:
        problems[problem] = None

    built = []
    for proxy, switches, mesh in proxies(
        world, settings.environment, settings.external_ports, settings.routers
    ):
        context = Context(world=world, proxy=proxy, mesh=mesh, switches=switches, report=report)
        built.append(GatewayBuild(proxy=proxy, model=resolve(context), identity=_identity(proxy, mesh)))
    for proxy, switches, mesh in sidecars(world, settings.environment, settings.sidecars):
        context = Context(world=world, proxy=proxy, mesh=mesh, switches=switches, report=report)
        model = resolve_sidecar(context)
        built.append(GatewayBuild(proxy=proxy, model=model, identity=_identity(proxy, mesh)))
    return Build(
        world=world,
        gateways=tuple(sorted(built, key=lambda gateway: gateway.proxy.key)),
        problems=tuple(sorted(problems, key=sort_key)),
        trust_domain=mesh_config(world).trust_domain,
    )


def _identity(proxy: Proxy, mesh: MeshConfig) -> str:
    return spiffe(mesh.trust_domain, proxy.namespace, proxy.service_account)


def problems_at(built: Build, now: datetime) -> tuple[Problem, ...]:
    """The problems of a build and those that only time shows: certificates that are not valid `now`."""
    found = dict.fromkeys(built.problems)
    for gateway in built.gateways:
        found |= dict.fromkeys(validity_problems(gateway.model.certificates, now))
    return tuple(sorted(found, key=sort_key))


def to_snapshot(
    config: EnvoyConfig,
    before: Snapshot | None,
    credentials: tuple[Certificate, TrustedCa] | None = None,
) -> Snapshot:
    """What goes on the wire: bytes and content versions; unchanged parts are taken from `before`.

    `credentials`: the proxy's own certificate and the roots of the mesh, which it asks for apart.
    """
    if credentials is None:
        return snapshot(config.resources, before)
    own = {credentials[0].name: tls_secret(credentials[0]), credentials[1].name: ca_secret(credentials[1])}
    secrets = {**config.resources[SECRETS], **own}
    return snapshot({**config.resources, SECRETS: dict(sorted(secrets.items()))}, before)
