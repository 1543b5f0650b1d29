"""What is refused in a ProxyConfig."""

import pytest

from mizzen.resources.decode import decode
from mizzen.resources.raw_objects import parse_documents


@pytest.mark.parametrize(
    ("spec", "taken", "codes"),
    [
        ("{concurrency: 2, environmentVariables: {A: 1}}", True, []),
        ("{image: {imageType: distroless}}", True, [("VAL-103", "spec.image.imageType")]),
        ("{concurrency: -1}", False, [("FLD-004", "spec.concurrency")]),
        ("{selector: {matchLabels: {'': x}}}", False, [("VAL-007", "spec.selector.matchLabels[]")]),
        ("{tracing: {}}", False, [("FLD-001", "spec.tracing")]),
    ],
)
def test_what_is_taken_and_told(spec, taken, codes):
    text = f"""
apiVersion: networking.istio.io/v1beta1
kind: ProxyConfig
metadata: {{name: one, namespace: default}}
spec: {spec}
"""
    [raw], _ = parse_documents(text, "one.yaml")
    decoded = decode(raw)
    assert (decoded.resource is not None) == taken
    assert [(one.code, one.field) for one in decoded.problems] == codes
