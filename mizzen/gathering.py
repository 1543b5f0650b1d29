"""What the entries of a map give, gathered under other keys; by difference to what was gathered before.

Each function is given what was gathered, what it was gathered of (key -> name -> item) and what that has become.
"""

from typing import Any

from mizzen.persistent import PersistentMap


def regrouped(
    gathered: PersistentMap[Any, Any], before: PersistentMap[Any, Any], after: PersistentMap[Any, Any]
) -> PersistentMap[Any, Any]:
    difference = after.difference(before)
    touched: dict[Any, dict[Any, Any]] = {}
    for key in (*difference.removed, *difference.changed):
        old, new = before.get(key) or {}, difference.changed.get(key) or {}
        for group in old.keys() - new.keys():
            _members(touched, gathered, group).pop(key)
        for group, item in new.items():
            if group not in old or old[group] is not item:
                _members(touched, gathered, group)[key] = item
    return gathered.updated(
        {group: members for group, members in touched.items() if members},
        [group for group, members in touched.items() if not members],
    )


def _members(
    touched: dict[Any, dict[Any, Any]], gathered: PersistentMap[Any, Any], group: Any
) -> dict[Any, Any]:
    if group not in touched:
        touched[group] = dict(gathered.get(group) or {})
    return touched[group]


def reflattened(
    gathered: PersistentMap[Any, Any], before: PersistentMap[Any, Any], after: PersistentMap[Any, Any]
) -> PersistentMap[Any, Any]:
    difference = after.difference(before)
    gone: set[Any] = set()
    new: dict[Any, Any] = {}
    for key in (*difference.removed, *difference.changed):
        gone |= (before.get(key) or {}).keys()
        new |= difference.changed.get(key) or {}
    return gathered.updated(new, gone - new.keys())


def renested(
    gathered: PersistentMap[Any, Any], before: PersistentMap[Any, Any], after: PersistentMap[Any, Any]
) -> PersistentMap[Any, Any]:
    difference = after.difference(before)
    gone: dict[Any, set[Any]] = {}
    new: dict[Any, dict[Any, Any]] = {}
    for key in (*difference.removed, *difference.changed):
        for outer, inner in before.get(key) or ():
            gone.setdefault(outer, set()).add(inner)
        for (outer, inner), item in (difference.changed.get(key) or {}).items():
            new.setdefault(outer, {})[inner] = item
    changed = {}
    for outer in {*gone, *new}:
        some = new.get(outer, {})
        changed[outer] = gathered.get(outer, PersistentMap[Any, Any]()).updated(
            some, gone.get(outer, set()) - some.keys()
        )
    return gathered.updated(
        {outer: entries for outer, entries in changed.items() if entries},
        [outer for outer, entries in changed.items() if not entries],
    )
