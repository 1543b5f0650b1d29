"""Which gateway is meant, when a verb names one or none."""

import click
import pytest

from mizzen.cli.running import gateway_key

GATEWAY, SIDECAR = "istio-ingressgateway.istio-system", "httpbin-demo.httpbin"


def test_the_only_gateway_need_not_be_named_beside_its_sidecars() -> None:
    assert gateway_key([SIDECAR, GATEWAY], None, frozenset({SIDECAR})) == GATEWAY
    assert gateway_key([SIDECAR], None, frozenset({SIDECAR})) == SIDECAR


def test_one_of_several_gateways_must_be_named() -> None:
    with pytest.raises(click.ClickException, match=f"name a gateway, one of: {GATEWAY}, other.shop"):
        gateway_key([GATEWAY, "other.shop"], None)
