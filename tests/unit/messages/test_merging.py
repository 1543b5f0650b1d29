"""One message merged into another, as Istio does it."""

import pytest

from mizzen._api import pb
from mizzen.messages.merging import CannotMerge, merge, merge_packed


def packed(message: pb.HttpConnectionManager | pb.Lua) -> pb.Any:
    out = pb.Any()
    out.Pack(message)
    return out


def test_scalars_are_replaced_messages_merged_lists_appended_and_durations_replaced() -> None:
    into = pb.Cluster(name="a", connect_timeout=pb.Duration(seconds=1, nanos=5), lb_policy=pb.Cluster.RANDOM)
    into.circuit_breakers.thresholds.add().max_connections.value = 1
    into.common_lb_config.healthy_panic_threshold.value = 3
    value = pb.Cluster(connect_timeout=pb.Duration(seconds=2))
    value.circuit_breakers.thresholds.add().max_requests.value = 2
    value.common_lb_config.close_connections_on_host_set_change = True

    merge(into, value)

    assert (into.name, into.lb_policy) == ("a", pb.Cluster.RANDOM)
    assert into.connect_timeout == pb.Duration(seconds=2)  # not 2.000000005
    assert len(into.circuit_breakers.thresholds) == 2
    assert into.common_lb_config.healthy_panic_threshold.value == 3
    assert into.common_lb_config.close_connections_on_host_set_change


def test_lists_are_replaced_where_that_is_asked_for_at_any_depth() -> None:
    into, value = pb.Cluster(), pb.Cluster()
    into.circuit_breakers.thresholds.add().max_connections.value = 1
    value.circuit_breakers.thresholds.add().max_requests.value = 2

    merge(into, value, replace_lists=True)

    assert into == value


def test_entries_of_maps_are_replaced_by_key() -> None:
    into = pb.VirtualHost()
    into.typed_per_filter_config["a"].Pack(pb.Lua(stat_prefix="old"))
    into.typed_per_filter_config["b"].Pack(pb.Lua())
    value = pb.VirtualHost()
    value.typed_per_filter_config["a"].Pack(pb.Lua())

    merge(into, value)

    assert set(into.typed_per_filter_config) == {"a", "b"}
    assert into.typed_per_filter_config["a"].value == b""


def test_a_choice_goes_over_to_what_is_merged() -> None:
    into = pb.Route()
    into.redirect.host_redirect = "a"
    value = pb.Route()
    value.direct_response.status = 404

    merge(into, value)

    assert into.WhichOneof("action") == "direct_response"


def test_what_any_holds_is_merged_by_its_type() -> None:
    into = packed(pb.HttpConnectionManager(stat_prefix="a", server_name="b"))

    merge_packed(into, packed(pb.HttpConnectionManager(server_name="c")))

    assert pb.HttpConnectionManager.FromString(into.value) == pb.HttpConnectionManager(
        stat_prefix="a", server_name="c"
    )


def test_another_type_is_not_merged() -> None:
    into = packed(pb.HttpConnectionManager(stat_prefix="a"))

    with pytest.raises(CannotMerge, match=r"Lua.*HttpConnectionManager"):
        merge_packed(into, packed(pb.Lua()))
    with pytest.raises(CannotMerge):
        merge(pb.Lua(), pb.Cluster())
    unknown = pb.Any(type_url="type.googleapis.com/not.There")
    with pytest.raises(CannotMerge, match=r"not\.There"):
        merge_packed(into, unknown)
