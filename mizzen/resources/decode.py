"""One plain object -> a resource, or the problems that keep it from being one."""

import dataclasses
import functools
import re
from collections.abc import Mapping
from dataclasses import field

from mizzen.errors import Problem, ResourceRef
from mizzen.guard import Stage, attempt, told
from mizzen.lazy import dataclass
from mizzen.resources.declaring.compile import declared_fields, decoder_of, nearest, reader_of
from mizzen.resources.declaring.declare import Metadata, Resource, Unknown
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.declaring.values import BAD, describe
from mizzen.resources.kinds import INERT, KINDS, Kind, group_of, is_for_gateways, meant, successor
from mizzen.resources.raw_objects import RawObject
from mizzen.resources.rules.host_names import with_folded_hosts
from mizzen.resources.rules.validate import validate

# Everything at the top of an object that its declaration need not name.
_ENVELOPE = frozenset({"apiVersion", "kind", "metadata", "status"})
# RFC 1123 subdomain, as the API server demands of names.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST_NAME = 253


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What became of one object. `resource` is None when it has an error or takes no part."""

    resource: Resource | None
    problems: tuple[Problem, ...]
    unread: "Unread | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """An object with an error, of a kind that may guard traffic. `labels`: of the proxies that it selects,
    where that can be read; {} fits all.

    `known`: what it says, where it was set aside only because Envoy does not take it; `fields`: which of its fields are
    to blame, where that is known.
    """

    ref: ResourceRef
    labels: Mapping[str, str] = field(default_factory=dict)
    known: Resource | None = None
    fields: tuple[str, ...] = ()


def decode(raw: RawObject, default_namespace: str = "default") -> Decoded:
    """Decode and validate one object. Depends on nothing but its arguments, so it may be remembered
    by `raw.digest`. `default_namespace` is that of objects that do not name one. What raises is a problem."""
    ref = identify(raw, default_namespace)
    wrong: list[Problem] = []
    decoded = attempt(Stage.READ, ref, lambda: _decoded(raw, ref), wrong.append, None)
    if decoded is not None:
        if not decoded.problems:  # else it may be asked for what stands in its stead
            raw.forget_data()
        return decoded
    return Decoded(
        resource=None, problems=tuple(wrong), unread=_unread(raw, ref, meant(raw.kind, raw.api_version))
    )


def _decoded(raw: RawObject, ref: ResourceRef) -> Decoded:
    kind = meant(raw.kind, raw.api_version)
    if raw.unread:
        wrong = (told(Stage.READ, ref, raw.unread),)
        return Decoded(resource=None, problems=wrong, unread=_unread(raw, ref, kind))
    if raw.aside:
        return Decoded(resource=None, problems=raw.aside, unread=_set_aside(raw, ref, kind))
    found = Findings(ref)
    group, _, version = raw.api_version.rpartition("/")
    if kind is None or kind.group != group:
        _not_ours(raw, group, kind, found)
        # Another kind of that name is nobody's guard; a slip in the kind or group of ours may be one.
        near = kind or KINDS.get(nearest(raw.kind, tuple(KINDS)))
        if near is not None and found.refused:
            return _refused(raw, near, found)
        return Decoded(resource=None, problems=found.all())
    if version not in kind.versions:
        found.error(
            "KIND-003",
            "apiVersion",
            f"{raw.kind} has no version {raw.api_version!r}",
            f"Write {kind.api_version}.",
        )
        return _refused(raw, kind, found)
    resource = _read(raw, kind, found)
    if resource is not None:
        validate(resource, found)
    if found.refused:
        return _refused(raw, kind, found)
    return Decoded(resource=resource and with_folded_hosts(resource), problems=found.all())


def _refused(raw: RawObject, kind: Kind, found: Findings) -> Decoded:
    return Decoded(resource=None, problems=found.all(), unread=_unread(raw, found.ref, kind))


def _unread(raw: RawObject, ref: ResourceRef, kind: Kind | None) -> Unread | None:
    return Unread(ref=ref, labels=_selected(raw)) if kind is not None and kind.may_guard else None


def _set_aside(raw: RawObject, ref: ResourceRef, kind: Kind | None) -> Unread | None:
    unread = _unread(raw, ref, kind)
    if unread is None:
        return None
    known = _decoded(dataclasses.replace(raw, aside=()), ref).resource
    fields = tuple(problem.field for problem in raw.aside)
    return dataclasses.replace(unread, known=known, fields=fields)


def _selected(raw: RawObject) -> Mapping[str, str]:
    """The labels that an object selects proxies by, where so much of it is well-formed; {} is all proxies."""
    spec = raw.data.get("spec")
    for selector, key in (("workloadSelector", "labels"), ("selector", "matchLabels")):
        chosen = spec.get(selector) if isinstance(spec, dict) else None
        labels = chosen.get(key) if isinstance(chosen, dict) else None
        if isinstance(labels, dict) and all(isinstance(value, str) for value in labels.values()):
            return labels
    return {}


def identify(raw: RawObject, default_namespace: str) -> ResourceRef:
    """The name under which an object is known, its namespace filled in."""
    kind = meant(raw.kind, raw.api_version)
    namespace = raw.namespace or (kind.home if kind else "") or default_namespace
    if kind and not kind.namespaced:
        namespace = ""
    return ResourceRef(
        kind=raw.kind or "Document",
        group=group_of(raw.kind, raw.api_version),
        namespace=namespace,
        name=raw.name,
        places=raw.ref.places,
    )


def _not_ours(raw: RawObject, group: str, slip: Kind | None, found: Findings) -> None:
    """`slip`: the kind of ours that is meant, where apiVersion says another group."""
    if not raw.kind or not raw.api_version:
        missing = "apiVersion" if raw.kind else "kind"
        found.error(
            "KIND-004", missing, f"{missing} is missing", "An object says its apiVersion and its kind."
        )
        return
    if instead := successor(raw.kind, group):
        message = (
            f"Istio has retired the kind {raw.kind} of {raw.api_version}: nothing is done, or guarded, by it"
        )
        found.error("KIND-005", "kind", message, instead)
        return
    inert = INERT.get(raw.kind)
    if inert and inert.group == group:
        found.add(
            inert.severity,
            "KIND-002",
            "kind",
            f"mizzen does not act on this kind yet: {inert.because}",
            "",
        )
        return
    if slip is not None:
        found.error(
            "KIND-003",
            "apiVersion",
            f"{raw.kind} is not of {raw.api_version!r}",
            f"Write {slip.api_version}.",
        )
        return
    like = "" if raw.kind in KINDS or inert else nearest(raw.kind, (*KINDS, *INERT))
    message = f"mizzen does not know the kind {raw.kind} of {raw.api_version}"
    is_spelling = like.lower() == raw.kind.lower() and meant(like, raw.api_version) is not None
    if group.endswith("istio.io") or is_spelling:
        found.error("KIND-001", "kind", message, f"Did you mean {like}?" if like else "")
    elif is_for_gateways(group):
        found.warning("KIND-001", "kind", f"{message}: no gateway serves what it asks for")
    else:
        found.info("KIND-001", "kind", f"{message}: it takes no part")


def _read(raw: RawObject, kind: Kind, found: Findings) -> Resource | None:
    meta = _metadata(raw, kind, found)
    declaration: type = kind.declaration
    envelope = _envelope(declaration)
    body = {key: value for key, value in raw.data.items() if key not in envelope}
    given = reader_of(declaration, kind.unknown)(body, "", found)
    if given is BAD or meta is None:
        return None
    return kind.declaration(meta=meta, ref=found.ref, **given)


@functools.cache
def _envelope(declaration: type) -> frozenset[str]:
    takes_status = any(declared.key == "status" for declared in declared_fields(declaration))
    return _ENVELOPE - {"status"} if takes_status else _ENVELOPE


def _metadata(raw: RawObject, kind: Kind, found: Findings) -> Metadata | None:
    written = raw.data.get("metadata")
    if kind.nameless:
        written = {"name": ""} if written is None else written
        written = {"name": "", **written} if isinstance(written, dict) else written
    if written is None:
        found.error("FLD-003", "metadata.name", "metadata.name is missing")
        return None
    meta = decoder_of(Metadata, Unknown.PASS)(written, "metadata", found)
    if not isinstance(meta, Metadata):
        return None
    if not kind.nameless or meta.name:
        _check_name(meta.name, "metadata.name", found)
    if meta.namespace:
        _check_name(meta.namespace, "metadata.namespace", found)
    if meta.namespace == found.ref.namespace:
        return meta
    return dataclasses.replace(meta, namespace=found.ref.namespace)


def _check_name(name: str, at: str, found: Findings) -> None:
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        found.error(
            "META-001",
            at,
            f"{describe(name)} is not a name that Kubernetes takes",
            "A name is made of lower-case letters, digits, dashes and dots, up to 253 of them.",
        )
