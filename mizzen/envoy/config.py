"""Everything of one gateway: Model -> EnvoyConfig."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.envoy.cluster import BLACK_HOLE, black_hole, cluster, is_told_endpoints
from mizzen.envoy.endpoints import cluster_load_assignment
from mizzen.envoy.filters.announcement import typed_extension_config
from mizzen.envoy.listener import listener
from mizzen.envoy.route_configuration import route_configuration
from mizzen.envoy.secret import ca_secret, tls_secret
from mizzen.errors import ResourceRef
from mizzen.model import Model
from mizzen.model.backend import Backend
from mizzen.model.listener import HeaderCase, Listener
from mizzen.model.route import RouteTable

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


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvoyConfig:
    """What one Envoy shall hold, and which object of the user each part comes from. Never changed again."""

    resources: Resources  # sorted by name
    origins: Mapping[tuple[str, str], ResourceRef]  # (type URL, name) -> whom a rejection goes back to


def envoy_config(
    model: Model, announced: Mapping[str, str | None], before: tuple[Model, EnvoyConfig] | None = None
) -> EnvoyConfig:
    """Translate `model`. `announced`: name of an Announcement -> value of alt-svc, None (or absent) for none.

    `before`: an earlier model and what it was translated to; the very parts that are still there are not
    translated again. It changes no result.
    """
    header_case = _header_case(model)
    told = [backend for backend in model.backends if is_told_endpoints(backend)]
    known = _Known.of(before)
    resources: dict[str, dict[str, Message]] = {
        LISTENERS: known.translated(LISTENERS, model.listeners, listener),
        ROUTES: known.translated(ROUTES, model.route_tables, route_configuration),
        CLUSTERS: {
            BLACK_HOLE: black_hole(),
            **(known if known.header_case is header_case else _Known()).translated(
                CLUSTERS, model.backends, lambda backend: cluster(backend, header_case)
            ),
        },
        ENDPOINTS: known.translated(ENDPOINTS, told, cluster_load_assignment),
        SECRETS: {
            **{pair.name: tls_secret(pair) for pair in model.certificates},
            **{ca.name: ca_secret(ca) for ca in model.trusted_cas},
        },
        EXTENSION_CONFIGS: {
            one.name: typed_extension_config(one.name, announced.get(one.name)) for one in model.announcements
        },
    }
    return EnvoyConfig(
        resources={url: dict(sorted(named.items())) for url, named in resources.items()},
        origins=_origins(model),
    )


def _header_case(model: Model) -> HeaderCase:
    keep = any(one.edge.header_case is HeaderCase.PRESERVE for one in model.listeners)
    return HeaderCase.PRESERVE if keep else HeaderCase.LOWER


Part = TypeVar("Part", Listener, RouteTable, Backend)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was translated before: parts of a model by their identity (they are never changed)."""

    parts: frozenset[int] = frozenset()
    resources: Resources = field(default_factory=dict)
    header_case: HeaderCase | None = None

    @classmethod
    def of(cls, before: tuple[Model, EnvoyConfig] | None) -> "_Known":
        if before is None:
            return cls()
        model, config = before
        parts = (*model.listeners, *model.route_tables, *model.backends)
        return cls(frozenset(map(id, parts)), config.resources, _header_case(model))

    def translated(
        self, url: str, parts: Iterable[Part], translate: Callable[[Part], Message]
    ) -> dict[str, Message]:
        """By name; those that are known as they were."""
        old = self.resources.get(url, {})
        return {
            part.name: old[part.name] if id(part) in self.parts and part.name in old else translate(part)
            for part in parts
        }


def _origins(model: Model) -> dict[tuple[str, str], ResourceRef]:
    policies = {backend.name: backend.policy_origin or backend.origin for backend in model.backends}
    return {
        **{(LISTENERS, one.name): one.origin for one in model.listeners},
        **{(ROUTES, one.name): one.origin for one in model.route_tables},
        # Envoy refuses a cluster for how it is treated, and that is what a DestinationRule says.
        **{(CLUSTERS, name): origin for name, origin in policies.items()},
        **{(ENDPOINTS, one.name): one.origin for one in model.backends if is_told_endpoints(one)},
        **{(SECRETS, pair.name): pair.origin for pair in model.certificates},
        **{(SECRETS, ca.name): ca.origin for ca in model.trusted_cas},
        **{(EXTENSION_CONFIGS, one.name): one.origin for one in model.announcements},
    }
