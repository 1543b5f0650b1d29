"""A guard that has an error closes: what stands in its place is never weaker than what it may have meant.

An AuthorizationPolicy, RequestAuthentication or PeerAuthentication that is left out lets through what it was written to
refuse. So where no good version of it is known, the part that cannot be read counts as what refuses most:

- a rule of an ALLOW that has an error allows nothing;
- a rule of a DENY (or CUSTOM) refuses without the condition that has the error: everything that the rest describes;
- where the error is elsewhere (the action, a selector, the metadata), all that the policy selects is refused;
- a PeerAuthentication demands certificates;
- what is probably meant to be a guard (`AuthorisationPolicy`) is one with an error in its kind.
"""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.lazy import dataclass
from mizzen.resources.declaring.compile import nearest
from mizzen.resources.declaring.declare import Metadata, Resource
from mizzen.resources.decode import decode, identify
from mizzen.resources.istio.security import (
    DRY_RUN,
    AuthorizationPolicy,
    AuthorizationPolicySpec,
    Closure,
    MutualTls,
    PeerAuthentication,
    PeerAuthenticationSpec,
    RequestAuthentication,
    Rule,
    WorkloadSelector,
)
from mizzen.resources.kinds import KINDS, SECURITY, meant
from mizzen.resources.raw_objects import RawObject
from mizzen.resources.yaml.places import Steps, steps_of

_VERSION = f"{SECURITY}/v1"
_POLICY, _PEERS = AuthorizationPolicy.__name__, PeerAuthentication.__name__
GUARDS = frozenset({_POLICY, _PEERS, RequestAuthentication.__name__})

_DROPPED = object()
_NOBODY = "unreadable provider of a policy"  # that nobody defines: who would have to be asked, refuses
_ROUNDS = 3  # what is judged only once the rest can be read: first the types, then the values


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What stands for a guard, and what is to be told of that."""

    resource: Resource
    problem: Problem | None


def is_guard(ref: ResourceRef) -> bool:
    """Is it of a kind for which this closes? Another group's kind of one name guards nothing here."""
    return ref.kind in GUARDS and ref.group == SECURITY


def closed(raw: RawObject, problems: Iterable[Problem], default_namespace: str) -> Closed | None:
    """What stands for an object that is refused because of `problems`; None where nothing was guarded by it."""
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    kind = _meant(raw.kind)
    if not errors or not kind or meant(kind, raw.api_version) is None:
        return None
    ref = replace(identify(raw, default_namespace), kind=kind, group=SECURITY)
    spec = raw.data.get("spec")
    spec = spec if isinstance(spec, Mapping) else {}
    if spec.get("targetRef") or spec.get("targetRefs") or spec.get("action") == "AUDIT" or _is_dry_run(raw):
        return None
    if raw.kind == _POLICY:
        stricter = _stricter(raw, errors, default_namespace)
        if stricter is not None:
            return Closed(
                resource=stricter, problem=_told(ref, "it refuses more, or allows less, than is written")
            )
    is_unclear = any(problem.field.startswith("spec.selector") for problem in errors)
    return whole(ref, None if is_unclear else _selector(spec))


def _meant(kind: str) -> str:
    """The guard that a kind is, or was probably meant to be; ""."""
    known = kind if kind in KINDS else nearest(kind, tuple(KINDS))
    return known if known in GUARDS else ""


def _is_dry_run(raw: RawObject) -> bool:
    metadata = raw.data.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    return isinstance(annotations, Mapping) and annotations.get(DRY_RUN) == "true"


def whole(ref: ResourceRef, selector: WorkloadSelector | None = None, field: str = "") -> Closed:
    """What stands for a guard of which nothing more is known than its name and, perhaps, what it selects.

    `field`: where its error is, if the object has no place of its own.
    """
    whom = "the workloads that it selects" if selector else "all workloads that it may be for"
    if ref.kind == _PEERS:
        meta = Metadata(name=ref.name, namespace=ref.namespace)
        demanding = PeerAuthenticationSpec(selector=selector, mtls=MutualTls(mode="STRICT"))
        strict = PeerAuthentication(meta=meta, ref=ref, spec=demanding)
        return Closed(resource=strict, problem=_told(ref, f"{whom} demand certificates of the mesh", field))
    refusing = AuthorizationPolicySpec(selector=selector, action="DENY", rules=(Rule(),))
    meta = Metadata(name=f"{ref.kind}/{ref.name}", namespace=ref.namespace)
    closure = Closure(meta=meta, ref=ref, spec=refusing)
    return Closed(resource=closure, problem=_told(ref, f"{whom} refuse everything", field))


def _told(ref: ResourceRef, instead: str, field: str = "") -> Problem:
    return Problem(
        code="GRD-001",
        resource=ref,
        field=field,
        message=f"the object guards something and has an error: until that is mended, {instead}",
        hint="Mend the error that is told of beside this.",
    )


def _selector(spec: Mapping[str, Any]) -> WorkloadSelector | None:
    """The selector as far as it can be read; None is everything."""
    selector = spec.get("selector")
    labels = selector.get("matchLabels") if isinstance(selector, Mapping) else None
    if not isinstance(labels, Mapping):
        return None
    pairs = {key: value for key, value in labels.items() if isinstance(key, str) and isinstance(value, str)}
    return WorkloadSelector(match_labels=pairs)


# --- a policy whose rules have errors ---------------------------------------------------------------


def _stricter(raw: RawObject, errors: list[Problem], default_namespace: str) -> Resource | None:
    """The policy with its bad parts replaced by what refuses most; None where they are not in its rules."""
    for _ in range(_ROUNDS):
        steps = [steps_of(problem.field) for problem in errors]
        if any(one[:1] != ("spec",) or one[1:2] not in (("rules",), ("provider",)) for one in steps):
            return None
        spec = _stricter_spec(raw.data["spec"], [one[1:] for one in steps])
        data = {**raw.data, "apiVersion": _VERSION, "spec": spec}
        raw = replace(raw, api_version=_VERSION, data=data, aside=())
        decoded = decode(raw, default_namespace)
        if decoded.resource is not None:
            return decoded.resource
        errors = [problem for problem in decoded.problems if problem.severity is Severity.ERROR]
    return None


def _stricter_spec(spec: Mapping[str, Any], bad: list[Steps]) -> dict[str, Any]:
    refuses = spec.get("action") in ("DENY", "CUSTOM")
    made = {
        **spec,
        "rules": _stricter_rules(spec.get("rules"), [one[1:] for one in bad if one[0] == "rules"], refuses),
    }
    if any(one[0] == "provider" for one in bad):
        made["provider"] = {"name": _NOBODY} if spec.get("action") == "CUSTOM" else None
    return made


def _stricter_rules(rules: object, bad: list[Steps], refuses: bool) -> list[Any]:
    """`bad`: where in the rules an error is; () is all of them."""
    if not isinstance(rules, list) or any(not one or not isinstance(one[0], int) for one in bad):
        return [{}] if refuses and (bad or rules) else []
    hit = {one[0] for one in bad}
    if not refuses:
        return [rule for index, rule in enumerate(rules) if index not in hit]
    kept = [copy.deepcopy(rule) if index in hit else rule for index, rule in enumerate(rules)]
    for index, *inside in bad:
        assert isinstance(index, int)
        kept[index] = _wider(kept[index], tuple(inside))
    return [_without_dropped(rule) for rule in kept]


def _wider(rule: Any, inside: Steps) -> Any:
    """The rule without the smallest part that holds the error and of which all must hold: it describes more."""
    try:
        match inside:
            case ("from" | "to" as side, int(index), "source" | "operation" as what, str(key), *_):
                rule[side][index][what].pop(key, None)
            case ("when", int(index), *_):
                rule["when"][index] = _DROPPED
            case (str(key), *_):
                rule.pop(key, None)
            case _:
                return {}
    except (AttributeError, IndexError, KeyError, TypeError):  # the part went with an earlier error
        return rule
    return rule


def _without_dropped(rule: Any) -> Any:
    if isinstance(rule, dict) and isinstance(rule.get("when"), list):
        return {**rule, "when": [one for one in rule["when"] if one is not _DROPPED]}
    return rule
