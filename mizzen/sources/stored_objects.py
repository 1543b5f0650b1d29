"""Objects as JSON values: what one process leaves, or tells, another."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from mizzen.errors import ResourceRef
from mizzen.resources.kinds import group_of
from mizzen.resources.raw_objects import RawObject
from mizzen.resources.yaml.places import Places


def stored_object(raw: RawObject, places: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    """What it says, and where: the lines and columns of these of its fields."""
    return {
        "kind": raw.kind,
        "apiVersion": raw.api_version,
        "namespace": raw.namespace,
        "name": raw.name,
        "file": raw.ref.place().file,
        "places": {path: list(place) for path, place in places.items()},
        "data": raw.data,
    }


def object_of(stored: Mapping[str, Any]) -> RawObject:
    """The object again. ValueError, TypeError, KeyError, AttributeError: this was not written by `stored_object`."""
    texts = [stored[key] for key in ("kind", "apiVersion", "namespace", "name", "file")]
    if not all(isinstance(text, str) for text in texts) or not isinstance(stored["data"], dict):
        raise TypeError("no object")
    kind, api_version, namespace, name, file = texts
    found = {path: (int(line), int(column)) for path, (line, column) in stored["places"].items()}
    content = msgspec.json.encode(stored, order="deterministic")
    return RawObject(
        kind=kind,
        api_version=api_version,
        namespace=namespace,
        name=name,
        data=stored["data"],
        ref=ResourceRef(
            kind=kind,
            group=group_of(kind, api_version),
            namespace=namespace,
            name=name,
            places=Places(file, found),
        ),
        digest=f"kept/{hashlib.blake2b(content, digest_size=16).hexdigest()}",
    )
