import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from google.protobuf import json_format

from mizzen._api import pb
from mizzen.proxy.bootstrap import ProxySpec, arguments, bootstrap
from mizzen.xds.node import gateway_of, start_of
from mizzen.xds.start import Start

RUN = Path("/run/mizzen")
SPEC = ProxySpec(
    name="istio-ingressgateway",
    namespace="istio-system",
    labels={"istio": "ingressgateway"},
    ads_socket=RUN / "ads.sock",
    sds_socket=RUN / "sds.sock",
    admin_socket=RUN / "gw" / "admin.sock",
    health_socket=RUN / "gw" / "health.sock",
)


def parsed(spec: ProxySpec = SPEC) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bootstrap(spec))
    return found


def test_the_control_plane_finds_the_gateway_in_the_node_id() -> None:
    assert gateway_of(pb.Node(id=SPEC.node_id)) == SPEC.key == "istio-ingressgateway.istio-system"


def test_the_two_own_listeners_are_those_of_the_walk_through() -> None:
    listeners = parsed()["static_resources"]["listeners"]

    found = {}
    for one in listeners:
        (network_filter,) = one["filter_chains"][0]["filters"]
        hcm = network_filter["typed_config"]
        (host,) = hcm["route_config"]["virtual_hosts"]
        (route,) = host["routes"]
        found[one["name"]] = (
            hcm["stat_prefix"],
            host["domains"],
            route["match"]["prefix"],
            route["route"]["cluster"],
        )
    assert found == {
        "0.0.0.0_15021": ("agent", ["*"], "/healthz/ready", "agent"),
        "0.0.0.0_15090": ("stats", ["*"], "/stats/prometheus", "prometheus_stats"),
    }
    assert SPEC.own_listeners == found.keys()


def test_whatever_follows_the_path_only_that_page_is_asked_for() -> None:
    for one in parsed()["static_resources"]["listeners"]:
        hcm = one["filter_chains"][0]["filters"][0]["typed_config"]
        (route,) = hcm["route_config"]["virtual_hosts"][0]["routes"]
        rewrite = route["route"]["regex_rewrite"]
        assert (rewrite["pattern"]["regex"], rewrite["substitution"]) == ("^.*$", route["match"]["prefix"])


def test_own_listeners_are_valid_envoy_messages() -> None:
    for one in parsed()["static_resources"]["listeners"]:
        assert json_format.ParseDict(one, pb.Listener()).name == one["name"]


def test_each_cluster_is_a_unix_socket() -> None:
    found = {}
    for cluster in parsed()["static_resources"]["clusters"]:
        (endpoint,) = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        found[cluster["name"]] = endpoint["endpoint"]["address"]["pipe"]["path"]
    assert found == {
        "xds-grpc": "/run/mizzen/ads.sock",
        "sds-grpc": "/run/mizzen/sds.sock",
        "agent": "/run/mizzen/gw/health.sock",
        "prometheus_stats": "/run/mizzen/gw/admin.sock",
    }


def test_admin_is_for_its_owner_alone() -> None:
    assert parsed()["admin"]["address"]["pipe"] == {"path": "/run/mizzen/gw/admin.sock", "mode": 0o600}


def test_everything_else_comes_by_delta_ads_however_long_it_takes() -> None:
    dynamic = parsed()["dynamic_resources"]

    assert dynamic["ads_config"]["api_type"] == "DELTA_GRPC"
    assert dynamic["lds_config"] == dynamic["cds_config"]
    assert dynamic["lds_config"]["initial_fetch_timeout"] == "0s"


def test_the_same_gateway_has_the_same_bytes() -> None:
    assert bootstrap(SPEC) == bootstrap(SPEC)


def test_envoy_shares_nothing_with_other_envoys_and_drains_in_twenty_seconds() -> None:
    found = arguments(SPEC, RUN / "gw" / "bootstrap.json")

    assert found[:2] == ("-c", "/run/mizzen/gw/bootstrap.json")
    assert "--disable-hot-restart" in found
    assert found[found.index("--drain-time-s") + 1] == "20"
    assert "--concurrency" not in found


def test_drain_time_and_the_number_of_connections_are_as_the_proxys_configuration_says() -> None:
    spec = replace(SPEC, drain_seconds=45, max_connections=100)
    found = arguments(spec, RUN / "gw" / "bootstrap.json")
    [monitor] = parsed(spec)["overload_manager"]["resource_monitors"]

    assert found[found.index("--drain-time-s") + 1] == "45"
    assert monitor["typed_config"]["max_active_downstream_connections"] == 100


def test_envoy_does_not_log_each_use_of_a_deprecated_field() -> None:
    """One line for each route at each update: with 1,000 hosts that was 1.3 MB for every change."""
    found = arguments(SPEC, RUN / "gw" / "bootstrap.json")

    assert found[found.index("--component-log-level") + 1] == "misc:error"


def test_a_node_tells_how_the_envoy_before_it_ended() -> None:
    assert "MIZZEN_START" not in parsed()["node"]["metadata"]
    again = json_format.ParseDict(parsed(replace(SPEC, start=Start(2, "SIGABRT")))["node"], pb.Node())

    assert start_of(again) == Start(2, "SIGABRT")


def test_only_the_edge_counts_the_requests_that_are_called_off_and_gives_tickets_of_our_keys() -> None:
    sidecar, gateway = (
        parsed(spec)["layered_runtime"]["layers"][0]["static_layer"]
        for spec in (replace(SPEC, kind="sidecar"), SPEC)
    )
    (key,) = sidecar.keys() - gateway.keys()
    assert key == "overload.premature_reset_total_stream_count"
    (key,) = gateway.keys() - sidecar.keys()
    assert gateway[key] is True
    assert key == "envoy.reloadable_features.quic_session_ticket_support"


def test_more_of_the_runtime_may_be_said_but_what_is_set_here_stays() -> None:
    guard = "envoy.reloadable_features.rbac_match_headers_individually"
    said = {"overload.some": "7", guard: "true", "taken.back": "", "": "x"}
    usual, found = (
        parsed(spec)["layered_runtime"]["layers"][0]["static_layer"]
        for spec in (SPEC, replace(SPEC, runtime=said))
    )
    assert found == {**usual, "overload.some": "7"}
    assert found[guard] is False


def test_the_envoy_of_a_container_tells_how_much_cpu_that_uses() -> None:
    names = [
        [one["name"] for one in json.loads(bootstrap(spec))["overload_manager"]["resource_monitors"]]
        for spec in (SPEC, replace(SPEC, is_contained=True))
    ]
    assert names[1][len(names[0]) :] == ["envoy.resource_monitors.cpu_utilization"]
