import json

import pytest

from mizzen.resources.raw_objects import RawObject, parse_documents
from mizzen.sources.stored_objects import object_of, stored_object

TEXT = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: web, namespace: n}\nspec: {servers: [{a: 1}]}\n"


def read() -> RawObject:
    [raw], problems = parse_documents(TEXT, "a.yaml")
    assert not problems
    return raw


def test_an_object_is_the_same_again() -> None:
    raw = read()
    places = {path: (place.line, place.column) for path, place in raw.ref.places.items()}
    again = object_of(json.loads(json.dumps(stored_object(raw, places))))

    assert (again.ref, again.data, again.api_version) == (raw.ref, raw.data, raw.api_version)
    assert str(again.ref.place("spec.servers[0]")) == str(raw.ref.place("spec.servers[0]")) == "a.yaml:4:18"


@pytest.mark.parametrize("without", ["kind", "data", "places", "file"])
def test_what_is_not_ours_is_told(without: str) -> None:
    stored = stored_object(read(), {})
    del stored[without]
    with pytest.raises((KeyError, TypeError)):
        object_of(stored)
