"""What ProxyConfig objects say of a proxy, between the mesh's defaultConfig and the proxy's own annotation.

That of the root namespace, that of the proxy's namespace, that of its labels: what the later says counts, and of several
of one rank the oldest (Istio: ProxyConfigs.EffectiveProxyConfig).
"""

from collections.abc import Mapping

from mizzen.resolve.overlay import overlay
from mizzen.resolve.selecting import fits
from mizzen.resources.istio import proxy_config
from mizzen.resources.istio.mesh import MeshConfig, ProxyConfig
from mizzen.resources.world import World


def configured(world: World, mesh: MeshConfig, namespace: str, labels: Mapping[str, str]) -> ProxyConfig:
    """The configuration of a proxy of `namespace` with these labels, but for its own annotation."""
    objects = world.proxy_configs
    root = mesh.root_namespace
    config = mesh.default_config
    for rank in (
        [one for one in objects if one.namespace == root and not _labels(one)],
        [one for one in objects if one.namespace == namespace != root and not _labels(one)],
        [
            one
            for one in objects
            if one.namespace == namespace and _labels(one) and fits(_labels(one), labels)
        ],
    ):
        for one in reversed(rank):
            config = overlay(config, _as_config(one))
    return config


def _labels(config: proxy_config.ProxyConfig) -> Mapping[str, str]:
    return config.spec.selector.match_labels if config.spec.selector else {}


def _as_config(config: proxy_config.ProxyConfig) -> ProxyConfig:
    return ProxyConfig(
        concurrency=config.spec.concurrency, proxy_metadata=dict(config.spec.environment_variables)
    )
