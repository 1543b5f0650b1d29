"""Which HTTP3Policy sets up the QUIC listeners of a gateway."""

from datetime import timedelta

import pytest

from mizzen.model.quic import QuicTransport
from mizzen.resolve.listeners.quic import quic_transport


def policy(transport, namespace="istio-system", selector="{istio: ingressgateway}"):
    return f"""
---
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {{name: tuned, namespace: {namespace}}}
spec:
  selector: {{matchLabels: {selector}}}
  transport: {transport}
"""


def test_without_a_policy_the_defaults_hold(gateway):
    assert quic_transport(gateway("").ctx) == QuicTransport()


def test_what_a_policy_leaves_out_is_the_default(gateway):
    made = quic_transport(gateway(policy("{idleTimeout: 30s, gso: false}")).ctx)

    assert made == QuicTransport(idle_timeout=timedelta(seconds=30), gso=False)


def test_a_policy_for_others_says_nothing(gateway):
    other = gateway(policy("{gso: false}", selector="{istio: other}")).ctx
    elsewhere = gateway(policy("{gso: false}", namespace="elsewhere")).ctx

    assert quic_transport(other) == quic_transport(elsewhere) == QuicTransport()


@pytest.mark.parametrize(
    ("written", "stream", "connection"),
    [
        ("{streamWindowBytes: 8388608}", 8388608, 8388608),
        ("{connectionWindowBytes: 65536}", 65536, 65536),
        ("{streamWindowBytes: 65536}", 65536, QuicTransport().connection_window_bytes),
    ],
)
def test_a_window_that_is_a_default_gives_way_to_what_is_written(gateway, written, stream, connection):
    made = quic_transport(gateway(policy(written)).ctx)

    assert (made.stream_window_bytes, made.connection_window_bytes) == (stream, connection)
