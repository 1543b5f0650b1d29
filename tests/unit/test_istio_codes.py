import pytest

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.istio_codes import NOT_TOLD, istio_code, istio_codes


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


# Of messages.yaml of Istio 1.30: those that are retired are left out.
_RETIRED = {104, 105, 113, 114, 115, 117, 119, 120, 121, 122, 124}
_ALL = {"IST0001", "IST0002", *(f"IST{n:04}" for n in range(101, 178) if n not in _RETIRED)}


def test_every_message_of_istioctl_is_told_or_it_is_said_why_not() -> None:
    told = {istio for some in istio_codes().values() for istio in some} | {"IST0106", "IST0133"}

    assert told | NOT_TOLD.keys() == _ALL
    assert told & NOT_TOLD.keys() == set()
