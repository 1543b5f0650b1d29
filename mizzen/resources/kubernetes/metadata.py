"""The metadata of an object in a cluster: what somebody asked for, apart from what is kept beside it there."""

from collections.abc import Mapping
from typing import Any

# Where kubectl keeps what an object was applied as the last time.
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# What an API server writes beside what was asked of it.
_BOOKKEEPING = frozenset(
    {
        "creationTimestamp",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)


def asked(metadata: Mapping[str, Any], noted: str) -> Mapping[str, Any]:
    """Metadata without the bookkeeping of an API server. `noted`: an annotation that is another's note, and goes too.

    The very same where there is nothing of that.
    """
    annotations = metadata.get("annotations")
    is_noted = isinstance(annotations, Mapping) and noted in annotations
    if not is_noted and not _BOOKKEEPING.intersection(metadata):
        return metadata
    kept = {key: value for key, value in metadata.items() if key not in _BOOKKEEPING}
    if isinstance(annotations, Mapping) and is_noted:
        kept["annotations"] = {key: value for key, value in annotations.items() if key != noted}
        if not kept["annotations"]:
            del kept["annotations"]
    return kept
