"""The validating webhook's answer: what `mizzen analyze` calls an error of an object by itself is refused.

What takes several objects to see (a host that no Service has) is not: objects come in any order. What is deleted
is let go, and so is what waits for its finalizers: it can only be changed so that it goes. It never raises.
"""

from collections.abc import Mapping
from typing import Any

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.inject.review import Json, answer
from mizzen.resolve.access.patches import check
from mizzen.resources.decode import decode
from mizzen.resources.istio.envoy_filter import EnvoyFilter
from mizzen.resources.kinds import group_of
from mizzen.resources.leaving_out import remainder
from mizzen.resources.raw_objects import RawObject

FORCED = "mizzen.dev/always-reject"  # the annotation of the object by which the webhook is tried
_MOST_ERRORS, _MOST_WARNINGS, _LONGEST = 20, 20, 250


def judged(asked: Any, default_namespace: str = "default") -> Json:
    """An AdmissionReview in, an AdmissionReview out."""
    request = asked.get("request") if isinstance(asked, Mapping) else None
    if not isinstance(request, Mapping):
        return answer("", _refused("there is no request in this AdmissionReview"))
    uid = str(request.get("uid", "")).encode(errors="replace").decode()
    written = request.get("object")
    if request.get("operation") == "DELETE" or not isinstance(written, Mapping):
        return answer(uid, {"allowed": True})
    meta = written.get("metadata")
    meta = meta if isinstance(meta, Mapping) else {}
    if meta.get("deletionTimestamp"):
        return answer(uid, {"allowed": True})
    annotations = meta.get("annotations")
    if isinstance(annotations, Mapping) and annotations.get(FORCED) == "true":
        return answer(uid, _refused(f"the annotation {FORCED} asks for it"))
    problems = _problems(written, meta, str(request.get("namespace") or ""), default_namespace)
    errors = [one for one in problems if one.severity is Severity.ERROR and not _takes_no_part(one)]
    warnings = [one for one in problems if one not in errors]
    response: Json = {"allowed": True} if not errors else _refused(_sentences(errors))
    if warnings:
        response["warnings"] = [_sentence(one)[:_LONGEST] for one in warnings[:_MOST_WARNINGS]]
    return answer(uid, response)


def _problems(
    written: Mapping[str, Any], meta: Mapping[str, Any], namespace: str, default_namespace: str
) -> tuple[Problem, ...]:
    kind, api_version = str(written.get("kind", "")), str(written.get("apiVersion", ""))
    name = str(meta.get("name") or meta.get("generateName") or "")
    raw = RawObject(
        kind=kind,
        api_version=api_version,
        namespace=str(meta.get("namespace") or namespace),
        name=name,
        data={**written, "metadata": {**meta, "name": name.rstrip("-") or "generated"}},
        ref=ResourceRef(
            kind=kind,
            group=group_of(kind, api_version),
            namespace=str(meta.get("namespace") or namespace),
            name=name,
        ),
        digest="",  # it is decoded once
    )
    decoded = decode(raw, default_namespace)
    if isinstance(decoded.resource, EnvoyFilter):
        return (*decoded.problems, *check(decoded.resource))
    rest = remainder(raw, decoded.problems, default_namespace)
    return (*decoded.problems, *(rest.problems if rest else ()))


def _takes_no_part(problem: Problem) -> bool:
    """A kind that nothing is done about: whoever runs Istio beside us may well want it."""
    return problem.code in ("KIND-001", "KIND-002")


def _sentences(problems: list[Problem]) -> str:
    more = len(problems) - _MOST_ERRORS
    told = "; ".join(map(_sentence, problems[:_MOST_ERRORS]))
    return f"{told}; and {more} more" if more > 0 else told


def _sentence(problem: Problem) -> str:
    where = f"{problem.field}: " if problem.field else ""
    hint = f". {problem.hint}" if problem.hint else ""
    # Half a character, which JSON can escape, cannot be sent back.
    return f"{problem.code} {where}{problem.message}{hint}".encode(errors="replace").decode()


def _refused(why: str) -> Json:
    return {
        "allowed": False,
        "status": {"code": 400, "reason": "BadRequest", "message": f"configuration is invalid: {why}"},
    }
