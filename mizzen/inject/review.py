"""The mutating webhook's answer: an AdmissionReview in, an AdmissionReview out. It never raises."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from mizzen.inject.container import Manifest
from mizzen.inject.decide import why_not
from mizzen.inject.pod import Unfit, injected
from mizzen.inject.settings import InjectorSettings, SettingsError

Json = dict[str, Any]


def review(asked: Any, settings: Callable[[], InjectorSettings], *, native: bool) -> Json:
    """What the API server is answered about a Pod that is created. `settings` may raise SettingsError."""
    request = asked.get("request") if isinstance(asked, Mapping) else None
    if not isinstance(request, Mapping):
        return answer("", {"allowed": False, **_said("there is no request in this AdmissionReview")})
    uid = str(request.get("uid", ""))
    pod = request.get("object")
    if not isinstance(pod, dict) or not isinstance(pod.get("spec"), dict):
        return answer(uid, {"allowed": True})  # not a Pod: nothing of ours
    namespace = str(request.get("namespace") or "default")
    try:
        if why_not(pod, namespace):
            return answer(uid, {"allowed": True})
        made = injected(pod, namespace=namespace, settings=settings(), native=native)
    except (Unfit, SettingsError) as error:
        return answer(uid, {"allowed": False, **_said(f"no sidecar can be injected: {error}")})
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        return answer(
            uid, {"allowed": False, **_said(f"no sidecar can be injected into this Pod: {error!r}")}
        )
    operations = patch(pod, made)
    encoded = base64.b64encode(json.dumps(operations).encode()).decode()
    return answer(uid, {"allowed": True, "patchType": "JSONPatch", "patch": encoded})


def answer(uid: str, response: Json) -> Json:
    """An AdmissionReview with a response."""
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {"uid": uid, **response},
    }


def _said(message: str) -> Json:
    return {"status": {"code": 400, "message": message, "reason": "BadRequest"}}


def patch(before: Manifest, after: Manifest) -> list[Json]:
    """RFC 6902 operations that make `after` of `before`: each part of metadata and spec as a whole."""
    operations: list[Json] = []
    for top in ("metadata", "spec"):
        old, new = before.get(top), after.get(top) or {}
        if not isinstance(old, dict):
            operations.append({"op": "add", "path": f"/{top}", "value": new})
            continue
        for key, value in new.items():
            if key not in old:
                operations.append({"op": "add", "path": f"/{top}/{_escaped(key)}", "value": value})
            elif old[key] != value:
                operations.append({"op": "replace", "path": f"/{top}/{_escaped(key)}", "value": value})
        operations += [{"op": "remove", "path": f"/{top}/{_escaped(key)}"} for key in old if key not in new]
    return operations


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
