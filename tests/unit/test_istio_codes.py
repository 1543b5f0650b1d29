import pytest

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.istio_codes import istio_code, istio_codes


@pytest.mark.parametrize(
    ("code", "kind", "field", "istio"),
    [
        ("REF-001", "VirtualService", "spec.gateways[0]", "IST0101"),
        ("VAL-101", "VirtualService", "spec.http[1]", "IST0130"),
        ("VAL-101", "VirtualService", "spec.http[1].match[0]", "IST0131"),
        ("VAL-102", "VirtualService", "spec.gateways[0]", "IST0133"),
        ("VAL-102", "VirtualService", "spec.http[0].websocketUpgrade", "IST0002"),
        ("VAL-103", "Gateway", "spec.servers[0].tls", "IST0133"),
        ("VAL-104", "ServiceEntry", "spec.ports[0].protocol", "IST0134"),
        ("VAL-104", "ServiceEntry", "spec.hosts[0]", "IST0133"),
        ("GW-017", "AuthorizationPolicy", "spec.selector", "IST0127"),
        ("GW-017", "Telemetry", "spec.selector", ""),
        ("H3-001", "Gateway", "spec.servers[0]", ""),
    ],
)
def test_a_code_is_known_by_istios_where_it_has_one(code: str, kind: str, field: str, istio: str) -> None:
    assert istio_code(code, kind, field) == istio


def test_what_validation_refuses_is_another_code_than_what_it_warns_of() -> None:
    assert istio_code("VAL-003", is_error=True) == "IST0106"
    assert istio_code("VAL-003") == "IST0133"


def test_every_code_that_depends_on_a_field_is_listed() -> None:
    assert istio_codes()["VAL-101"] == ("IST0130", "IST0131")


def test_a_problem_shows_both() -> None:
    problem = Problem(
        severity=Severity.WARNING, code="GW-014", resource=ResourceRef(kind="Gateway", name="a"), message="b"
    )

    assert str(problem) == "Gateway/a: warning GW-014 (IST0138): b"
    assert problem.value()["istio"] == "IST0138"
