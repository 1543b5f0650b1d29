from collections.abc import Callable
from datetime import timedelta
from typing import Any

from mizzen.resources.istio.mesh import DEFAULT_MESH


def test_what_is_not_said_is_istios_default(read: Callable[[str], Any]) -> None:
    world, problems = read(
        "{apiVersion: install.istio.io/v1alpha1, kind: IstioOperator, metadata: {name: a}, spec: {meshConfig:"
        " {accessLogFile: /dev/stdout, defaultConfig: {gatewayTopology: {numTrustedProxies: 2, proxyProtocol: {}},"
        " proxyHeaders: {server: {disabled: true}}, proxyMetadata: {A: 1}}}}}"
    )

    assert problems == ()
    mesh = world.operators[0].spec.mesh_config
    assert mesh.connect_timeout == DEFAULT_MESH.connect_timeout == timedelta(seconds=10)
    assert mesh.access_log_file == "/dev/stdout"
    assert mesh.default_config.gateway_topology.num_trusted_proxies == 2
    assert mesh.default_config.gateway_topology.proxy_protocol is not None
    assert mesh.default_config.proxy_headers.server.disabled is True
    assert mesh.default_config.proxy_metadata == {"A": "1"}
    assert mesh.tls_defaults is None
