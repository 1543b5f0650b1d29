"""One setting over another."""

from mizzen.resolve.overlay import overlay
from mizzen.resources.istio.mesh import ConnectionSettings, MeshConfig, ProxyConfig


def test_what_is_not_said_above_shows_through():
    base = ProxyConfig(
        connection_settings=ConnectionSettings(http_merge_slashes=True, http_max_concurrent_streams=1)
    )
    top = ProxyConfig(connection_settings=ConnectionSettings(http2_initial_stream_window_size=2))
    assert overlay(base, top).connection_settings == ConnectionSettings(
        http_merge_slashes=True, http_max_concurrent_streams=1, http2_initial_stream_window_size=2
    )


def test_false_is_something_said():
    base = ConnectionSettings(http_merge_slashes=True)
    assert overlay(base, ConnectionSettings(http_merge_slashes=False)).http_merge_slashes is False


def test_mappings_are_merged_and_lists_replaced():
    base = ProxyConfig(proxy_metadata={"a": "1", "b": "2"})
    assert overlay(base, ProxyConfig(proxy_metadata={"b": "3"})).proxy_metadata == {"a": "1", "b": "3"}
    mesh = overlay(MeshConfig(trust_domain_aliases=("x",)), MeshConfig(trust_domain_aliases=("y",)))
    assert mesh.trust_domain_aliases == ("y",)


def test_the_same_laid_over_itself_is_the_same():
    base = MeshConfig(access_log_file="/log")
    assert overlay(base, base) == base
    assert overlay(base, MeshConfig()) == base
