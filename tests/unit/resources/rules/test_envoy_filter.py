"""What surprises in an EnvoyFilter. Nothing of it refuses the object."""

import pytest

from mizzen.resources.decode import decode
from mizzen.resources.raw_objects import parse_documents

HCM = "envoy.filters.network.http_connection_manager"


def told(spec: str) -> list[str]:
    text = f"{{apiVersion: networking.istio.io/v1alpha3, kind: EnvoyFilter, metadata: {{name: a, namespace: b}}, spec: {{{spec}}}}}"
    objects, broken = parse_documents(text, "test.yaml")
    assert broken == ()
    decoded = decode(objects[0])
    assert decoded.resource is not None
    return [f"{problem.severity.value} {problem.code} {problem.field}" for problem in decoded.problems]


def patch(target: str, match: str = "{}", value: str = "{name: x, typed_config: {}}") -> str:
    return f"configPatches: [{{applyTo: {target}, match: {match}, patch: {{operation: INSERT_FIRST, value: {value}}}}}]"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("workloadSelector: {}", ["warning VAL-104 spec.workloadSelector"]),
        ("workloadSelector: {labels: {a: b}}", []),
        (patch("HTTP_FILTER"), []),
        (patch("HTTP_FILTER", value="{name: x}"), ["warning VAL-104 spec.configPatches[0].patch.value"]),
        (patch("HTTP_FILTER", value="{name: x, configDiscovery: {}}"), []),
        (patch("CLUSTER", value="{name: x}"), []),
        (patch("HTTP_FILTER", "{context: WAYPOINT}"), ["info VAL-103 spec.configPatches[0].match"]),
        (
            patch("HTTP_FILTER", "{listener: {portName: http}}"),
            ["info VAL-103 spec.configPatches[0].match.listener.portName"],
        ),
        (
            patch("HTTP_FILTER").replace("operation:", "filterClass: STATS, operation:"),
            ["info VAL-103 spec.configPatches[0].patch.filterClass"],
        ),
        (
            patch("HTTP_FILTER", f"{{proxy: {{proxyVersion: {'a' * 1025}}}}}"),
            ["warning VAL-103 spec.configPatches[0].match.proxy.proxyVersion"],
        ),
        (
            patch("FILTER_CHAIN", f"{{listener: {{filterChain: {{filter: {{name: {HCM}}}}}}}}}", "{name: x}"),
            ["warning VAL-103 spec.configPatches[0].match.listener.filterChain.filter"],
        ),
        (
            patch(
                "HTTP_FILTER",
                "{listener: {filterChain: {filter: {name: envoy.http_connection_manager, subFilter: {name: envoy.router}}}}}",
            ),
            [
                "warning VAL-103 spec.configPatches[0].match.listener.filterChain.filter.name",
                "warning VAL-103 spec.configPatches[0].match.listener.filterChain.filter.subFilter.name",
            ],
        ),
    ],
)
def test_what_is_told(spec: str, expected: list[str]) -> None:
    assert told(spec) == expected
