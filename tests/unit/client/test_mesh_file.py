from mizzen.client.mesh_file import with_mesh_config
from mizzen.resources.intake import decode_all
from mizzen.resources.raw_objects import parse_documents

OPERATOR = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh}
spec:
  meshConfig: {trustDomain: a.test}
  values: {pilot: {env: {A: b}}}
"""


def test_the_settings_of_the_file_stand_in_place_of_those_of_operators() -> None:
    raws, _ = parse_documents(OPERATOR, "in.yaml")

    objects, problems = with_mesh_config(raws, "trustDomain: b.test\n", "mesh.yaml")
    world, _ = decode_all(objects)

    assert problems == ()
    assert {one.spec.mesh_config.trust_domain for one in world.operators} == {"cluster.local", "b.test"}
    assert any(one.spec.values.pilot.env == {"A": "b"} for one in world.operators)


def test_what_is_wrong_stands_where_it_is_in_the_file() -> None:
    objects, _ = with_mesh_config((), "connectTimeout: 5s\naccessLogFile: 7\n", "mesh.yaml")

    _, (problem, *_) = decode_all(objects)

    assert str(problem.origin) == "mesh.yaml:2:1"


def test_a_text_that_is_no_yaml_is_a_problem() -> None:
    objects, (problem,) = with_mesh_config((), "a: {", "mesh.yaml")

    assert objects == ()
    assert problem.code == "YML-001"
