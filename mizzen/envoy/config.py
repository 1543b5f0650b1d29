"""Everything of one gateway: Model -> EnvoyConfig, by difference.

What is the same as before is not translated again: parts of a model are never changed, so a part that is the very same
object is the same, and finding where two maps of them differ costs what differs. Only bytes are kept.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from functools import partial
from types import MappingProxyType
from typing import TypeVar

from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.envoy.changes import Bodies, Changes, Faults
from mizzen.envoy.closing import REFUSE_ALL, closed_policies
from mizzen.envoy.cluster import black_hole, cluster, is_told_endpoints
from mizzen.envoy.endpoints import cluster_load_assignment
from mizzen.envoy.filters import access_policies
from mizzen.envoy.filters.announcement import typed_extension_config
from mizzen.envoy.listeners import Listeners, translate_listeners
from mizzen.envoy.origins import origin_of
from mizzen.envoy.route_tables import Tables, translate_tables
from mizzen.envoy.scoping import SCOPES, Decided, Sending, decide
from mizzen.envoy.secret import ca_secret, connection_id_key, tls_secret
from mizzen.envoy.types import (
    CLUSTERS,
    ENDPOINTS,
    EXTENSION_CONFIGS,
    LISTENERS,
    MESSAGES,
    ROUTES,
    SCOPED_ROUTES,
    SECRETS,
    type_url,
)
from mizzen.envoy.violations import sound
from mizzen.errors import Problem, ResourceRef
from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.model import Model
from mizzen.model.backend import BLACK_HOLE, Backend
from mizzen.model.listener import HeaderCase
from mizzen.model.quic import ConnectionIdKey
from mizzen.model.tls import Certificate, TrustedCa
from mizzen.persistent import PersistentMap

_NO_BODIES: Bodies = {url: PersistentMap() for url in MESSAGES}
_BLACK_HOLE = black_hole().SerializeToString(deterministic=True)
Announced = Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoyConfig:
    """What one Envoy shall hold, and which object of the user each part comes from. Never changed again."""

    model: Model = field(repr=False)  # that it was translated from
    # Type URL -> name -> the resource, serialised. There are private keys among them: never printed.
    bodies: Bodies = field(repr=False)
    faults: Faults = field(default_factory=PersistentMap)  # what could not be translated, by the resource
    # What the next translation takes up.
    tables: Tables = field(default_factory=dict, compare=False, repr=False)
    listeners: Listeners = field(default_factory=dict, compare=False, repr=False)
    announced: Announced = field(default_factory=dict, compare=False, repr=False)
    # Where EnvoyFilters have changed it (patch/): what it was before, and what that stage takes up the next time.
    unpatched: "EnvoyConfig | None" = field(default=None, compare=False, repr=False)
    patched: object = field(default=None, compare=False, repr=False)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be translated, each once."""
        return tuple(dict.fromkeys(problem for some in self.faults.values() for problem in some))

    @property
    def scoped(self) -> Mapping[str, bool]:
        """Route table -> whether its hosts go to Envoy one by one: what a later process must know to do the same."""
        return {name: parts.sending == SCOPES for name, parts in self.tables.items()}

    def message(self, url: str, name: str) -> Message | None:
        """A resource, made anew from its bytes; None where there is none."""
        body = self.bodies[url].get(name) if url in self.bodies else None
        return None if body is None else MESSAGES[url].FromString(body)

    def messages(self) -> Iterator[Message]:
        """All resources, type by type and sorted by name."""
        return (
            MESSAGES[url].FromString(body) for url, named in self.bodies.items() for body in named.values()
        )

    def origin(self, url: str, name: str) -> ResourceRef | None:
        """The object that a resource comes from, whom a rejection goes back to."""
        return origin_of(self.model, url, name)


def envoy_config(
    model: Model,
    announced: Announced,
    before: EnvoyConfig | None = None,
    scoped: Mapping[str, bool] | None = None,
    whole: Mapping[str, ResourceRef] = MappingProxyType({}),
) -> EnvoyConfig:
    """Translate `model`. `announced`: name of an Announcement -> value of alt-svc, None (or absent) for none.

    `before`: what an earlier model was translated to; the parts that are still the same are not translated again, and
    how route tables are sent stays. `scoped`: what an earlier process decided of that (`EnvoyConfig.scoped`). `whole`: tables
    that must go as one, and the object for which they do.

    What raises, or breaks a rule of Envoy's API (it would refuse all that is sent with it), is reported
    (`EnvoyConfig.faults`) and closes: a chain refuses, a route fails, a backend has no endpoint. The other resources do
    not notice. What raises in that which many objects share (the address of a
    listener, a route table) is raised.
    """
    changes = Changes(before.bodies, before.faults) if before else Changes(_NO_BODIES, PersistentMap())
    sendings = _sendings(model, before, scoped or {}, whole)
    tables = translate_tables(model.route_tables, sendings, before.tables if before else {}, changes)
    in_scopes = frozenset(name for name, sending in sendings.items() if sending == SCOPES)
    listeners = translate_listeners(model.listeners, in_scopes, before.listeners if before else {}, changes)
    earlier = before.model if before else None
    _translate_backends(model, earlier, changes)
    _translate_named(
        changes,
        SECRETS,
        model.certificates,
        earlier.certificates if earlier else (),
        lambda one: tls_secret(one),
    )
    _translate_named(
        changes,
        SECRETS,
        model.trusted_cas,
        earlier.trusted_cas if earlier else (),
        lambda one: ca_secret(one),
    )
    _translate_named(
        changes,
        SECRETS,
        model.connection_id_keys,
        earlier.connection_id_keys if earlier else (),
        lambda one: connection_id_key(one),
    )
    _translate_access_policies(model, earlier, changes)
    said = _translate_announcements(model, announced, before, changes)
    bodies, faults = changes.applied()
    return EnvoyConfig(
        model=model, bodies=bodies, faults=faults, tables=tables, listeners=listeners, announced=said
    )


def _sendings(
    model: Model, before: EnvoyConfig | None, kept: Mapping[str, bool], whole: Mapping[str, ResourceRef]
) -> dict[str, Sending]:
    known = (
        {name: Decided(parts.table, parts.sending) for name, parts in before.tables.items()} if before else {}
    )
    return decide(model.route_tables, model.scoped, known, kept, whole)


# --- backends ---------------------------------------------------------------------------------------


def _header_case(model: Model) -> HeaderCase:
    keep = any(one.edge.header_case is HeaderCase.PRESERVE for one in model.listeners)
    return HeaderCase.PRESERVE if keep else HeaderCase.LOWER


def _translate_backends(model: Model, earlier: Model | None, changes: Changes) -> None:
    header_case = _header_case(model)
    comparable = earlier is not None and _header_case(earlier) is header_case
    difference = model.backends.difference(earlier.backends if earlier else None)
    before: Mapping[str, Backend] = earlier.backends if earlier else {}
    for name in difference.removed:
        changes.drop(CLUSTERS, name)
        changes.drop(ENDPOINTS, before[name].endpoints_name)
    for name, backend in (difference.changed if comparable or earlier is None else model.backends).items():
        known = before.get(name)
        if comparable and known is not None and not _is_faulty(backend, changes) and known == backend:
            continue
        make = partial(cluster, backend, header_case)
        _put(changes, CLUSTERS, name, backend.policy_origin or backend.origin, make)
        _translate_endpoints(backend, known, changes)
    changes.put(CLUSTERS, BLACK_HOLE, _BLACK_HOLE)


def _translate_endpoints(backend: Backend, before: Backend | None, changes: Changes) -> None:
    name, is_told = backend.endpoints_name, is_told_endpoints(backend)
    if is_told:
        give = partial(cluster_load_assignment, backend)
        _put(changes, ENDPOINTS, name, backend.origin, give, partial(_no_endpoints, backend))
    if before is not None and is_told_endpoints(before) and not (is_told and before.endpoints_name == name):
        changes.drop(ENDPOINTS, before.endpoints_name)


def _is_faulty(backend: Backend, changes: Changes) -> bool:
    """Equal parts may be written in other lines, which problems tell."""
    names = ((CLUSTERS, backend.name), (ENDPOINTS, backend.endpoints_name))
    return any(name in changes.faults for name in names)


def _no_endpoints(backend: Backend) -> pb.ClusterLoadAssignment:
    """Requests get 503. Without this resource its cluster would wait for it, and all listeners with the cluster."""
    return pb.ClusterLoadAssignment(cluster_name=backend.endpoints_name)


# --- what there is few of ---------------------------------------------------------------------------

Part = TypeVar("Part", Certificate, TrustedCa, ConnectionIdKey)


def _translate_named(
    changes: Changes,
    url: str,
    parts: Iterable[Part],
    earlier: Iterable[Part],
    make: Callable[[Part], Message],
) -> None:
    if parts is earlier:
        return
    known = {part.name: part for part in earlier}
    for part in parts:
        before = known.pop(part.name, None)
        if before is part or (before == part and (url, part.name) not in changes.faults):
            continue
        _put(changes, url, part.name, part.origin, partial(make, part))
    for name in known:
        changes.drop(url, name)


def _translate_announcements(
    model: Model, announced: Announced, before: EnvoyConfig | None, changes: Changes
) -> Announced:
    """Gives what the announcements of the model say."""
    said = {one.name: announced.get(one.name) for one in model.announcements}
    known = before.announced if before else {}
    earlier = {one.name: one for one in before.model.announcements} if before else {}
    for one in model.announcements:
        key = (EXTENSION_CONFIGS, one.name)
        before_it = earlier.get(one.name)
        is_same = before_it is not None and (before_it.trace_headers, before_it.strips_early_data) == (
            one.trace_headers,
            one.strips_early_data,
        )
        if not is_same or known[one.name] != said[one.name] or key in changes.faults:
            _put(changes, *key, one.origin, partial(typed_extension_config, one, said[one.name]))
    for name in known.keys() - said.keys():
        changes.drop(EXTENSION_CONFIGS, name)
    return said


def _translate_access_policies(model: Model, earlier: Model | None, changes: Changes) -> None:
    """What cannot be translated of it refuses (`closed_policies`); where all of it cannot, everybody is refused."""
    policies, before = model.access_policies, earlier.access_policies if earlier else None
    key = (EXTENSION_CONFIGS, access_policies.NAME)
    if policies is None:
        if before is not None:
            changes.drop(*key)
        return
    if before == policies and key not in changes.faults:
        return
    problems: list[Problem] = []
    closed = closed_policies(policies, problems.append)
    make = partial(_body, partial(access_policies.typed_extension_config, closed))
    body = attempt(Stage.TRANSLATE, policies.origin, make, problems.append, None)
    nobody = partial(access_policies.typed_extension_config, replace(closed, tokens=(), access=(REFUSE_ALL,)))
    changes.put(*key, body or _body(nobody), tuple(dict.fromkeys(problems)))


# --- one resource -----------------------------------------------------------------------------------


def _put(
    changes: Changes,
    url: str,
    name: str,
    origin: ResourceRef,
    make: Callable[[], Message],
    closed: Callable[[], Message] | None = None,
) -> None:
    """Translate and serialise. What raises is `closed`, or left out where nothing is said of that."""
    problems: list[Problem] = []
    body = attempt(Stage.TRANSLATE, origin, partial(_body, make), problems.append, None)
    if body is None and closed is not None:
        body = attempt(Stage.TRANSLATE, origin, partial(_body, closed), problems.append, None)
    changes.put(url, name, body, tuple(dict.fromkeys(problems)))


def _body(make: Callable[[], Message]) -> bytes:
    return sound(make()).SerializeToString(deterministic=True)


__all__ = [
    "CLUSTERS",
    "ENDPOINTS",
    "EXTENSION_CONFIGS",
    "LISTENERS",
    "ROUTES",
    "SCOPED_ROUTES",
    "SECRETS",
    "EnvoyConfig",
    "envoy_config",
    "type_url",
]
