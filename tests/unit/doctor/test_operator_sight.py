import pytest

from mizzen.doctor.operator_sight import (
    EnvoySight,
    listeners_of,
    servers,
    serving,
    stats_of,
    worker_connections,
)
from mizzen.status import EnvoyStatus, MirrorStatus, Status


def mirror(name: str, *hosts: str, port: int = 443) -> MirrorStatus:
    return MirrorStatus(
        server=name, hosts=hosts, port=port, listener="udp_0.0.0.0_8443", resource="Gateway/shop/web"
    )


ENVOY = EnvoyStatus(
    mirrors=(
        mirror("exact", "a.example.com"),
        mirror("near", "*.b.example.com"),
        mirror("far", "*.example.com"),
        mirror("elsewhere", "a.example.com", port=8443),
        mirror("any", port=9443),
        MirrorStatus(server="gone", listener="udp_0.0.0.0_8443"),
    )
)


@pytest.mark.parametrize(
    ("host", "port", "names"),
    [
        ("a.example.com", 443, ["exact"]),
        ("A.Example.com.", 443, ["exact"]),
        ("a.example.com", 8443, ["elsewhere"]),
        ("a.example.com", 1, ["exact", "elsewhere"]),
        ("x.b.example.com", 443, ["near"]),
        ("b.example.com", 443, ["far"]),
        ("example.com", 443, ["any"]),
        ("other.test", 9443, ["any"]),
    ],
)
def test_the_server_is_the_one_that_envoy_would_choose(host: str, port: int, names: list[str]) -> None:
    assert [one.server for one in servers(ENVOY, host, port)] == names


def test_gateways_that_are_reached_at_the_port_go_before_others() -> None:
    status = Status(
        gateways={
            "one": EnvoyStatus(mirrors=(mirror("s", "a.test"),)),
            "two": EnvoyStatus(mirrors=(mirror("s", "a.test", port=8443),)),
            "plain": EnvoyStatus(),
        }
    )
    assert serving(status, "a.test", 443) == ("one",)
    assert serving(status, "a.test", 7) == ("one", "two")
    assert serving(status, "b.test", 443) == ()


# As Envoy 1.40 answers.
DUMP = {
    "configs": [
        {
            "name": "udp_0.0.0.0_8443",
            "active_state": {
                "listener": {
                    "name": "udp_0.0.0.0_8443",
                    "socket_options": [
                        {"description": "receive buffer", "level": "1", "name": "8", "int_value": "2097152"}
                    ],
                    "udp_listener_config": {
                        "quic_options": {
                            "connection_id_generator_config": {
                                "name": "envoy.quic.connection_id_generator.quic_lb",
                                "typed_config": {"@type": "type.googleapis.com/x.quic_lb.v3.Config"},
                            }
                        }
                    },
                }
            },
        },
        {"name": "udp_new", "warming_state": {"listener": {"name": "udp_new"}}},
        {"name": "udp_bad", "error_state": {"details": "cannot bind '0.0.0.0:8443': Address already in use"}},
        {"name": "udp_old", "draining_state": {"listener": {}}},
    ]
}


def test_listeners_are_read_as_envoy_tells_them() -> None:
    first, warming, bad, old = listeners_of(DUMP)
    assert (first.active, first.receive_buffer, first.routable_ids) == (True, 2 * 1024 * 1024, True)
    assert (warming.active, warming.warming, warming.receive_buffer) == (False, True, 0)
    assert bad.error == "cannot bind '0.0.0.0:8443': Address already in use"
    assert (old.draining, old.routable_ids) == (True, False)
    assert listeners_of({}) == ()


def test_counters_are_read_and_histograms_passed_over() -> None:
    name = "listener.udp_0.0.0.0_8443.worker_{}.downstream_cx_total"
    stats = stats_of(
        {
            "stats": [
                {"name": name.format(1), "value": 5},
                {"name": name.format(10), "value": 7},
                {"name": name.format(0), "value": 3},
                {"name": "listener_manager.lds.version_text", "value": ""},
                {"histograms": {}},
            ]
        }
    )
    envoy = EnvoySight(name="gw", status=ENVOY, stats=stats)
    assert worker_connections(envoy, ENVOY.mirrors[0]) == (3, 5, 7)
    assert stats_of({}) == {}
