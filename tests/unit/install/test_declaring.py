import pytest

from mizzen.install.setvalues import SetError
from tests.unit.install.conftest import HUB, declare, of_spec


def test_a_later_file_is_laid_over_an_earlier_one_and_sets_over_both() -> None:
    found = declare(
        of_spec(
            "{tag: a, components: {pilot: {k8s: {replicaCount: 1}}}, values: {pilot: {env: {A: 1, B: 1}}}}"
        ),
        of_spec("{tag: b, values: {pilot: {env: {B: 2, C: 2}}}}"),
        sets=("hub=h", "values.pilot.env.C=3"),
    )

    assert found.problems == ()
    assert found.operator is not None
    spec = found.operator.spec
    assert (spec.tag, spec.components.pilot.k8s.replica_count) == ("b", 1)
    assert spec.values.pilot.env == {"A": "1", "B": "2", "C": "3"}


def test_gateways_of_several_files_are_merged_by_name() -> None:
    found = declare(
        of_spec("{components: {ingressGateways: [{name: edge, k8s: {replicaCount: 2}}]}}"),
        of_spec("{components: {ingressGateways: [{name: edge, enabled: false}, {name: other}]}}"),
    )
    assert found.operator is not None
    gateways = found.operator.spec.components.ingress_gateways

    assert [(one.name, one.enabled) for one in gateways] == [
        ("istio-ingressgateway", True),
        ("edge", False),
        ("other", None),
    ]
    assert gateways[1].k8s.replica_count == 2


def test_a_list_of_ports_takes_the_place_of_another() -> None:
    ports = "k8s: {service: {ports: [{port: %d}]}}"
    found = declare(
        of_spec(f"{{components: {{ingressGateways: [{{name: edge, {ports % 1}}}]}}}}"),
        of_spec(f"{{components: {{ingressGateways: [{{name: edge, {ports % 2}}}]}}}}"),
    )
    assert found.operator is not None
    edge = found.operator.spec.components.ingress_gateways[1]

    assert [port.port for port in edge.k8s.service.ports] == [2]


def test_the_mesh_is_handed_on_as_it_is_written() -> None:
    found = declare(of_spec("{meshConfig: {accessLogFile: /dev/stdout, someday: 1}}"))

    assert found.mesh == {"accessLogFile": "/dev/stdout", "someday": 1}
    assert [problem.code for problem in found.problems] == ["FLD-005"]


@pytest.mark.parametrize(
    ("text", "sets", "code", "place"),
    [
        (of_spec("{profile: dem}"), HUB, "INS-001", "0.yaml:1:"),
        (of_spec("{}"), (), "INS-002", "0.yaml:1:"),
        (of_spec("{}"), (*HUB, "profile=x"), "INS-001", "--set"),
        (of_spec("{tag: []}"), HUB, "FLD-002", "0.yaml:1:"),
        (of_spec("{}"), (*HUB, "components.pilot.enabled=maybe"), "FLD-002", "--set"),
        (of_spec("{revision: UPPER}"), HUB, "INS-005", "0.yaml:1:"),
        (of_spec("{components: {ingressGateways: [{name: a b}]}}"), HUB, "INS-005", "0.yaml:1:"),
        (
            of_spec("{components: {ingressGateways: [{name: a}], egressGateways: [{name: a}]}}"),
            HUB,
            "INS-005",
            "0.yaml:1:",
        ),
        (of_spec("{components: {ingressGateways: [{name: istiod}]}}"), HUB, "INS-005", "0.yaml:1:"),
        (of_spec("{components: {ingressGateways: [{}]}}"), HUB, "INS-005", "0.yaml:1:"),
        ("{apiVersion: v1, kind: Pod, metadata: {name: x}}", HUB, "INS-004", "0.yaml:1:1"),
        (of_spec("7"), HUB, "FLD-002", "0.yaml:1:"),
        (of_spec("{components: {ingressGateways: [7]}}"), HUB, "FLD-002", "0.yaml:1:"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    text: str, sets: tuple[str, ...], code: str, place: str
) -> None:
    found = declare(text, sets=sets)

    assert found.operator is None
    problem = found.problems[-1]
    assert problem.code == code
    assert str(problem.origin).startswith(place)


def test_a_set_that_cannot_be_followed_is_no_problem_of_a_file() -> None:
    with pytest.raises(SetError):
        declare(of_spec("{}"), sets=("a",))
