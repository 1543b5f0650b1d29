"""The stages in a row: objects -> World -> Model for each gateway -> Envoy configuration -> Snapshot.

`build` is a pure function; `mizzen render`, `mizzen analyze` and the control plane all call it, so that
what is shown offline is what is sent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from google.protobuf.message import Message

from mizzen.envoy.config import SECRETS, EnvoyConfig, envoy_config
from mizzen.envoy.secret import ca_secret, tls_secret
from mizzen.errors import Problem, ResourceRef, Severity, capped, sort_key
from mizzen.guard import Stage, attempt
from mizzen.http3.announcement import Phase, State, header_value
from mizzen.model import Model
from mizzen.model.tls import Certificate, TrustedCa
from mizzen.resolve import resolve
from mizzen.resolve.backends import Upstreams, upstreams
from mizzen.resolve.context import Context, ExternalPorts, NamedFile, Proxy, Switches, UnixFolders
from mizzen.resolve.endpoints import SERVICE_NAME
from mizzen.resolve.identity import spiffe
from mizzen.resolve.parts import secrets_of
from mizzen.resolve.proxies import mesh_config, proxies, sidecars
from mizzen.resolve.secrets import validity_problems
from mizzen.resolve.sidecar import resolve_sidecar
from mizzen.resources.core import EndpointSlice
from mizzen.resources.decode import Decoded, decode
from mizzen.resources.kinds import is_ours, meant
from mizzen.resources.mesh import MeshConfig
from mizzen.resources.operator import IstioOperator
from mizzen.resources.world import World, age_order, decode_all
from mizzen.resources.yaml import RawObject
from mizzen.xds.snapshot import Snapshot, snapshot

CATALOGUE = {
    "GRD-003": "An IstioOperator has an error: gateways and mesh settings are not known, and nothing is served.",
}
SLICE = EndpointSlice.__name__

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
    unix_folders: UnixFolders = field(default_factory=UnixFolders)  # where objects may name sockets
    files: Mapping[str, NamedFile] | None = None  # that objects name; None: they are where the proxies are


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayBuild:
    """One gateway's (or sidecar's) part of a build."""

    proxy: Proxy
    model: Model
    identity: str  # who it is to the mesh: its SPIFFE name
    context: Context = field(compare=False, repr=False)
    upstreams: Upstreams | None = field(compare=False, repr=False)
    problems: tuple[Problem, ...]  # but those of its upstreams

    def config(self, announced: Announced, before: tuple[Model, EnvoyConfig] | None = None) -> EnvoyConfig:
        """The Envoy messages, with `announced` on the answers of its HTTPS servers. `before`: as in envoy_config."""
        return envoy_config(self.model, announced, before)

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
    # A gateway (or sidecar) is missing from `gateways` though it may be declared: it keeps what it has.
    is_partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """A build and what it was made of."""

    objects: tuple[RawObject, ...]
    found: tuple[Problem, ...]
    settings: Settings
    build: Build
    wrong: tuple[Problem, ...]  # with the objects by themselves, but EndpointSlices


@dataclass(slots=True)
class Memory:
    """The last build, and its decoded objects: what did not change is not made again. Changes no result."""

    decoded: dict[str, Decoded] = field(default_factory=dict)  # by digest
    last: Last | None = None

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
    try:
        made = _with_other_endpoints(objects, found, settings, memory)
    except Exception:  # noqa: BLE001  # the long way finds out whose fault it is
        made = None
    made = made or _whole(objects, found, settings, memory)
    memory.forget_all_but(objects)
    memory.last = made
    return made.build


def _whole(
    objects: tuple[RawObject, ...], found: tuple[Problem, ...], settings: Settings, memory: Memory
) -> Last:
    namespace = settings.default_namespace
    world, wrong = decode_all(
        objects,
        default_namespace=namespace,
        remember=lambda raw: memory.decode(raw, namespace),
        broken=found,
    )
    lost: list[Problem] = []  # a gateway for each
    declared = proxies(world, settings.environment, settings.external_ports, settings.routers, lost.append)
    beside = sidecars(world, settings.environment, settings.sidecars, lost.append)
    made = [
        attempt(
            Stage.GATEWAY, one[0].origin, partial(_gateway, world, settings, *one, how), lost.append, None
        )
        for some, how in ((declared, resolve), (beside, resolve_sidecar))
        for one in some
    ]
    built = [gateway for gateway in made if gateway is not None]
    gateways = tuple(sorted(built, key=lambda gateway: gateway.proxy.key))
    unknown = tuple(map(_unknown_mesh, _operators_with_errors(world, found)))
    wrong = (*wrong, *lost, *unknown)
    build = replace(_built(world, gateways, (*found, *wrong)), is_partial=bool(lost or unknown))
    return Last(
        objects=objects,
        found=found,
        settings=settings,
        build=replace(build, gateways=()) if unknown else build,
        wrong=tuple(problem for problem in wrong if not _is_of_slice(problem)),
    )


def _operators_with_errors(world: World, found: tuple[Problem, ...]) -> list[ResourceRef]:
    """IstioOperators that cannot be read, and of which there is no good version."""
    broken = {problem.resource for problem in found if problem.severity is Severity.ERROR}
    good = {operator.ref for operator in world.operators}
    refs = {ref for ref in (*world.refused, *broken) if ref.kind == IstioOperator.__name__ and is_ours(ref)}
    return sorted(refs - good, key=str)


def _unknown_mesh(operator: ResourceRef) -> Problem:
    return Problem(
        code="GRD-003",
        resource=operator,
        message="which gateways there are, and how paths, proxies and policies are to be read (meshConfig), is not known: "
        "nothing is served until it is",
        hint="Mend the error that is told of beside this. What is served already stays as it is.",
    )


def _gateway(
    world: World,
    settings: Settings,
    proxy: Proxy,
    switches: Switches,
    mesh: MeshConfig,
    how: Callable[[Context], Model],
) -> GatewayBuild:
    heard: dict[Problem, None] = {}
    kept: list[Upstreams] = []
    context = Context(
        world=world,
        proxy=proxy,
        mesh=mesh,
        switches=switches,
        report=lambda problem: heard.setdefault(problem, None),
        unix_folders=settings.unix_folders,
        files=settings.files,
        remember=kept.append,
    )
    model = how(context)
    of_upstreams = frozenset(kept[0].problems if kept else ())
    return GatewayBuild(
        proxy=proxy,
        model=model,
        identity=_identity(proxy, mesh),
        context=context,
        upstreams=kept[0] if kept else None,
        problems=tuple(problem for problem in heard if problem not in of_upstreams),
    )


def _built(world: World, gateways: tuple[GatewayBuild, ...], wrong: tuple[Problem, ...]) -> Build:
    problems = dict.fromkeys(wrong)
    for gateway in gateways:
        problems |= dict.fromkeys(gateway.problems)
        problems |= dict.fromkeys(gateway.upstreams.problems if gateway.upstreams else ())
    return Build(
        world=world,
        gateways=gateways,
        problems=capped(sorted(problems, key=sort_key)),
        trust_domain=mesh_config(world).trust_domain,
    )


# --- where endpoints alone have changed -------------------------------------------------------------


def _is_slice(raw: RawObject) -> bool:
    return raw.kind == SLICE and meant(raw.kind, raw.api_version) is not None


def _is_of_slice(problem: Problem) -> bool:
    return problem.resource.kind == SLICE and is_ours(problem.resource)


def _with_other_endpoints(
    objects: tuple[RawObject, ...], found: tuple[Problem, ...], settings: Settings, memory: Memory
) -> Last | None:
    """The last build with the backends of a few services made anew; None where more than EndpointSlices differs.

    In a cluster that is nearly every change: Pods come and go.
    """
    last = memory.last
    if last is None or settings != last.settings or found != last.found or last.build.is_partial:
        return None
    old = {raw.digest: raw for raw in last.objects}
    new = {raw.digest: raw for raw in objects}
    differing = [old[one] for one in old.keys() - new.keys()] + [new[one] for one in new.keys() - old.keys()]
    if not all(map(_is_slice, differing)):
        return None
    namespace = settings.default_namespace
    decoded = [memory.decode(raw, namespace) for raw in objects if _is_slice(raw)]
    slices = [one.resource for one in decoded if isinstance(one.resource, EndpointSlice)]
    if len({one.key for one in slices}) < len(decoded):
        return None  # some have one name, or an error: rare, and the long way says what is wrong
    changed = frozenset(
        (raw.namespace or namespace, str((raw.data["metadata"].get("labels") or {}).get(SERVICE_NAME, "")))
        for raw in differing
    )
    world = replace(last.build.world, endpoint_slices=tuple(sorted(slices, key=age_order)))
    gateways = []
    for gateway in last.build.gateways:
        again = _again(gateway, world, changed)
        if again is None:
            return None
        gateways.append(again)
    wrong = (*last.wrong, *(problem for one in decoded for problem in one.problems))
    return replace(last, objects=objects, build=_built(world, tuple(gateways), (*found, *wrong)))


def _again(gateway: GatewayBuild, world: World, changed: frozenset[tuple[str, str]]) -> GatewayBuild | None:
    """None where more than endpoints follows from it: secrets that were not asked for before."""
    context, before = replace(gateway.context, world=world), gateway.upstreams
    if before is None:
        return replace(gateway, context=context)
    made = upstreams(context, before.services, before.policies, before.wanted, before, changed)
    old = {backend.name for some in before.of_service.values() for backend in some}
    now = [backend for some in made.of_service.values() for backend in some]
    backends = gateway.model.backends.updated(
        {backend.name: backend for backend in now}, old - {backend.name for backend in now}
    )
    listeners = gateway.model.listeners
    if frozenset(secrets_of(listeners, backends.values())) != frozenset(
        secrets_of(listeners, gateway.model.backends.values())
    ):
        return None
    return replace(gateway, context=context, upstreams=made, model=replace(gateway.model, backends=backends))


def _identity(proxy: Proxy, mesh: MeshConfig) -> str:
    return spiffe(mesh.trust_domain, proxy.namespace, proxy.service_account)


def problems_at(built: Build, now: datetime) -> tuple[Problem, ...]:
    """The problems of a build and those that only time shows: certificates that are not valid `now`."""
    found = dict.fromkeys(built.problems)
    for gateway in built.gateways:
        found |= dict.fromkeys(validity_problems(gateway.model.certificates, now))
    return tuple(sorted(found, key=sort_key))


def analysed(built: Build, now: datetime) -> tuple[Problem, ...]:
    """All that can be known without an Envoy: these too that only translating shows."""
    found = dict.fromkeys(problems_at(built, now))
    for gateway in built.gateways:
        make = partial(gateway.config, gateway.announced_when_proven())
        wrong: list[Problem] = []
        config = attempt(Stage.GATEWAY, gateway.proxy.origin, make, wrong.append, None)
        found |= dict.fromkeys((*wrong, *(config.problems if config else ())))
    return capped(sorted(found, key=sort_key))


def to_snapshot(
    config: EnvoyConfig,
    before: Snapshot | None,
    credentials: tuple[Certificate, TrustedCa] | None = None,
    system_roots: TrustedCa | None = None,
) -> Snapshot:
    """What goes on the wire: bytes and content versions; unchanged parts are taken from `before`.

    `credentials`: the proxy's own certificate and the roots of the mesh, `system_roots`: those of its machine,
    all of which it asks for apart.
    """
    own = {system_roots.name: ca_secret(system_roots)} if system_roots is not None else {}
    if credentials is not None:
        pair, roots = credentials
        own |= {pair.name: tls_secret(pair), roots.name: ca_secret(roots)}
    if not own:
        return snapshot(config.bodies, before)
    secrets: dict[str, Message | bytes] = {**config.bodies[SECRETS], **own}
    return snapshot({**config.bodies, SECRETS: dict(sorted(secrets.items()))}, before)
