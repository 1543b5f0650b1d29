from mizzen.errors import Place, ResourceRef
from mizzen.resources.yaml.places import Places, child


def test_a_path_is_written_as_its_author_would() -> None:
    assert child("", "spec") == "spec"
    assert child("spec.http[0]", "route") == "spec.http[0].route"
    assert child("spec.match.headers", "x-user") == "spec.match.headers.x-user"
    assert child("metadata.labels", "app.kubernetes.io/name") == "metadata.labels[app.kubernetes.io/name]"


def test_places_tell_the_file_and_fall_back_to_the_nearest_ancestor() -> None:
    places = Places("f.yaml", {"": (1, 1), "spec": (5, 1), "spec.http[0]": (7, 3)})
    ref = ResourceRef(kind="VirtualService", places=places)

    assert ref.place("spec.http[0].route[2].weight") == Place("f.yaml", 7, 3)
    assert ref.place("spec.tls") == Place("f.yaml", 5, 1)
    assert ref.place("metadata.labels[a.b/c]") == Place("f.yaml", 1, 1)
    assert sorted(places) == ["", "spec", "spec.http[0]"]
    assert len(places) == 3
