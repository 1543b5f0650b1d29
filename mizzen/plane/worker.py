"""What is done in the one thread that builds: read, admit, decode, resolve, translate.

All that is remembered between builds is here, and nobody else touches it. What it is given are values that nobody
changes while it works: the event loop hands in what it knows, and takes what comes out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from datetime import datetime
from functools import partial

from mizzen.blame.ledger import Ledger
from mizzen.blame.pieces import Bodies
from mizzen.envoy.config import EnvoyConfig
from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.guard import Stage, attempt
from mizzen.http3.server import Server
from mizzen.http3.session_tickets import ticket_key
from mizzen.lazy import dataclass
from mizzen.model import Model
from mizzen.model.tls import BESIDE_PROXY, Certificate, TrustedCa
from mizzen.node.instance import Instance
from mizzen.node.system_roots import SystemRoots
from mizzen.pipeline import (
    Announced,
    Build,
    Differing,
    GatewayBuild,
    Memory,
    Settings,
    build,
    problems_at,
    to_snapshot,
)
from mizzen.plane.build_result import Made, declares_all
from mizzen.plane.effects import Promises
from mizzen.plane.envoy_files import unusable_files, without_files
from mizzen.plane.mirror_proof import Targets, targets
from mizzen.plane.scoped_file import ScopedFile
from mizzen.plane.served_gateway import Gateway, Translated
from mizzen.plane.taken_ports import Claim, claims_of, given_up, mark_lost, occupied
from mizzen.resolve.access.patches import misunderstood
from mizzen.resolve.parts import secrets_of_backend, secrets_of_chains
from mizzen.resolve.tls.secrets import next_validity, validity_problems
from mizzen.resources.decode import identify
from mizzen.resources.istio.envoy_filter import EnvoyFilter
from mizzen.resources.raw_objects import RawObject
from mizzen.sources.last_good import Admitted, LastGood
from mizzen.sources.listing import Listing
from mizzen.sources.named_files import NamedFiles, Stamps, stamps
from mizzen.sources.state_file import StateFile
from mizzen.sources.versions import Key as VersionKey
from mizzen.sources.versions import key_of
from mizzen.xds.resource_type import SECRET
from mizzen.xds.snapshot import Snapshot

Credentials = Mapping[str, tuple[Certificate, TrustedCa]]  # by SPIFFE name
Faults = Mapping[str, tuple[Problem, ...]]  # digest of an object -> what keeps it from taking part


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a build is made of. Values: nothing of it is changed once it is handed over."""

    number: int
    read: Callable[[], Listing]  # the objects as they were when it was asked for, or later
    registered: tuple[RawObject, ...] = ()  # workloads that no object names
    settings: Settings
    gateways: Mapping[str, Gateway] = field(default_factory=dict)  # that are served
    promises: Promises = field(default_factory=dict)
    credentials: Credentials = field(default_factory=dict)
    ticket_seeds: tuple[bytes, ...] = field(default=(), repr=False)  # of the keys of session tickets
    ledger: Ledger = field(default_factory=Ledger)  # objects that Envoy does not take
    now: datetime


@dataclass(slots=True)
class Worker:
    """Its methods are called in one thread, one after the other."""

    instance: Instance
    system_roots: SystemRoots | None  # of this machine, where the proxies are on it; None: they are elsewhere
    kept: StateFile | None = None  # where objects are kept that files hold no more as they should
    scoped: ScopedFile | None = None  # how route tables are sent, for whoever follows
    memory: Memory = field(default_factory=Memory)
    last_good: LastGood = field(init=False)
    _default_namespace: str = "default"
    _at_fault: Faults = field(default_factory=dict)  # objects that cannot be built
    _ledger: Ledger = field(default_factory=Ledger)
    _set_aside: Faults = field(default_factory=dict)  # of the ledger, those that are listed
    _older: dict[VersionKey, RawObject] = field(default_factory=dict)  # the good version before the last one
    _was_aside: Faults = field(default_factory=dict)
    _files: NamedFiles = field(default_factory=NamedFiles)  # that objects name
    _named: Stamps = field(default_factory=dict)
    # What the last build was made of, where nothing in it stood for something else.
    _built: tuple[Admitted, tuple[RawObject, ...]] | None = None

    def __post_init__(self) -> None:
        self.last_good = LastGood(self._errors, self.kept)

    @property
    def is_local(self) -> bool:
        """Are the proxies on this machine?"""
        return self.system_roots is not None

    def build(self, inputs: Inputs) -> Made:
        """All that follows from the objects as they are now. What raises leaves everything as it was."""
        self._default_namespace, self._ledger = inputs.settings.default_namespace, inputs.ledger
        listing = inputs.read()
        self._set_aside = self._ledger.listed(listing.objects)
        cleared, self._at_fault = tuple(self._at_fault), {}
        made = self._make(inputs, listing, cleared)
        if at_fault := made.at_fault(self.last_good.was_good, self._default_namespace):
            # What cannot be built has an error as any other: its last good version stays.
            self._at_fault = at_fault
            self.last_good.undo()
            made = self._make(inputs, listing, tuple(at_fault))
        if self.scoped is not None:
            self.scoped.keep({key: one.config.scoped for key, one in made.gateways.items()})
        return made

    def translate(
        self,
        gateway: Gateway,
        values: Announced,
        credentials: Credentials,
        ticket_seeds: tuple[bytes, ...] = (),
    ) -> Translated:
        """The same build as a gateway has, with other words on HTTP/3, other credentials or keys."""
        before = gateway.translated
        config = before.build.config(values, before.config)
        snapshot, lingering = self._snapshot(before.build, config, credentials, ticket_seeds, gateway)
        return replace(before, config=config, snapshot=snapshot, announced=values, lingering=lingering)

    def _errors(self, raw: RawObject) -> tuple[Problem, ...]:
        decoded = self.memory.decode(raw, self._default_namespace)
        patches = _misunderstood(decoded.resource) if isinstance(decoded.resource, EnvoyFilter) else ()
        aside = self._ledger.problems_of(raw)
        return (*decoded.problems, *patches, *self._at_fault.get(raw.digest, ()), *aside)

    def restore(
        self, earlier: Mapping[ResourceRef, RawObject | None], objects: tuple[RawObject, ...]
    ) -> None:
        """The versions that take the place of some `objects` if these are set aside; None: there is none."""
        for raw in objects:
            ref = identify(raw, self._default_namespace)
            if (before := earlier.get(ref)) is not None:
                self._older[key_of(raw)] = before
            elif ref in earlier:
                self._older.pop(key_of(raw), None)

    def candidate(self, key: str, made: Made, objects: tuple[RawObject, ...]) -> Bodies | None:
        """What a gateway would be told if there were these objects in the place of those of `made`; None if it would not
        be there."""
        self._built = None  # what is remembered is then of these
        known = made.gateways.get(key)
        for gateway in build(objects, made.found, made.settings, self.memory).gateways:
            if gateway.proxy.key == key:
                before = known.config if known is not None else None
                return gateway.config(gateway.announced_when_proven(), before, self._decided(key)).bodies
        return None

    def _make(self, inputs: Inputs, listing: Listing, judged: Iterable[str]) -> Made:
        """`judged`: digests of objects of which `_errors` says something else than before."""
        admitted = self._admit(listing, judged)
        found = (*listing.problems, *admitted.problems)
        objects = (*admitted.objects, *inputs.registered)
        settings = self._with_files(inputs.settings, admitted)
        differing = self._differing(admitted, inputs.registered)
        result = build(self._without_those_aside(objects), found, settings, self.memory, differing)
        self._built = None if self._set_aside else (admitted, inputs.registered)
        gateways, lost = self._translated(inputs, result)
        certificates = [one for gateway in result.gateways for one in gateway.model.certificates]
        return Made(
            number=inputs.number,
            result=result,
            gateways=gateways,
            objects=objects,
            lost=lost,
            is_sound=not lost and _is_sound(result, admitted),
            problems=problems_now(result, inputs.now),
            valid_until=next_validity(certificates, inputs.now),
            named=self._named,
            found=found,
            settings=settings,
        )

    def _differing(self, admitted: Admitted, registered: tuple[RawObject, ...]) -> Differing | None:
        """What differs from the objects of the last build, where that is known; None: it is to be found out."""
        built, self._built = self._built, None
        if built is None or self._set_aside or built[1] != registered:
            return None
        difference = admitted.after(built[0].token, built[0].objects)
        return difference.added, difference.gone

    def _admit(self, listing: Listing, judged: Iterable[str]) -> Admitted:
        """As LastGood does; where a version that has been good is set aside, the one before it is the last good one."""
        aside, last_good = self._set_aside, self.last_good
        for key in [key for key, raw in last_good.good.items() if raw.digest in aside] if aside else ():
            older = self._older.get(key)
            last_good.replace(key, older if older is not None and older.digest not in aside else None)
        was, self._was_aside = self._was_aside, aside
        turned = {*judged, *(one for one in aside.keys() | was.keys() if aside.get(one) != was.get(one))}
        admitted = last_good.admit(listing, turned)
        for key, before in last_good.replaced().items():
            now = last_good.good.get(key)
            if now is None:
                self._older.pop(key, None)
            elif before is not None and before.digest not in (now.digest, *aside):
                self._older[key] = before
        return admitted

    def _without_those_aside(self, objects: tuple[RawObject, ...]) -> tuple[RawObject, ...]:
        """What is set aside and has no good version takes no part, as an object with an error: it closes what that does."""
        if not self._set_aside:
            return objects
        return tuple(
            self._ledger.applied_to(raw) if raw.digest in self._set_aside else raw for raw in objects
        )

    def _translated(
        self, inputs: Inputs, result: Build
    ) -> tuple[Mapping[str, Translated], tuple[Problem, ...]]:
        """What each gateway shall be told; one at which that fails keeps what it has."""
        translated: dict[str, Translated] = {}
        lost: list[Problem] = []
        wanted = tuple(claim for one in result.gateways for claim in claims_of(one.model, frozenset()))
        for gateway in result.gateways:
            before = inputs.gateways.get(gateway.proxy.key)
            make = partial(self._one, inputs, gateway, before, translated, wanted)
            instead = before.translated if before else None
            one = attempt(Stage.GATEWAY, gateway.proxy.origin, make, lost.append, instead)
            if one is not None:
                translated[one.key] = one
        if result.is_partial:
            served = {key: gateway.translated for key, gateway in inputs.gateways.items()}
            return {**served, **translated}, tuple(lost)
        return translated, tuple(lost)

    def _one(
        self,
        inputs: Inputs,
        gateway: GatewayBuild,
        before: Gateway | None,
        others: Mapping[str, Translated],
        wanted: tuple[Claim, ...],
    ) -> Translated:
        """What one gateway shall be told, less the listeners whose ports are taken; `others` come before it. `wanted`: what
        all would like to serve."""
        key = gateway.proxy.key
        if self.is_local:
            gateway = gateway.without_listeners(given_up(gateway.model, wanted))
        claims = tuple(claim for other in others.values() for claim in other.claims)
        held = before.opened if before else frozenset()
        taken = occupied(gateway.model, held, self.instance.gateway(key), claims) if self.is_local else ()
        taken = mark_lost(taken, before.once_served if before else frozenset())
        lost = frozenset(one.listener for one in taken)
        known = before.translated if before else None
        unusable = unusable_files(gateway, known.build.model if known else None) if self.is_local else ()
        usable = without_files(gateway.without_listeners(lost), unusable)
        mirrors = targets(usable.model, known.targets if known else None)
        announced = _announced(inputs, usable, mirrors, before)
        decided = self._decided(key)
        config = usable.config(announced, known.config if known else None, decided)
        snapshot, lingering = self._snapshot(usable, config, inputs.credentials, inputs.ticket_seeds, before)
        roots = self.system_roots.problems(usable.model) if self.system_roots else ()
        wrong = (
            *config.problems,
            *(one.problem for one in taken),
            *roots,
            *(one.problem for one in unusable),
        )
        return Translated(
            build=usable,
            config=config,
            snapshot=snapshot,
            announced=announced,
            targets=mirrors,
            occupied=taken,
            unusable=unusable,
            claims=claims_of(gateway.model, lost),
            stubborn=before.unopened - lost if before else frozenset(),
            lingering=lingering,
            problems=wrong,
        )

    def _decided(self, key: str) -> Mapping[str, bool]:
        """How the route tables of a gateway were sent by an earlier process."""
        return self.scoped.of(key) if self.scoped is not None else {}

    def _snapshot(
        self,
        built: GatewayBuild,
        config: EnvoyConfig,
        credentials: Credentials,
        ticket_seeds: tuple[bytes, ...],
        before: Gateway | None,
    ) -> tuple[Snapshot, frozenset[str]]:
        """What goes to a proxy: its configuration, and who it is; and the Secrets in it that only linger."""
        known = before.translated.snapshot if before else None
        # A proxy of another machine has its credentials from its agent.
        roots = self.system_roots.wanted(built.model) if self.system_roots else None
        gives_tickets = any(one.gives_tickets for one in built.model.listeners)
        keys = [ticket_key(seed, built.proxy.called) for seed in ticket_seeds] if gives_tickets else []
        snapshot = to_snapshot(config, known, credentials.get(built.identity), roots, keys)
        return kept_secrets(snapshot, built.model, before)

    def _with_files(self, settings: Settings, admitted: Admitted) -> Settings:
        """With the files of this machine that objects name; where proxies are elsewhere, so are their files."""
        if not self.is_local:
            return settings
        self._files.follow(admitted, settings.certificate_folders)
        self._named = self._files.stamps
        if self.system_roots:
            self._named = {**self._named, **stamps(self.system_roots.paths)}
        return replace(settings, files=self._files.files)


def problems_now(result: Build, now: datetime) -> tuple[Problem, ...]:
    """As `problems_at`; those of the build itself, sorted as they are, where time has nothing to add."""
    wrong = any(validity_problems(gateway.model.certificates, now) for gateway in result.gateways)
    return problems_at(result, now) if wrong else result.problems


def _misunderstood(owner: EnvoyFilter) -> tuple[Problem, ...]:
    """Why patches cannot be honoured. Guarded, as decoding is: what raises here would keep everybody's build back."""
    raised: list[Problem] = []
    found = attempt(Stage.READ, owner.ref, partial(misunderstood, owner), raised.append, ())
    return (*found, *raised)


def _is_sound(result: Build, admitted: Admitted) -> bool:
    if result.is_partial:
        return False
    errors = {one for one in result.problems if one.severity is Severity.ERROR}
    return declares_all(errors.difference(admitted.problems)) if errors else True


def _announced(inputs: Inputs, gateway: GatewayBuild, mirrors: Targets, before: Gateway | None) -> Announced:
    """What its answers say of HTTP/3 at first: what they said, and what clients were promised of new servers."""
    if before is not None and mirrors is before.translated.targets:
        return before.values
    found = {
        name: inputs.promises.get((gateway.proxy.called, name), Server())
        .follow((target.announcement,), inputs.now)
        .value
        for name, target in mirrors.items()
    }
    return before.values if before is not None and found == before.values else found


def kept_secrets(snapshot: Snapshot, model: Model, before: Gateway | None) -> tuple[Snapshot, frozenset[str]]:
    """Certificates that went bad or away keep their last good version while the model refers to them by name, or an
    Envoy still asks for them; the names of those for which only an Envoy asks."""
    if before is None:
        return snapshot, frozenset()
    old, now = before.translated.snapshot.of(SECRET.url), snapshot.of(SECRET.url)
    if not (gone := now.difference(old).removed):
        return snapshot, frozenset()
    # Those of the proxy itself are asked for on a stream of their own.
    wanted = gone & (BESIDE_PROXY | frozenset(_named(model)))
    asked = {
        name
        for client in before.clients.values()
        if (status := client.stream.of(SECRET.url)) is not None
        for name in gone.intersection(status.subscribed)
    }
    kept = now.updated({name: old[name] for name in wanted | asked})
    return snapshot.replaced(SECRET.url, old if kept == old else kept), frozenset(asked - wanted)


def _named(model: Model) -> Iterator[str]:
    """The names of the Secrets that a gateway asks for."""
    yield from secrets_of_chains(model.listeners)
    for backend in model.backends.values():
        yield from secrets_of_backend(backend)
