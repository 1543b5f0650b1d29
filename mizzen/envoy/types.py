"""The types of resources, by their URLs."""

from google.protobuf.message import Message

from mizzen._api import pb


def type_url(kind: type[Message]) -> str:
    """How xDS calls a type: "type.googleapis.com/envoy.config.listener.v3.Listener"."""
    return f"type.googleapis.com/{kind.DESCRIPTOR.full_name}"


_KINDS: tuple[type[Message], ...] = (
    pb.Listener,
    pb.RouteConfiguration,
    pb.ScopedRouteConfiguration,
    pb.Cluster,
    pb.ClusterLoadAssignment,
    pb.Secret,
    pb.TypedExtensionConfig,
)
MESSAGES = {type_url(kind): kind for kind in _KINDS}
LISTENERS, ROUTES, SCOPED_ROUTES, CLUSTERS, ENDPOINTS, SECRETS, EXTENSION_CONFIGS = MESSAGES
