"""When HTTP/3 is given up for want of CPU, as an HTTP3Policy says it."""

from dataclasses import replace
from datetime import timedelta

from mizzen.model.shedding import Shedding
from mizzen.resolve.listeners.shedding import shed, shedding
from tests.harness import small_models as small


def policy(text):
    return f"""
---
apiVersion: mizzen.dev/v1alpha1
kind: HTTP3Policy
metadata: {{name: edge, namespace: istio-system}}
spec:
  shedding: {text}
"""


def test_without_a_policy_it_never_is(gateway):
    assert shedding(gateway("").ctx) is None


def test_it_comes_back_well_below_the_budget(gateway):
    assert shedding(gateway(policy("{cpuBudget: 80}")).ctx) == Shedding(cpu_budget=80, recover_at=60)
    made = shedding(gateway(policy("{cpuBudget: 80, recoverAt: 50, after: 2s, calm: 5s}")).ctx)
    assert made == Shedding(
        cpu_budget=80, recover_at=50, after=timedelta(seconds=2), calm=timedelta(seconds=5)
    )


def test_only_listeners_of_quic_refuse(gateway):
    ctx, model = gateway("").ctx, small.mirrored()

    assert shed(ctx, model) is model
    assert [one.sheds for one in shed(replace(ctx, sheds=True), model).listeners] == [False, True]
