"""The stages in a row: objects -> World -> Model for each gateway -> Envoy configuration -> Snapshot.

`build` is a pure function; `mizzen render`, `mizzen analyze` and the control plane all call it, so that
what is shown offline is what is sent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from functools import partial

from mizzen.envoy.config import SECRETS, EnvoyConfig, envoy_config
from mizzen.envoy.secret import ca_secret, session_ticket_keys, tls_secret
from mizzen.errors import Problem, ResourceRef, Severity, capped, sort_key
from mizzen.guard import Stage, attempt, is_fault
from mizzen.http3.announcement import proven_value
from mizzen.http3.lingering import NOTHING_LINGERS, Lingering
from mizzen.lazy import dataclass
from mizzen.model import Model
from mizzen.model.tls import Certificate, TrustedCa
from mizzen.patch import stage
from mizzen.patch.stage import for_nothing, patched, whole_tables
from mizzen.resolve import resolve
from mizzen.resolve.checks.selectors import served_by_nobody
from mizzen.resolve.context import (
    Context,
    ExternalPorts,
    Families,
    FetchedKeys,
    FetchedModule,
    FileFolders,
    NamedFile,
    Proxy,
    Switches,
    UnixFolders,
    observed,
)
from mizzen.resolve.discovery import Discovered, discovered
from mizzen.resolve.ingress.conversion import Converted, as_before, converted, joined
from mizzen.resolve.ingress.written import as_written
from mizzen.resolve.proxies.gateways import mesh_config, proxies, sidecars
from mizzen.resolve.sidecars.sidecar import resolve_sidecar
from mizzen.resolve.tls.identity import spiffe
from mizzen.resolve.tls.secrets import validity_problems
from mizzen.resources.decode import Decoded, decode
from mizzen.resources.intake import Intake
from mizzen.resources.istio.mesh import MeshConfig
from mizzen.resources.istio.operator import IstioOperator
from mizzen.resources.kinds import is_ours
from mizzen.resources.kubernetes.core import ConfigMap
from mizzen.resources.raw_objects import RawObject
from mizzen.resources.rules.mesh_text import NAME, NAMESPACE, is_of_mesh
from mizzen.resources.world import ObservedWorld, World
from mizzen.steps import Steps
from mizzen.xds.snapshot import Snapshot, snapshot

CATALOGUE = {
    **stage.CODES,
    "INT-006": "A fault of mizzen: what it remembered is not what follows from the objects; everything is made anew.",
    "GRD-003": "An IstioOperator has an error: gateways and mesh settings are not known, and nothing is served.",
}
_SPARE = 256
# The control plane holds each build against one that is made from nothing, and tells where they differ.
VERIFY = "MIZZEN_VERIFY_BUILDS"
Differing = tuple[tuple[RawObject, ...], tuple[RawObject, ...]]  # objects that came, and objects that went

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
    certificate_folders: FileFolders = field(default_factory=FileFolders)  # and certificates with their keys
    families: Families = "unknown"  # of the machine's addresses, where proxies are no Pods
    files: Mapping[str, NamedFile] | None = None  # that objects name; None: they are where the proxies are
    key_sets: Mapping[str, FetchedKeys] | None = None  # by key of their source; None: nobody fetches them
    modules: Mapping[str, FetchedModule] | None = None  # likewise
    # Of gateways as clients know them, what of earlier mirrors must stay.
    lingering: Mapping[str, Lingering] = field(default_factory=dict)
    shedding: frozenset[str] = frozenset()  # likewise, those that refuse new connections over QUIC


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayBuild:
    """One gateway's (or sidecar's) part of a build."""

    proxy: Proxy
    model: Model
    identity: str  # who it is to the mesh: its SPIFFE name
    problems: tuple[Problem, ...]

    def config(
        self,
        announced: Announced,
        before: EnvoyConfig | None = None,
        scoped: Mapping[str, bool] | None = None,
    ) -> EnvoyConfig:
        """The Envoy messages, with `announced` on the answers of its HTTPS servers, and EnvoyFilters applied. The rest: as in
        envoy_config."""
        unpatched = before.unpatched or before if before else None
        whole = whole_tables(self.model)
        return patched(envoy_config(self.model, announced, unpatched, scoped, whole), before)

    def announced_when_proven(self) -> Announced:
        """What answers say once every mirror has been proven."""
        return {one.name: proven_value(one) for one in self.model.announcements}

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
                    replace(one, port=None, listener="", why="its UDP port cannot be opened")
                    if one.listener in names
                    else one
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


# Keys, modules and lingering mirrors, which steps look up.
_Fetched = tuple[Mapping[str, FetchedKeys] | None, Mapping[str, FetchedModule] | None, Lingering, bool]


@dataclass(slots=True)
class _Gateway:
    """What is remembered of one proxy."""

    settings: tuple[object, ...]  # all that its steps go by and do not look at
    steps: Steps
    world: World
    fetched: _Fetched
    build: "GatewayBuild"


@dataclass(slots=True)
class Memory:
    """The last build, and what its steps gave: what does not follow from a change is not made again. Changes no result.

    Of one thread at a time.
    """

    decoded: dict[str, Decoded] = field(default_factory=dict)  # by digest
    _objects: dict[int, RawObject] = field(default_factory=dict)  # by identity
    _intake: Intake | None = None
    _gateways: dict[str, _Gateway] = field(default_factory=dict)  # by key of the proxy
    _asked: "_Asked | None" = None
    _ingresses: "_Ingresses | None" = None
    _discovered: Discovered | None = None
    _mesh: tuple[object, object, MeshConfig] | None = None  # what says it, and what it is

    def decode(self, raw: RawObject, default_namespace: str) -> Decoded:
        known = self.decoded.get(raw.digest)
        if known is None:
            known = decode(raw, default_namespace=default_namespace)
            if not any(map(is_fault, known.problems)):
                self.decoded[raw.digest] = known
        return known

    def take_in(
        self,
        objects: tuple[RawObject, ...],
        found: tuple[Problem, ...],
        namespace: str,
        differing: Differing | None = None,
    ) -> Intake:
        """The world of these objects, by difference to that of the ones before."""
        if self._intake is None or self._intake.default_namespace != namespace:
            self._intake, self._objects, differing = Intake(namespace), {}, None
        intake = self._intake
        intake.decode = partial(self.decode, default_namespace=namespace)
        added, gone = differing or self._differing(objects)
        intake.update(added, gone, found)
        for raw in gone:
            del self._objects[id(raw)]
        self._objects |= {id(raw): raw for raw in added}
        current = {raw.digest for raw in added}
        for raw in gone:
            if raw.digest not in current:
                self.decoded.pop(raw.digest, None)
        if len(self.decoded) > len(objects) + _SPARE:  # of objects that did not take part
            current = {raw.digest for raw in objects}
            self.decoded = {digest: one for digest, one in self.decoded.items() if digest in current}
        return intake

    def _differing(self, objects: tuple[RawObject, ...]) -> Differing:
        new = dict(zip(map(id, objects), objects, strict=True))
        added = tuple(new[one] for one in new.keys() - self._objects.keys())
        return added, tuple(self._objects[one] for one in self._objects.keys() - new.keys())

    def forget(self) -> None:
        """Everything is made anew: something was raised."""
        self._intake, self._objects, self._gateways, self._asked = None, {}, {}, None
        self._ingresses, self._discovered, self._mesh = None, None, None

    def discovered(self, world: World) -> World:
        """The world without namespaces that do not count."""
        said = world.operators, world.config_map_by_key.get((NAMESPACE, NAME))
        if self._mesh is None or self._mesh[0] is not said[0] or self._mesh[1] is not said[1]:
            self._mesh = (*said, mesh_config(world))
        self._discovered = discovered(world, self._mesh[2].discovery_selectors, self._discovered)
        return self._discovered.made

    def joined(self, world: World) -> tuple[World, tuple[Problem, ...]]:
        """The world with what its Ingresses become, and what is wrong with these."""
        before = self._ingresses or _Ingresses(Steps(), world)
        steps = before.steps
        if self._ingresses is not None:
            steps.begin(world.facts_since(before.world))
        asked = _Ingresses(steps, world)
        made: Converted = steps.value(_converted, replace(asked, world=ObservedWorld(world, steps.look)))
        asked.made = made if made is before.made else as_before(made, before.made)
        self._ingresses = asked
        return joined(world, asked.made), made.problems

    def declared(self, world: World, settings: Settings) -> "_Declared":
        """Which proxies there are, as `_declared` says."""
        settings, before = (
            replace(settings, key_sets=None, modules=None, lingering={}, shedding=frozenset()),
            self._asked,
        )  # these declare no proxy
        if before is None or before.settings != settings:
            steps = Steps()
        else:
            steps = before.steps
            steps.begin(world.facts_since(before.world))
        self._asked = _Asked(steps, world, settings)
        found: _Declared = steps.value(
            _declared, replace(self._asked, world=ObservedWorld(world, steps.look))
        )
        return found


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the steps that find out which proxies there are go by."""

    steps: Steps
    world: World
    settings: Settings


@dataclass(slots=True)
class _Ingresses:
    """What the step goes by that reads Ingresses, and what they became."""

    steps: Steps
    world: World
    made: Converted = field(default_factory=Converted)


def _converted(asked: _Ingresses) -> Converted:
    return converted(asked.world, mesh_config(asked.world))


_Some = tuple[tuple[Proxy, Switches, MeshConfig], ...]
# Gateways, sidecars, one problem for each that cannot be worked out, the trust domain of the mesh.
_Declared = tuple[_Some, _Some, tuple[Problem, ...], str]


def _declared(asked: _Asked) -> _Declared:
    world, settings, lost = asked.world, asked.settings, list[Problem]()
    declared = proxies(
        world, settings.environment, settings.external_ports, settings.routers, lost.append, settings.families
    )
    beside = sidecars(world, settings.environment, settings.sidecars, lost.append)
    if lost:
        asked.steps.report(lost[0])  # so that it is tried again
    return declared, beside, tuple(lost), mesh_config(world).trust_domain


def build(
    objects: tuple[RawObject, ...],
    found: tuple[Problem, ...],
    settings: Settings,
    memory: Memory | None = None,
    differing: Differing | None = None,
) -> Build:
    """Resolve `objects` for every gateway they declare; `found` are problems of reading them.

    `differing`: objects that are among these and were not among those of the last build with this memory, and the
    other way round; by identity. None: that is found out.
    """
    memory = memory or Memory()
    try:
        built = _build(objects, found, settings, memory, differing)
    except BaseException:
        memory.forget()
        raise
    return _verified(built, objects, found, settings, memory) if settings.environment.get(VERIFY) else built


def _verified(
    built: Build,
    objects: tuple[RawObject, ...],
    found: tuple[Problem, ...],
    settings: Settings,
    memory: Memory,
) -> Build:
    """The build, where it equals one that is made from nothing; else that one, and a problem."""
    anew = _build(objects, found, settings, Memory(), None)
    if _all_of(built) == _all_of(anew):
        return built
    memory.forget()
    problem = Problem(
        code="INT-006",
        resource=ResourceRef(kind="Configuration"),
        message="what was remembered is not what follows from the objects: everything was made anew",
        hint="Nothing is amiss now. This is a fault of mizzen; please report it.",
    )
    return replace(anew, problems=(*anew.problems, problem))


def _all_of(built: Build) -> tuple[object, ...]:
    return (
        [(gateway.proxy, gateway.model) for gateway in built.gateways],
        list(map(str, built.problems)),  # with their places
        (built.is_partial, built.trust_domain),
    )


def _build(
    objects: tuple[RawObject, ...],
    found: tuple[Problem, ...],
    settings: Settings,
    memory: Memory,
    differing: Differing | None,
) -> Build:
    intake = memory.take_in(objects, found, settings.default_namespace, differing)
    world, of_ingresses = memory.joined(memory.discovered(intake.world))
    declared, beside, failed, trust_domain = memory.declared(world, settings)
    lost = list(failed)  # a gateway for each
    made = [
        attempt(
            Stage.GATEWAY,
            one[0].origin,
            partial(_gateway, memory, world, settings, *one, how),
            lost.append,
            None,
        )
        for some, how in ((declared, resolve), (beside, resolve_sidecar))
        for one in some
    ]
    built = [gateway for gateway in made if gateway is not None]
    gateways = tuple(sorted(built, key=lambda gateway: gateway.proxy.key))
    there = {gateway.proxy.key for gateway in gateways}
    for key in memory._gateways.keys() - there:
        del memory._gateways[key]
    unknown = tuple(map(_unknown_mesh, _operators_with_errors(world, found)))
    idle = settings.routers is None and not declared
    unserved = served_by_nobody(world, settings.environment) if idle else ()
    of_gateways = map(world.located, map(as_written, (*unserved, *of_ingresses)))
    made_of = (*found, *intake.problems, *lost, *unknown, *of_gateways)
    return Build(
        world=world,
        gateways=() if unknown else gateways,
        problems=_sorted_problems(world, made_of, gateways),
        trust_domain=trust_domain,
        is_partial=bool(lost or unknown),
    )


def _sorted_problems(
    world: World, made_of: tuple[Problem, ...], gateways: tuple[GatewayBuild, ...]
) -> tuple[Problem, ...]:
    problems = dict.fromkeys(made_of)
    for gateway in gateways:
        problems |= dict.fromkeys(world.located(problem) for problem in gateway.problems)
    return capped(sorted(problems, key=sort_key))


def _operators_with_errors(world: World, found: tuple[Problem, ...]) -> list[ResourceRef]:
    """IstioOperators (and the ConfigMap of the mesh) that cannot be read, and of which there is no good version."""
    broken = {problem.resource for problem in found if problem.severity is Severity.ERROR}
    good = {operator.ref for operator in world.operators}
    good |= {one.ref for one in (world.config_map_by_key.get((NAMESPACE, NAME)),) if one is not None}
    refs = {ref for ref in (*world.refused, *broken) if _has_settings(ref)}
    return sorted(refs - good, key=str)


def _has_settings(ref: ResourceRef) -> bool:
    is_operator = ref.kind == IstioOperator.__name__ and is_ours(ref)
    return is_operator or (ref.kind == ConfigMap.__name__ and is_of_mesh((ref.namespace, ref.name)))


def _unknown_mesh(operator: ResourceRef) -> Problem:
    return Problem(
        code="GRD-003",
        resource=operator,
        message="which gateways there are, and how paths, proxies and policies are to be read (meshConfig), is not known: "
        "nothing is served until it is",
        hint="Mend the error that is told of beside this. What is served already stays as it is.",
    )


def _gateway(
    memory: Memory,
    world: World,
    settings: Settings,
    proxy: Proxy,
    switches: Switches,
    mesh: MeshConfig,
    how: Callable[[Context], Model],
) -> GatewayBuild:
    lingering = settings.lingering.get(proxy.called, NOTHING_LINGERS)
    sheds = proxy.called in settings.shedding
    fetched: _Fetched = (settings.key_sets, settings.modules, lingering, sheds)
    given = (proxy, switches, mesh, settings.unix_folders, settings.files, how)
    known = memory._gateways.pop(proxy.key, None)  # it comes back once nothing has been raised
    if known is not None and known.settings == given:
        steps, facts = known.steps, tuple(world.facts_since(known.world))
        is_same = all(before is now for before, now in zip(known.fetched, fetched, strict=True))
        if not facts and not steps.has_faults and is_same:
            memory._gateways[proxy.key] = known
            return known.build
        steps.begin(facts)
    else:
        steps = Steps()
    context = observed(
        Context(
            world=world,
            proxy=proxy,
            mesh=mesh,
            switches=switches,
            report=steps.report,
            unix_folders=settings.unix_folders,
            files=settings.files,
            key_sets=settings.key_sets,
            modules=settings.modules,
            lingering=lingering,
            sheds=sheds,
            steps=steps,
        )
    )
    model = steps.stable("model", steps.root(how, context))
    built = GatewayBuild(
        proxy=proxy,
        model=model,
        identity=_identity(proxy, mesh),
        problems=tuple(dict.fromkeys(map(as_written, steps.problems()))),
    )
    memory._gateways[proxy.key] = _Gateway(given, steps, world, fetched, built)
    return built


def _identity(proxy: Proxy, mesh: MeshConfig) -> str:
    return spiffe(mesh.trust_domain, proxy.namespace, proxy.service_account)


def problems_at(built: Build, now: datetime) -> tuple[Problem, ...]:
    """The problems of a build and those that only time shows: certificates that are not valid `now`."""
    found = dict.fromkeys(built.problems)
    invalid = [
        problem
        for gateway in built.gateways
        for problem in validity_problems(gateway.model.certificates, now)
    ]
    # An equal Secret may stand in other lines by now than when the certificate was made of it.
    written = {secret.ref: secret.ref for secret in built.world.secrets} if invalid else {}
    for problem in invalid:
        found[replace(problem, resource=written.get(problem.resource, problem.resource))] = None
    return tuple(sorted(found, key=sort_key))


def analysed(built: Build, now: datetime) -> tuple[Problem, ...]:
    """All that can be known without an Envoy: these too that only translating shows."""
    found = dict.fromkeys(problems_at(built, now))
    configs: list[EnvoyConfig] = []
    for gateway in built.gateways:
        make = partial(gateway.config, gateway.announced_when_proven())
        wrong: list[Problem] = []
        config = attempt(Stage.GATEWAY, gateway.proxy.origin, make, wrong.append, None)
        # A part that is translated of what was remembered may have been written in other lines.
        found |= dict.fromkeys(map(built.world.located, (*wrong, *(config.problems if config else ()))))
        configs += [config] if config else []
    found |= dict.fromkeys(map(built.world.located, for_nothing(configs)))
    return capped(sorted(found, key=sort_key))


def to_snapshot(
    config: EnvoyConfig,
    before: Snapshot | None,
    credentials: tuple[Certificate, TrustedCa] | None = None,
    system_roots: TrustedCa | None = None,
    ticket_keys: Sequence[bytes] = (),
) -> Snapshot:
    """What goes on the wire: bytes and content versions; unchanged parts are taken from `before`.

    `credentials`: the proxy's own certificate and the roots of the mesh, `system_roots`: those of its machine,
    all of which it asks for apart. `ticket_keys`: of session tickets.
    """
    own = {system_roots.name: ca_secret(system_roots)} if system_roots is not None else {}
    if credentials is not None:
        pair, roots = credentials
        own |= {pair.name: tls_secret(pair), roots.name: ca_secret(roots)}
    if ticket_keys:
        keys = session_ticket_keys(ticket_keys)
        own |= {keys.name: keys}
    if not own:
        return snapshot(config.bodies, before)
    made = {name: message.SerializeToString(deterministic=True) for name, message in own.items()}
    secrets = config.bodies[SECRETS].updated(made)
    return snapshot({**config.bodies, SECRETS: secrets}, before)
