"""Header limits of an EnvoyFilter are those of the filter that answers 431; codecs take more."""

import pytest

from mizzen._api import pb
from mizzen.envoy.filters import header_limits
from tests.harness.patched_site import HCM_TYPE, config, manager, patched, site

LIMITS = f"""
- applyTo: NETWORK_FILTER
  match: {{listener: {{filterChain: {{filter: {{name: envoy.filters.network.http_connection_manager}}}}}}}}
  patch:
    operation: MERGE
    value:
      typed_config:
        '@type': {HCM_TYPE}
        max_request_headers_kb: KIB
        common_http_protocol_options: {{max_headers_count: COUNT, idle_timeout: 7s}}
"""


def of(kib: int, count: int) -> str:
    return LIMITS.replace("KIB", str(kib)).replace("COUNT", str(count))


def filters_of(made: pb.HttpConnectionManager) -> list[pb.HttpFilter]:
    lists = (made.http_filters, *(one.filters for one in made.upgrade_configs))
    return [one for some in lists for one in some if one.name == header_limits.NAME]


@pytest.mark.parametrize("name", ["0.0.0.0_8080", "0.0.0.0_8443", "udp_0.0.0.0_8443"])
@pytest.mark.parametrize(("kib", "count"), [(96, 200), (10, 5), (300, 2000)])
def test_the_filter_judges_by_them_over_each_protocol(name: str, kib: int, count: int) -> None:
    made = manager(patched(of(kib, count)), name)

    assert set(map(str, filters_of(made))) == {str(header_limits.filter_of(kib, count))}
    assert made.max_request_headers_kb.value > kib
    assert made.max_request_headers_kb.value >= header_limits.CODEC_KIB
    assert made.common_http_protocol_options.max_headers_count.value > count
    assert made.common_http_protocol_options.idle_timeout.seconds == 7


def test_envoys_own_bound_is_kept() -> None:
    assert manager(patched(of(8192, 100))).max_request_headers_kb.value == 8192


def test_where_codecs_judge_the_limits_are_theirs() -> None:
    made = manager(patched(of(96, 200), MIZZEN_HEADER_LIMITS="codec"))

    assert (made.max_request_headers_kb.value, made.common_http_protocol_options.max_headers_count.value) == (
        96,
        200,
    )


def test_who_merges_something_else_leaves_them_as_they_are() -> None:
    before = manager(config(site()))
    after = manager(patched(of(60, 100)))

    assert after.max_request_headers_kb == before.max_request_headers_kb
    assert filters_of(after) == filters_of(before)
