import json
from collections.abc import Callable

import pytest

Judge = Callable[[str, str], list[str]]
HTTP = "ports: [{number: 80, name: http, protocol: HTTP}]"


@pytest.mark.parametrize(
    "spec",
    [
        f"{{hosts: [a.b], {HTTP}}}",
        f"{{hosts: [short], {HTTP}, resolution: DNS, exportTo: ['~']}}",
        f"{{hosts: ['*.a.b'], {HTTP}, addresses: [10.0.0.0/8]}}",
        f"{{hosts: ['*.a.b'], {HTTP}, resolution: DNS, endpoints: [{{address: x.y, ports: {{http: 8080}}}}]}}",
        f"{{hosts: [a.b], {HTTP}, resolution: STATIC, endpoints: [{{address: 1.2.3.4, weight: 8}}, {{address: 'unix:///x'}}]}}",
        f"{{hosts: [a.b], {HTTP}, resolution: STATIC}}",
        f"{{hosts: [a.b], {HTTP}, resolution: STATIC, workloadSelector: {{labels: {{app: a}}}}}}",
        f"{{hosts: ['*.a.b'], {HTTP}, resolution: DYNAMIC_DNS}}",
    ],
)
def test_a_good_entry_is_taken(judge: Judge, spec: str) -> None:
    assert judge("ServiceEntry", spec) == []


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (f"{{{HTTP}}}", "error VAL-001 spec.hosts"),
        (f"{{hosts: ['*'], {HTTP}}}", "error VAL-004 spec.hosts[0]"),
        (f"{{hosts: ['*foo.com'], {HTTP}}}", "warning VAL-104 spec.hosts[0]"),
        (f"{{hosts: [a.b], addresses: [x], {HTTP}}}", "error VAL-013 spec.addresses[0]"),
        (
            f"{{hosts: [a.b], addresses: [10.0.0.0/8], resolution: DNS, {HTTP}}}",
            "error VAL-002 spec.addresses[0]",
        ),
        (
            "{hosts: [a.b], ports: [{number: 80, name: a, protocol: HTTP}, {number: 80, name: b, protocol: HTTP}]}",
            "error VAL-008 spec.ports[1].number",
        ),
        (
            "{hosts: [a.b], ports: [{number: 80, name: a, protocol: HTTP}, {number: 81, name: a, protocol: HTTP}]}",
            "error VAL-008 spec.ports[1].name",
        ),
        (
            "{hosts: [a.b], ports: [{number: 80, name: a, protocol: X}], addresses: [1.2.3.4]}",
            "error VAL-012 spec.ports[0].protocol",
        ),
        (
            "{hosts: [a.b], ports: [{number: 80, name: a, protocol: HTTP, targetPort: 70000}]}",
            "error VAL-003 spec.ports[0].targetPort",
        ),
        (
            "{hosts: [a.b], ports: [{number: 80, name: a, protocol: TCP}]}",
            "warning VAL-104 spec.ports[0].protocol",
        ),
        (f"{{hosts: [a.b], {HTTP}, endpoints: [{{address: 1.2.3.4}}]}}", "error VAL-002 spec.endpoints"),
        (
            f"{{hosts: [a.b], {HTTP}, resolution: STATIC, endpoints: [{{address: localhost}}]}}",
            "error VAL-013 spec.endpoints[0].address",
        ),
        (
            f"{{hosts: [a.b], {HTTP}, resolution: STATIC, endpoints: [{{}}]}}",
            "error VAL-001 spec.endpoints[0].address",
        ),
        (
            f"{{hosts: [a.b], {HTTP}, resolution: STATIC, endpoints: [{{network: n}}]}}",
            "warning VAL-104 spec.endpoints[0].address",
        ),
        (
            f"{{hosts: [a.b], {HTTP}, resolution: STATIC, endpoints: [{{address: 1.2.3.4, ports: {{x: 1}}}}]}}",
            "error VAL-001 spec.endpoints[0].ports.x",
        ),
        (
            f"{{hosts: [a.b], {HTTP}, resolution: STATIC, endpoints: [{{address: 'unix://x'}}]}}",
            "error VAL-013 spec.endpoints[0].address",
        ),
        (f"{{hosts: ['*.a.b'], {HTTP}, resolution: DNS}}", "error VAL-004 spec.hosts[0]"),
        (
            f"{{hosts: [a.b], {HTTP}, resolution: DNS, endpoints: [{{address: 'unix:///x'}}]}}",
            "error VAL-013 spec.endpoints[0].address",
        ),
        (
            f"{{hosts: [a.b], {HTTP}, resolution: DNS_ROUND_ROBIN, endpoints: [{{address: a}}, {{address: b}}]}}",
            "error VAL-002 spec.endpoints",
        ),
        (f"{{hosts: [a.b], {HTTP}, resolution: DYNAMIC_DNS}}", "error VAL-004 spec.hosts[0]"),
        (f"{{hosts: [a.b], {HTTP}, resolution: dns}}", "error FLD-002 spec.resolution"),
        (
            "{hosts: [a.b, c.d], ports: [{number: 80, name: a, protocol: TCP}], resolution: DNS}",
            "error VAL-002 spec.ports[0].protocol",
        ),
        (
            f"{{hosts: [a.b], {HTTP}, resolution: STATIC, workloadSelector: {{labels: {{app: '*'}}}}}}",
            "error VAL-007 spec.workloadSelector.labels.app",
        ),
        (
            f"{{hosts: [a.b], {HTTP}, resolution: STATIC, workloadSelector: {{}}}}",
            "warning VAL-104 spec.workloadSelector",
        ),
        (f"{{hosts: [a.b], {HTTP}, exportTo: ['~', ns1]}}", "error VAL-010 spec.exportTo"),
    ],
)
def test_a_mistake_in_an_entry_is_told_at_its_field(judge: Judge, spec: str, problem: str) -> None:
    assert judge("ServiceEntry", spec) == [problem]


@pytest.mark.parametrize(
    ("spec", "problems"),
    [
        ("{address: 1.2.3.4, ports: {http: 80}, labels: {app: a}}", []),
        ("{address: a.b}", []),
        ("{address: 'unix:///x'}", []),
        ("{}", ["error VAL-001 spec.address"]),
        ("{network: n}", ["warning VAL-104 spec.address"]),
        ("{address: a_b}", ["error VAL-013 spec.address"]),
        ("{address: 'unix:///x', ports: {http: 80}}", ["error VAL-002 spec.ports"]),
        ("{address: 1.2.3.4, ports: {http: 70000}}", ["error VAL-003 spec.ports.http"]),
        ("{address: 1.2.3.4, weight: -1}", ["error FLD-004 spec.weight"]),
    ],
)
def test_a_workload_entry_is_judged(judge: Judge, spec: str, problems: list[str]) -> None:
    assert judge("WorkloadEntry", spec) == problems


def test_hosts_ports_and_endpoints_multiply(judge: Judge) -> None:
    def spec(hosts: int, ports: int, endpoints: int) -> str:
        written = {
            "hosts": [f"h{number}.test" for number in range(hosts)],
            "ports": [{"number": n, "name": f"p{n}", "protocol": "HTTP"} for n in range(1, ports + 1)],
            "resolution": "STATIC",
            "endpoints": [{"address": f"10.0.0.{number + 1}"} for number in range(endpoints)],
        }
        return json.dumps(written)

    assert judge("ServiceEntry", spec(50, 10, 100)) == []
    assert judge("ServiceEntry", spec(51, 10, 100)) == ["error VAL-003 spec"]
