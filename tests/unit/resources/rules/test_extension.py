"""What is refused in a WasmPlugin and a TrafficExtension."""

import pytest

from mizzen.resources.decode import decode
from mizzen.resources.raw_objects import parse_documents


@pytest.mark.parametrize(
    ("kind", "spec", "codes"),
    [
        ("WasmPlugin", "{url: 'file:///a.wasm', vmConfig: {env: [{name: A, value: b}]}}", []),
        ("WasmPlugin", "{}", [("VAL-001", "spec.url")]),
        ("WasmPlugin", "{url: a, sha256: abc}", [("VAL-007", "spec.sha256")]),
        (
            "WasmPlugin",
            "{url: a, vmConfig: {env: [{}, {name: A}, {name: A}, {name: B, valueFrom: HOST, value: x}]}}",
            [
                ("VAL-001", "spec.vmConfig.env[0].name"),
                ("VAL-008", "spec.vmConfig.env[2].name"),
                ("VAL-002", "spec.vmConfig.env[3].value"),
            ],
        ),
        (
            "WasmPlugin",
            "{url: a, selector: {matchLabels: {'': x}}}",
            [("VAL-007", "spec.selector.matchLabels[]")],
        ),
        ("TrafficExtension", "{lua: {inlineCode: x}}", []),
        ("TrafficExtension", "{lua: {inlineCode: x}, wasm: {url: a}}", [("VAL-002", "spec.lua")]),
        ("TrafficExtension", "{wasm: {}}", [("VAL-001", "spec.wasm.url")]),
    ],
)
def test_what_is_refused(kind, spec, codes):
    text = f"""
apiVersion: extensions.istio.io/v1alpha1
kind: {kind}
metadata: {{name: one, namespace: default}}
spec: {spec}
"""
    [raw], _ = parse_documents(text, "one.yaml")
    decoded = decode(raw)
    assert [(one.code, one.field) for one in decoded.problems] == codes
    # It may be a guard: what it is for is closed.
    assert (decoded.unread is not None) == bool(codes)
