"""What is to be installed: a profile, the files of -f in order and the --set over it, as one IstioOperator."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mizzen.errors import Place, Problem, ResourceRef, Severity
from mizzen.install.gateways import gateways
from mizzen.install.merging import merged
from mizzen.install.profiles import HTTP3_PORTS, INGRESS, PROFILES, WITHOUT_FILES
from mizzen.install.setvalues import assigned
from mizzen.install.site import Site
from mizzen.lazy import dataclass
from mizzen.resources.declaring.compile import nearest
from mizzen.resources.decode import decode
from mizzen.resources.istio.operator import IstioOperator
from mizzen.resources.kinds import meant
from mizzen.resources.raw_objects import RawObject

CODES = {
    "INS-001": "There is no profile of this name.",
    "INS-002": "It is not said where the image is.",
    "INS-003": "An overlay fits no manifest, or its path leads nowhere.",
    "INS-004": "A file that says what to install holds no IstioOperator, or other objects besides.",
    "INS-005": "The name of the revision, or of a gateway, is malformed or taken.",
}

KIND = "IstioOperator"
DEFAULT_NAMESPACE = "istio-system"
_GROUP = "install.istio.io"
_API_VERSION = f"{_GROUP}/v1alpha1"
# A component of which there may be several.
_LISTED = re.compile(r"spec\.components\.(?:in|e)gressGateways\[\d+\]")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LONGEST_NAME = 63  # a Service's name is a label of DNS
_LONGEST_REVISION = 40  # names such as istiod-clusterrole-R-NAMESPACE stay within a label's 63 letters


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What is to be installed. `operator` is None when an error keeps it from being known."""

    operator: IstioOperator | None
    mesh: Mapping[str, Any]  # spec.meshConfig as it is written, merged
    problems: tuple[Problem, ...]


def declared(objects: Sequence[RawObject], sets: Sequence[str] = ()) -> Declared:
    """One IstioOperator: a profile, `objects` (each laid over those before it), and `sets` over all.

    Raises:
        SetError: when one of `sets` cannot be followed.
    """
    operators = [raw for raw in objects if _is_operator(raw)]
    problems = [problem for raw in objects for problem in _of_file(raw)]
    if objects and not operators:
        problems.append(_no_operator(objects[0]))
    if _refused(problems):
        return Declared(operator=None, mesh={}, problems=tuple(problems))
    spec: Any = {}
    for raw in operators:
        spec = merged(spec, raw.data.get("spec") or {})
    profile = str(_with(spec, sets).get("profile") or "default")
    if profile not in PROFILES:
        problems.append(_no_profile(profile, _origin(operators, spec.get("profile") == profile)))
        return Declared(operator=None, mesh={}, problems=tuple(problems))
    spec = merged(_base(profile, alone=not operators), spec)
    operator, mesh, found = _whole(operators, spec, sets)
    problems += found
    if operator is not None:
        problems += _checked(operator)
    return Declared(operator=None if _refused(problems) else operator, mesh=mesh, problems=tuple(problems))


def _whole(
    operators: Sequence[RawObject], spec: Mapping[str, Any], sets: Sequence[str]
) -> tuple[IstioOperator | None, Mapping[str, Any], list[Problem]]:
    """The IstioOperator, its meshConfig as written, and what is wrong with `sets` (files have been judged)."""
    metadata = dict(operators[-1].data.get("metadata") or {}) if operators else {}
    told = {(problem.field, problem.code) for problem in _decoded(metadata, spec, {})[1]}
    final = _with(spec, sets)
    operator, problems = _decoded(metadata, final, _places(operators, spec))
    values = final.get("values")
    below = values.get("meshConfig") if isinstance(values, Mapping) else None
    mesh = merged(below if isinstance(below, Mapping) else {}, final.get("meshConfig") or {})
    new = [
        dataclasses.replace(problem, resource=_origin((), False))
        for problem in problems
        if (problem.field, problem.code) not in told
    ]
    return operator, mesh if isinstance(mesh, Mapping) else {}, new


def _with(spec: Mapping[str, Any], sets: Sequence[str]) -> Mapping[str, Any]:
    for said in sets:
        spec = assigned(spec, said)
    return spec


def _base(profile: str, *, alone: bool) -> Mapping[str, Any]:
    found: Mapping[str, Any] = PROFILES[profile]
    if not alone:
        return found
    ingress = found["components"]["ingressGateways"][0]
    if ingress["enabled"]:
        ports = {"k8s": {"service": {"ports": list(HTTP3_PORTS)}}}
        found = merged(found, {"components": {"ingressGateways": [{"name": INGRESS, **ports}]}})
    both: Mapping[str, Any] = merged(found, WITHOUT_FILES)
    return both


def _places(operators: Sequence[RawObject], spec: Mapping[str, Any]) -> dict[str, Place]:
    """Where the fields of `spec`, which `operators` were merged into, are written: of two, the later counts."""
    found: dict[str, Place] = {"": Place("--set")}
    for raw in operators:
        moved = _moved(raw.data.get("spec") or {}, spec)
        for path, place in raw.ref.places.items():
            listed = _LISTED.match(path)
            found[moved.get(listed[0], listed[0]) + path[listed.end() :] if listed else path] = place
    return found


def _moved(said: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, str]:
    """Path of a component in one file -> its path when it stands among those of all."""
    found: dict[str, str] = {}
    for kind in ("ingressGateways", "egressGateways"):
        names = [one.get("name") for one in whole["components"].get(kind, ())]
        for at, one in enumerate((said.get("components") or {}).get(kind) or ()):
            if one.get("name") in names:
                path = f"spec.components.{kind}"
                found[f"{path}[{at}]"] = f"{path}[{names.index(one.get('name'))}]"
    return found


def _decoded(
    metadata: Mapping[str, Any], spec: Mapping[str, Any], places: Mapping[str, Place]
) -> tuple[IstioOperator | None, tuple[Problem, ...]]:
    raw = RawObject(
        kind=KIND,
        api_version=_API_VERSION,
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata.get("name") or ""),
        data={"apiVersion": _API_VERSION, "kind": KIND, "metadata": dict(metadata), "spec": dict(spec)},
        ref=ResourceRef(kind=KIND, group=_GROUP, name=str(metadata.get("name") or ""), places=places),
        digest="",
    )
    found = decode(raw, DEFAULT_NAMESPACE)
    return found.resource if isinstance(found.resource, IstioOperator) else None, found.problems


def _of_file(raw: RawObject) -> tuple[Problem, ...]:
    if _is_operator(raw):
        return decode(raw, DEFAULT_NAMESPACE).problems
    called = f"{KIND} of {raw.api_version}" if raw.kind == KIND else raw.kind or "object"
    message = f"only an {KIND} is installed; this {called} takes no part"
    hint = "Apply it with kubectl."
    warning = Problem(severity=Severity.WARNING, code="INS-004", resource=raw.ref, message=message, hint=hint)
    return (warning,)


def _is_operator(raw: RawObject) -> bool:
    """Another group may have a kind of that name."""
    return raw.kind == KIND and meant(raw.kind, raw.api_version) is not None


def _refused(problems: Sequence[Problem]) -> bool:
    return any(problem.severity is Severity.ERROR for problem in problems)


def _origin(operators: Sequence[RawObject], in_file: bool) -> ResourceRef:
    if operators and in_file:
        return operators[-1].ref
    return ResourceRef(kind=KIND, group=_GROUP, places={"": Place("--set")})


def _no_operator(first: RawObject) -> Problem:
    message = f"no {KIND} says what to install"
    hint = f"Begin one with apiVersion: {_API_VERSION} and kind: {KIND}."
    return Problem(code="INS-004", resource=first.ref, message=message, hint=hint)


def _no_profile(profile: str, ref: ResourceRef) -> Problem:
    message = f"there is no profile {profile!r}"
    like = nearest(profile, tuple(PROFILES))
    hint = f"Did you mean {like}?" if like else f"There are {', '.join(PROFILES)}."
    return Problem(code="INS-001", resource=ref, field="spec.profile", message=message, hint=hint)


def _checked(operator: IstioOperator) -> list[Problem]:
    """What no schema says: that the image is named, and that names are names of Kubernetes."""
    spec = operator.spec
    found: list[Problem] = []
    ref = operator.ref

    def problem(code: str, field: str, message: str, hint: str = "") -> None:
        found.append(Problem(code=code, resource=ref, field=field, message=message, hint=hint))

    listed = (*spec.components.ingress_gateways, *spec.components.egress_gateways)
    runs = spec.components.pilot.enabled is not False or any(one.enabled is not False for one in listed)
    if runs and not (spec.hub or spec.values.global_.hub):
        hint = "Say where HUB/mizzen:TAG was pushed: --set hub=HUB --set tag=TAG, or spec.hub and spec.tag."
        problem("INS-002", "spec.hub", "it is not said where the image is", hint)
    revision = spec.revision or spec.values.revision
    if revision and (len(revision) > _LONGEST_REVISION or not _LABEL.fullmatch(revision)):
        hint = (
            f"A revision is made of lower-case letters, digits and dashes, up to {_LONGEST_REVISION} of them."
        )
        at = "spec.revision" if spec.revision else "spec.values.revision"
        problem("INS-005", at, f"{revision!r} cannot be the name of a revision", hint)
    site = Site(operator=operator, mesh={}, version="")
    taken = {(site.namespace, site.pilot): "the control plane"}
    for gateway in gateways(site):
        at, name = f"{gateway.said.at}.name", gateway.name
        if len(name) > _LONGEST_NAME or not _LABEL.fullmatch(name):
            problem("INS-005", at, f"{name!r} cannot be the name of a gateway")
        if other := taken.get((gateway.namespace, name)):
            problem("INS-005", at, f"{name!r} is the name of {other} already", "Give each a name of its own.")
        taken.setdefault((gateway.namespace, name), "another gateway")
    return found
