"""One container laid over another, as Kubernetes merges them: lists with names by name, other lists as a whole."""

import copy
from typing import Any

# Of these lists the items are told apart by this field (the strategic merge keys of a container).
_KEYS = {"env": "name", "ports": "containerPort", "volumeMounts": "mountPath", "volumeDevices": "devicePath"}


def laid_over(below: Any, above: Any, field: str = "") -> Any:
    """`above` wins where both say something. The arguments stay as they were."""
    if isinstance(below, dict) and isinstance(above, dict):
        merged = {key: copy.deepcopy(value) for key, value in below.items()}
        for key, value in above.items():
            merged[key] = laid_over(below[key], value, key) if key in below else copy.deepcopy(value)
        return merged
    if isinstance(below, list) and isinstance(above, list) and field in _KEYS:
        key = _KEYS[field]
        named = {one.get(key): one for one in below if isinstance(one, dict)}
        for one in above:
            old = named.get(one.get(key))
            # Of a variable one source counts: a value does not stand beside valueFrom.
            named[one.get(key)] = one if old is None or field == "env" else laid_over(old, one)
        return [copy.deepcopy(one) for one in named.values()]
    return copy.deepcopy(above)
