from datetime import timedelta

from mizzen.resources.intake import decode_all
from mizzen.resources.kubernetes.core import ConfigMap
from mizzen.resources.raw_objects import parse_documents
from mizzen.resources.rules.mesh_text import is_of_mesh, mesh_of


def read(text: str, name: str = "istio") -> tuple[ConfigMap | None, list[str]]:
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    document = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: istio-system}}\ndata:\n  mesh: |-\n{lines}"
    world, problems = decode_all(parse_documents(document, "in.yaml")[0])
    told = [f"{one.severity.value} {one.code} {one.field} {one.message}" for one in problems]
    return world.config_map_by_key.get(("istio-system", name)), told


def test_the_settings_are_those_of_the_text() -> None:
    config_map, told = read("connectTimeout: 3s\ndefaultConfig: {concurrency: 2}")
    mesh = mesh_of(config_map)

    assert told == []
    assert mesh is not None
    assert (mesh.connect_timeout, mesh.default_config.concurrency) == (timedelta(seconds=3), 2)


def test_without_a_text_there_are_none() -> None:
    assert mesh_of(None) is None
    assert mesh_of(read("")[0]) is None


def test_an_error_refuses_the_config_map_and_says_the_field_inside() -> None:
    config_map, told = read("defaultConfig: {concurrency: two}")

    assert config_map is None
    assert told == [
        'error FLD-002 data.mesh defaultConfig.concurrency: expected an integer, got the string "two"'
    ]


def test_a_text_that_is_no_yaml_refuses_it_too() -> None:
    config_map, (problem,) = read("a: 1\nb: {")

    assert config_map is None
    assert problem.startswith("error FLD-002 data.mesh line ")


def test_a_field_without_effect_is_a_note_since_charts_write_them() -> None:
    config_map, (problem,) = read("somethingElse: true")

    assert config_map is not None
    assert problem.startswith("info FLD-005 data.mesh somethingElse: ")


def test_another_config_map_is_nobodys_settings() -> None:
    config_map, told = read("defaultConfig: {concurrency: two}", name="other")

    assert config_map is not None
    assert told == []
    assert not is_of_mesh(config_map.key)
