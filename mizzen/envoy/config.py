"""Everything of one gateway: Model -> EnvoyConfig."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.envoy.closing import Closing
from mizzen.envoy.cluster import black_hole, cluster, is_told_endpoints
from mizzen.envoy.endpoints import cluster_load_assignment
from mizzen.envoy.filters.announcement import typed_extension_config
from mizzen.envoy.listener import listener
from mizzen.envoy.route_configuration import route_configuration
from mizzen.envoy.secret import ca_secret, tls_secret
from mizzen.envoy.violations import sound
from mizzen.errors import Problem, Report, ResourceRef
from mizzen.guard import Stage, attempt
from mizzen.model import Model
from mizzen.model.backend import BLACK_HOLE, Backend
from mizzen.model.listener import Announcement, HeaderCase, Listener
from mizzen.model.route import RouteTable
from mizzen.model.tls import Certificate, TrustedCa

# Type URL -> name -> message.
Resources = Mapping[str, Mapping[str, Message]]


def type_url(kind: type[Message]) -> str:
    """How xDS calls a type: "type.googleapis.com/envoy.config.listener.v3.Listener"."""
    return f"type.googleapis.com/{kind.DESCRIPTOR.full_name}"


LISTENERS = type_url(pb.Listener)
ROUTES = type_url(pb.RouteConfiguration)
CLUSTERS = type_url(pb.Cluster)
ENDPOINTS = type_url(pb.ClusterLoadAssignment)
SECRETS = type_url(pb.Secret)
EXTENSION_CONFIGS = type_url(pb.TypedExtensionConfig)
_TYPES = (LISTENERS, ROUTES, CLUSTERS, ENDPOINTS, SECRETS, EXTENSION_CONFIGS)

Name = tuple[str, str]  # (type URL, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoyConfig:
    """What one Envoy shall hold, and which object of the user each part comes from. Never changed again."""

    resources: Resources  # sorted by name
    bodies: Mapping[str, Mapping[str, bytes]]  # the same, serialised
    origins: Mapping[Name, ResourceRef]  # whom a rejection goes back to
    faults: Mapping[Name, tuple[Problem, ...]] = field(default_factory=dict)  # what could not be translated

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be translated, each once."""
        return tuple(dict.fromkeys(problem for some in self.faults.values() for problem in some))


def envoy_config(
    model: Model, announced: Mapping[str, str | None], before: tuple[Model, EnvoyConfig] | None = None
) -> EnvoyConfig:
    """Translate `model`. `announced`: name of an Announcement -> value of alt-svc, None (or absent) for none.

    `before`: an earlier model and what it was translated to; the parts that are still the same are not
    translated again. It changes no result.

    What raises, or breaks a rule of Envoy's API (it would refuse all that is sent with it), is reported
    (`EnvoyConfig.faults`) and closes: a chain refuses, a route fails, a backend has no endpoint. The other resources do
    not notice. What raises in that which many objects share (the address of a
    listener, a route table) is raised.
    """
    header_case = _header_case(model)
    told = [backend for backend in model.backends.values() if is_told_endpoints(backend)]
    known = _Known.of(before)
    made = _Made(_origins(model))
    closing = Closing()
    made.add(
        LISTENERS,
        model.listeners,
        lambda one, report: listener(closing.closed(one, report), report, known.listener(one.name)),
        known,
    )
    made.add(ROUTES, model.route_tables, route_configuration, known)
    made.add(
        CLUSTERS,
        model.backends.values(),
        lambda one, _: cluster(one, header_case),
        known if known.header_case is header_case else _Known(),
    )
    made.add(ENDPOINTS, told, lambda one, _: cluster_load_assignment(one), known, _no_endpoints)
    made.add(SECRETS, model.certificates, lambda one, _: tls_secret(one))
    made.add(SECRETS, model.trusted_cas, lambda one, _: ca_secret(one))
    made.add(
        EXTENSION_CONFIGS,
        model.announcements,
        lambda one, _: typed_extension_config(one.name, announced.get(one.name)),
    )
    made.put((CLUSTERS, BLACK_HOLE), _serialised(black_hole()))
    return made.config()


def _header_case(model: Model) -> HeaderCase:
    keep = any(one.edge.header_case is HeaderCase.PRESERVE for one in model.listeners)
    return HeaderCase.PRESERVE if keep else HeaderCase.LOWER


def _no_endpoints(backend: Backend) -> pb.ClusterLoadAssignment:
    """Requests get 503. Without this resource its cluster would wait for it, and all listeners with the cluster."""
    return pb.ClusterLoadAssignment(cluster_name=backend.name)


Pair = tuple[Message, bytes]  # a message, and what it is on the wire
Part = TypeVar("Part", Listener, RouteTable, Backend, Certificate, TrustedCa, Announcement)
PartOfModel = Listener | RouteTable | Backend


def _serialised(message: Message) -> Pair:
    return message, message.SerializeToString(deterministic=True)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was translated before, and of which parts of a model (they are never changed)."""

    parts: Mapping[tuple[type, str], PartOfModel] = field(default_factory=dict)
    config: EnvoyConfig | None = None
    header_case: HeaderCase | None = None

    @classmethod
    def of(cls, before: tuple[Model, EnvoyConfig] | None) -> "_Known":
        if before is None:
            return cls()
        model, config = before
        parts: tuple[PartOfModel, ...] = (*model.listeners, *model.route_tables, *model.backends.values())
        return cls({(type(part), part.name): part for part in parts}, config, _header_case(model))

    def get(self, key: Name, part: Part) -> tuple[Pair | None, tuple[Problem, ...]] | None:
        """What became of the same part; None where it is another. To compare costs a hundredth of translating."""
        earlier = self.parts.get((type(part), part.name))
        if self.config is None or earlier is None:
            return None
        url, name = key
        faults = self.config.faults.get(key, ())
        # Equal parts may be written in other lines, which problems tell.
        if part is not earlier and (faults or part != earlier):
            return None
        message, body = self.config.resources[url].get(name), self.config.bodies[url].get(name)
        if message is None or body is None:
            return (None, faults) if faults else None
        return (message, body), faults

    def listener(self, name: str) -> tuple[Listener, pb.Listener] | None:
        """A listener that was translated without a fault, and what it became."""
        part, key = self.parts.get((Listener, name)), (LISTENERS, name)
        message = self.config.resources[LISTENERS].get(name) if self.config else None
        if self.config is None or key in self.config.faults:
            return None
        return (part, message) if isinstance(part, Listener) and isinstance(message, pb.Listener) else None


@dataclass(slots=True)
class _Made:
    """What has been translated so far."""

    origins: Mapping[Name, ResourceRef]
    pairs: dict[Name, Pair] = field(default_factory=dict)
    faults: dict[Name, tuple[Problem, ...]] = field(default_factory=dict)

    def add(
        self,
        url: str,
        parts: Iterable[Part],
        translate: Callable[[Part, Report], Message],
        known: _Known | None = None,
        closed: Callable[[Part], Message] | None = None,
    ) -> None:
        """Translate and serialise. What raises is `closed`, or left out where nothing is said of that; listeners and
        route tables are guarded within, part by part."""
        for part in parts:
            key = (url, part.name)
            before = known.get(key, part) if known else None
            pair, problems = before or self._translated(key, part, translate, closed)
            if pair is not None:
                self.pairs[key] = pair
            if problems:
                self.faults[key] = problems

    def _translated(
        self,
        key: Name,
        part: Part,
        translate: Callable[[Part, Report], Message],
        closed: Callable[[Part], Message] | None,
    ) -> tuple[Pair | None, tuple[Problem, ...]]:
        problems: list[Problem] = []
        make = partial(_translated, translate, part, problems.append)
        if isinstance(part, Listener | RouteTable):
            made = make()
            return made, tuple(dict.fromkeys(problems))
        origin = self.origins.get(key, part.origin)
        pair = attempt(Stage.TRANSLATE, origin, make, problems.append, None)
        if pair is None and closed is not None:
            pair = attempt(Stage.TRANSLATE, origin, partial(_closed, closed, part), problems.append, None)
        return pair, tuple(dict.fromkeys(problems))

    def put(self, key: Name, pair: Pair) -> None:
        self.pairs[key] = pair

    def config(self) -> EnvoyConfig:
        resources: dict[str, dict[str, Message]] = {url: {} for url in _TYPES}
        bodies: dict[str, dict[str, bytes]] = {url: {} for url in _TYPES}
        for (url, name), (message, body) in sorted(self.pairs.items(), key=lambda item: item[0]):
            resources[url][name] = message
            bodies[url][name] = body
        return EnvoyConfig(resources=resources, bodies=bodies, origins=self.origins, faults=self.faults)


def _translated(translate: Callable[[Part, Report], Message], part: Part, report: Report) -> Pair:
    message = translate(part, report)
    return _serialised(message if isinstance(part, Listener | RouteTable) else sound(message))


def _closed(closed: Callable[[Part], Message], part: Part) -> Pair:
    return _serialised(closed(part))


def _origins(model: Model) -> dict[Name, ResourceRef]:
    policies = {backend.name: backend.policy_origin or backend.origin for backend in model.backends.values()}
    return {
        **{(LISTENERS, one.name): one.origin for one in model.listeners},
        **{(ROUTES, one.name): one.origin for one in model.route_tables},
        # Envoy refuses a cluster for how it is treated, and that is what a DestinationRule says.
        **{(CLUSTERS, name): origin for name, origin in policies.items()},
        **{(ENDPOINTS, one.name): one.origin for one in model.backends.values() if is_told_endpoints(one)},
        **{(SECRETS, pair.name): pair.origin for pair in model.certificates},
        **{(SECRETS, ca.name): ca.origin for ca in model.trusted_cas},
        **{(EXTENSION_CONFIGS, one.name): one.origin for one in model.announcements},
    }
