"""What a cluster's objects become when others are applied to them, as `kubectl apply` does.

What a file says takes the place of what is there, what the file said when it was applied last and says no more goes, and what
others wrote beside (the API server's defaults, an address, a status) stays.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mizzen.errors import ResourceRef
from mizzen.resources.decode import identify
from mizzen.resources.kubernetes.metadata import LAST_APPLIED
from mizzen.resources.raw_objects import RawObject

# By which items of lists are known in Kubernetes' own kinds ("patchMergeKey"), the first that an item has.
_MERGE_KEYS = ("name", "containerPort", "port", "key", "ip", "mountPath")
# A list of these kinds is taken as a whole.
_OWN_GROUPS = frozenset(
    {"", "apps", "batch", "autoscaling", "policy", "discovery.k8s.io", "networking.k8s.io"}
)


def applied(
    there: tuple[RawObject, ...], given: tuple[RawObject, ...], namespace: str
) -> tuple[RawObject, ...]:
    """The objects of a cluster once others are applied to it."""
    by_ref: dict[ResourceRef, RawObject] = {identify(raw, namespace): raw for raw in there}
    names = {identify(raw, namespace) for raw in given}
    rest = (raw for raw in there if identify(raw, namespace) not in names)
    return (*rest, *(_onto(by_ref.get(identify(raw, namespace)), raw) for raw in given))


def _onto(there: RawObject | None, given: RawObject) -> RawObject:
    if there is None or there.unread or given.unread:
        return given
    asked = _as_stored(given)
    keyed = given.ref.group in _OWN_GROUPS
    merged = _merged(there.data, asked, _last_applied(there.data), keyed=keyed)
    if _group(given.api_version) == _group(there.api_version):
        merged["apiVersion"] = there.data.get("apiVersion", given.api_version)
    if not given.namespace:
        merged["metadata"] = {**merged["metadata"], "namespace": there.namespace}
    return replace(given, data=merged, digest=f"{given.digest}/applied/{there.digest}")


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]


def _as_stored(given: RawObject) -> Mapping[str, Any]:
    """An API server keeps the texts of a Secret with its data."""
    texts = given.data.get("stringData")
    if given.kind != "Secret" or not isinstance(texts, Mapping):
        return given.data
    data = given.data.get("data")
    encoded = {key: base64.b64encode(str(text).encode()).decode() for key, text in texts.items()}
    rest = {key: value for key, value in given.data.items() if key != "stringData"}
    return {**rest, "data": {**(data if isinstance(data, Mapping) else {}), **encoded}}


def _last_applied(data: Mapping[str, Any]) -> Any:
    """What the object was applied as the last time; {} where nobody says."""
    annotations = (data.get("metadata") or {}).get("annotations") or {}
    try:
        return json.loads(annotations.get(LAST_APPLIED, "{}"))
    except (ValueError, TypeError, RecursionError):
        return {}


def _merged(there: Mapping[str, Any], given: Mapping[str, Any], last: Any, *, keyed: bool) -> dict[str, Any]:
    said = last if isinstance(last, Mapping) else {}
    kept = {key: value for key, value in there.items() if key in given or key not in said}
    return kept | {
        key: _value(there.get(key), value, said.get(key), keyed=keyed) for key, value in given.items()
    }


def _value(there: Any, given: Any, last: Any, *, keyed: bool) -> Any:
    if isinstance(there, Mapping) and isinstance(given, Mapping):
        return _merged(there, given, last, keyed=keyed)
    if keyed and isinstance(there, list) and isinstance(given, list):
        return _items(there, given, last)
    return given


def _items(there: list[Any], given: list[Any], last: Any) -> list[Any]:
    """Each item onto the one that is known by the same; what others added to the list is not looked for."""
    known = {_known_by(item): item for item in reversed(there)}
    earlier = {_known_by(item): item for item in last} if isinstance(last, list) else {}
    return [
        _value(known.get(_known_by(item)), item, earlier.get(_known_by(item)), keyed=True) for item in given
    ]


def _known_by(item: Any) -> object:
    if not isinstance(item, Mapping):
        return None
    key = next((key for key in _MERGE_KEYS if key in item), "")
    value = item.get(key)
    return (key, str(value), str(item.get("protocol", "TCP"))) if key else None
