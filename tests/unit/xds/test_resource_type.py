from mizzen._api import pb
from mizzen.xds.resource_type import ENDPOINTS, ROUTES, SEND_ORDER, resource_type


def test_clusters_and_endpoints_go_before_listeners_and_routes() -> None:
    assert [kind.short for kind in SEND_ORDER] == ["CDS", "EDS", "SDS", "ECDS", "LDS", "SRDS", "RDS"]


def test_types_have_envoys_urls() -> None:
    assert [kind.url.removeprefix("type.googleapis.com/") for kind in SEND_ORDER] == [
        "envoy.config.cluster.v3.Cluster",
        "envoy.config.endpoint.v3.ClusterLoadAssignment",
        "envoy.extensions.transport_sockets.tls.v3.Secret",
        "envoy.config.core.v3.TypedExtensionConfig",
        "envoy.config.listener.v3.Listener",
        "envoy.config.route.v3.ScopedRouteConfiguration",
        "envoy.config.route.v3.RouteConfiguration",
    ]


def test_an_unknown_name_is_answered_with_something_empty() -> None:
    assert ENDPOINTS.empty is not None
    assert ROUTES.empty is not None

    endpoints = pb.ClusterLoadAssignment.FromString(ENDPOINTS.empty("shop"))
    routes = pb.RouteConfiguration.FromString(ROUTES.empty("http.8080"))

    assert endpoints == pb.ClusterLoadAssignment(cluster_name="shop")
    assert routes == pb.RouteConfiguration(name="http.8080", validate_clusters=pb.BoolValue(value=False))


def test_a_type_that_we_do_not_serve_is_known_by_its_last_word() -> None:
    assert resource_type("type.googleapis.com/envoy.service.runtime.v3.Runtime").short == "Runtime"
