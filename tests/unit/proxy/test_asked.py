import pytest

from mizzen.pipeline import Settings
from mizzen.proxy.asked import proxy_value
from tests.golden import built

OPERATOR = b"""
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  meshConfig:
    defaultConfig: {concurrency: 2, drainDuration: 45s, terminationDrainDuration: 500ms,
      runtimeValues: {overload.some: 7}, CONNECTIONS}
"""


@pytest.mark.parametrize(
    ("said", "most"),
    [
        (b"", None),
        (b"connectionSettings: {globalDownstreamConnectionLimit: 100}", 100),
        (b"proxyMetadata: {ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS: '7'}", 7),
        (b"proxyMetadata: {ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS: many}", None),
        (b"connectionSettings: {globalDownstreamConnectionLimit: 0}", None),
    ],
)
def test_what_an_envoy_has_from_its_start_on_comes_from_the_proxys_configuration(
    said: bytes, most: int | None
) -> None:
    (gateway,) = built(
        {"in.yaml": OPERATOR.replace(b"CONNECTIONS", said or b"statusPort: 15020")}, Settings()
    ).gateways
    value = proxy_value(gateway)

    assert (value.concurrency, value.drain_seconds, value.leaving_seconds) == (2, 45, 0.5)
    assert value.max_connections == most
    assert value.runtime == {"overload.some": "7"}
