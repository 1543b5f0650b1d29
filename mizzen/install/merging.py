"""Laying one declaration over another before either is decoded, as istioctl lays IstioOperators over each other."""

from collections.abc import Mapping
from typing import Any

# Lists whose items are told apart by `name`; of any other list, the upper one stands alone.
_BY_NAME = frozenset({"ingressGateways", "egressGateways", "env"})


def merged(base: Any, top: Any, key: str = "") -> Any:
    """`top` over `base`: mappings key by key, lists of components by name. null takes a field away.

    `key`: under which the two stand. Neither argument is changed.
    """
    if isinstance(base, Mapping) and isinstance(top, Mapping):
        both = {name: merged(base.get(name), value, name) for name, value in top.items()}
        return {name: value for name, value in {**base, **both}.items() if value is not None}
    if key in _BY_NAME and isinstance(base, list) and isinstance(top, list):
        return _by_name(base, top)
    return merged({}, top) if isinstance(top, Mapping) else top


def _by_name(base: list[Any], top: list[Any]) -> list[Any]:
    found = list(base)
    for item in top:
        name = item.get("name") if isinstance(item, Mapping) else None
        places = [at for at, one in enumerate(found) if isinstance(one, Mapping) and one.get("name") == name]
        if name is not None and places:
            found[places[0]] = merged(found[places[0]], item)
        else:
            found.append(item)
    return found
