"""YAML -> one of Envoy's messages: what is taken, and what is told of what is not."""

from typing import Any

import pytest
import yaml
from google.protobuf.message import Message

from mizzen._api import others, pb
from mizzen.messages.written import read

HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
OAUTH2 = "envoy.extensions.filters.http.oauth2.v3.OAuth2"


def mistakes(kind: type[Message], text: str) -> dict[str, str]:
    return {one.at: one.message for one in read(kind, yaml.safe_load(text), "spec")[1]}


def taken(kind: type[Message], text: str) -> Any:
    made, wrong = read(kind, yaml.safe_load(text))
    assert wrong == ()
    return made


def test_fields_are_named_in_either_way_and_null_is_nothing() -> None:
    made = taken(pb.Cluster, "{connect_timeout: 1.5s, lbPolicy: RING_HASH, name: null, respectDnsTtl: true}")

    assert made == pb.Cluster(
        connect_timeout=pb.Duration(seconds=1, nanos=500_000_000),
        lb_policy=pb.Cluster.RING_HASH,
        respect_dns_ttl=True,
    )


def test_what_any_holds_is_of_its_own_type_also_of_one_that_mizzen_does_not_use() -> None:
    made = taken(
        pb.HttpFilter,
        f"{{name: a, typed_config: {{'@type': type.googleapis.com/{OAUTH2}, config: {{cookie_configs: {{}}}}}}}}",
    )

    kind = others.class_of(OAUTH2)
    assert kind is not None
    assert kind.FromString(made.typed_config.value).HasField("config")


@pytest.mark.parametrize("struct", ["udpa.type.v1.TypedStruct", "xds.type.v3.TypedStruct"])
def test_a_typed_struct_is_the_message_that_it_describes(struct: str) -> None:
    made = taken(
        pb.Filter,
        f"{{typedConfig: {{'@type': type.googleapis.com/{struct}, type_url: {HCM}, value: {{stat_prefix: a}}}}}}",
    )

    assert made.typed_config.type_url == HCM
    assert pb.HttpConnectionManager.FromString(made.typed_config.value).stat_prefix == "a"


def test_every_mistake_is_told_at_its_place() -> None:
    text = f"""
    typed_config:
      '@type': {HCM}
      stat_prefix: 5
      serverHeaderTransformations: PASS_THROUGH
      codec_type: HTTP4
      stream_idle_timeout: five
      xff_num_trusted_hops: -1
      http_filters: {{}}
      access_log: [{{name: a}}, {{nam: b}}, 7]
      rds: {{}}
      route_config: {{}}
    """

    found = mistakes(pb.Filter, text)

    at = "spec.typed_config."
    assert {where.removeprefix(at) for where in found} == {
        "stat_prefix",
        "serverHeaderTransformations",
        "codec_type",
        "stream_idle_timeout",
        "xff_num_trusted_hops",
        "http_filters",
        "access_log[1].nam",
        "access_log[2]",
        "route_config",
    }
    assert found[f"{at}stream_idle_timeout"] == "'five' is not a duration such as 5s, 1m30s or 100ms"
    assert found[f"{at}codec_type"] == "'HTTP4' is not one of AUTO, HTTP1, HTTP2, HTTP3"


def test_a_slip_in_a_name_is_answered_with_the_right_one() -> None:
    (wrong,) = read(pb.Cluster, {"conect_timeout": "1s"})[1]

    assert wrong.hint == "Did you mean connect_timeout?"


@pytest.mark.parametrize(
    ("config", "at"),
    [
        ("{stat_prefix: a}", "spec.typed_config"),
        ("{'@type': type.googleapis.com/envoy.config.filter.http.lua.v2.Lua}", "spec.typed_config[@type]"),
        ("{'@type': type.googleapis.com/stats.PluginConfig}", "spec.typed_config[@type]"),
        ("{'@type': type.googleapis.com/udpa.type.v1.TypedStruct, value: {}}", "spec.typed_config"),
        ("7", "spec.typed_config"),
    ],
)
def test_an_any_without_a_type_that_envoy_has_is_a_mistake(config: str, at: str) -> None:
    assert list(mistakes(pb.HttpFilter, f"{{typed_config: {config}}}")) == [at]


def test_maps_hold_messages_and_keys_with_dots_are_told_in_brackets() -> None:
    found = mistakes(pb.VirtualHost, "{typed_per_filter_config: {envoy.filters.http.lua: {'@type': a/b}}}")

    assert list(found) == ["spec.typed_per_filter_config[envoy.filters.http.lua][@type]"]


def test_what_a_secret_may_be_is_not_shown() -> None:
    found = mistakes(pb.DataSource, "{inline_bytes: [not-base64]}")

    assert "not-base64" not in " ".join(found.values())


@pytest.mark.parametrize(
    ("written", "nanos"),
    [("500ms", 500_000_000), ("1.5s", 1_500_000_000), ("1m", 60_000_000_000), ("0.000000001s", 1)],
)
def test_durations_are_taken_as_istiod_takes_them(written: str, nanos: int) -> None:
    assert taken(pb.Cluster, f"{{dns_refresh_rate: {written}}}").dns_refresh_rate.ToNanoseconds() == nanos
