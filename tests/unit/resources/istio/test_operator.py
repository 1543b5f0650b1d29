from collections.abc import Callable
from typing import Any

TEXT = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: install}
spec:
  tag: 1.2
  components:
    pilot: {k8s: {resources: {}}}
    ingressGateways:
    - name: edge
      enabled: true
      label: {tier: 1}
      k8s:
        service:
          ports:
          - {name: https, port: 443, targetPort: 8443}
          - {name: http3, port: 443, targetPort: 8443, protocol: UDP}
  values:
    pilot:
      env: {PILOT_ENABLE_QUIC_LISTENERS: true, PILOT_TRACE_SAMPLING: 1.5, OFF: null}
"""


def test_an_operator_says_its_gateways_their_ports_and_the_switches(read: Callable[[str], Any]) -> None:
    world, problems = read(TEXT)

    assert problems == ()
    spec = world.operators[0].spec
    (gateway,) = spec.components.ingress_gateways
    assert (gateway.name, gateway.enabled, gateway.label) == ("edge", True, {"tier": "1"})
    assert [(p.port, p.protocol) for p in gateway.k8s.service.ports] == [(443, "TCP"), (443, "UDP")]
    assert spec.values.pilot.env == {
        "PILOT_ENABLE_QUIC_LISTENERS": "true",
        "PILOT_TRACE_SAMPLING": "1.5",
        "OFF": "",
    }
