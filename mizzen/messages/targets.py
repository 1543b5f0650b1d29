"""Which message of Envoy a patch is of, by what it is applied to."""

from collections.abc import Mapping

from google.protobuf.message import Message

from mizzen._api import pb
from mizzen.model.patch import Target

MESSAGE_OF: Mapping[Target, type[Message]] = {
    Target.LISTENER: pb.Listener,
    Target.FILTER_CHAIN: pb.FilterChain,
    Target.NETWORK_FILTER: pb.Filter,
    Target.HTTP_FILTER: pb.HttpFilter,
    Target.LISTENER_FILTER: pb.ListenerFilter,
    Target.ROUTE_CONFIGURATION: pb.RouteConfiguration,
    Target.VIRTUAL_HOST: pb.VirtualHost,
    Target.HTTP_ROUTE: pb.Route,
    Target.CLUSTER: pb.Cluster,
    Target.EXTENSION_CONFIG: pb.TypedExtensionConfig,
}
