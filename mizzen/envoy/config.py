"""Everything of one gateway: Model -> EnvoyConfig."""

from collections.abc import Mapping
from dataclasses import dataclass

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
from mizzen.model.listener import HeaderCase

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


def envoy_config(model: Model, announced: Mapping[str, str | None]) -> EnvoyConfig:
    """Translate `model`. `announced`: name of an Announcement -> value of alt-svc, None (or absent) for none."""
    keep_case = any(one.edge.header_case is HeaderCase.PRESERVE for one in model.listeners)
    header_case = HeaderCase.PRESERVE if keep_case else HeaderCase.LOWER
    told = [backend for backend in model.backends if is_told_endpoints(backend)]
    resources: dict[str, dict[str, Message]] = {
        LISTENERS: {one.name: listener(one) for one in model.listeners},
        ROUTES: {table.name: route_configuration(table) for table in model.route_tables},
        CLUSTERS: {
            BLACK_HOLE: black_hole(),
            **{backend.name: cluster(backend, header_case) for backend in model.backends},
        },
        ENDPOINTS: {backend.name: cluster_load_assignment(backend) for backend in told},
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
