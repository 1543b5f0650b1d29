"""k8s.overlays: changes of single manifests by path, the last word of whoever installs.

`spec.template.spec.containers.[name:discovery].args.[-1]` reads as in istioctl: a field, the item of a list whose
field has a value, an item by its number from either end. Without a value, what the path names is removed.
"""

import copy
from collections.abc import Iterable
from typing import Any

from mizzen.inject.container import Manifest
from mizzen.install.setvalues import SetError, Step, path_of
from mizzen.resources.istio.operator import ManifestOverlay, OverlayPatch


class OverlayError(ValueError):
    """An overlay that fits no manifest, or a path that leads nowhere in it."""


def overlaid(manifests: Iterable[Manifest], overlays: Iterable[ManifestOverlay]) -> tuple[Manifest, ...]:
    """`manifests` with every patch applied, in order. Raises OverlayError, which names the field."""
    made = [copy.deepcopy(manifest) for manifest in manifests]
    for overlay in overlays:
        fitting = [manifest for manifest in made if _fits(manifest, overlay)]
        if not fitting:
            known = ", ".join(f"{one['kind']} {one['metadata']['name']}" for one in made)
            raise OverlayError(f"{overlay.at}: there is no {overlay.kind} {overlay.name!r}; there is {known}")
        for manifest in fitting:
            for patch in overlay.patches:
                _patch(manifest, patch)
    return tuple(made)


def _fits(manifest: Manifest, overlay: ManifestOverlay) -> bool:
    return (
        manifest["kind"] == overlay.kind
        and manifest["metadata"]["name"] == overlay.name
        and overlay.api_version in ("", manifest["apiVersion"])
    )


def _patch(manifest: Manifest, patch: OverlayPatch) -> None:
    try:
        path = path_of(patch.path, patch.path)
    except SetError as error:
        raise OverlayError(f"{patch.at}.path: {str(error).partition(': ')[2]}") from None
    within: Any = manifest
    for number, step in enumerate(path[:-1]):
        following = path[number + 1]
        place = _place(within, step, patch)
        if isinstance(within, dict):
            within = within.setdefault(place, {} if isinstance(following, str) else [])
        elif place == len(within):
            raise OverlayError(f"{patch.at}.path: {patch.path!r} leads nowhere at {_shown(step)}")
        else:
            within = within[place]
    _change(within, path[-1], patch)


def _change(within: Any, step: Step, patch: OverlayPatch) -> None:
    place = _place(within, step, patch)
    if isinstance(within, dict):
        if patch.value is None:
            within.pop(place, None)
        else:
            within[place] = _merged(within.get(place), patch.value)
    elif patch.value is None:
        del within[place : place + 1]
    else:
        old = within[place] if place < len(within) else None
        within[place : place + 1] = [_merged(old, patch.value)]


def _merged(old: Any, new: Any) -> Any:
    """A mapping is laid over a mapping; anything else takes the place of what was there."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}
    return copy.deepcopy(new)


def _place(within: Any, step: Step, patch: OverlayPatch) -> Any:
    if isinstance(step, str) and isinstance(within, dict):
        return step
    if isinstance(step, tuple) and isinstance(within, list):
        for place, item in enumerate(within):
            if isinstance(item, dict) and str(item.get(step[0])) == step[1]:
                return place
        return len(within)
    if isinstance(step, int) and isinstance(within, list):
        place = step + len(within) if step < 0 else step
        if 0 <= place <= len(within):
            return place
    raise OverlayError(f"{patch.at}.path: {patch.path!r} leads nowhere at {_shown(step)}")


def _shown(step: Step) -> str:
    if isinstance(step, tuple):
        return f"[{step[0]}:{step[1]}]"
    return repr(step) if isinstance(step, str) else f"[{step}]"
