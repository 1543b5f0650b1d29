"""Objects that are there and take no part for an error of their own: who refers to one is told that, not that it is missing."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.resources.kinds import KINDS, is_ours
from mizzen.resources.raw_objects import RawObject

# Such an object -> the hosts that it is for, as written; () where they cannot be read, or it has none.
Refused = Mapping[ResourceRef, tuple[str, ...]]


def refused_ref(kind: str, namespace: str, name: str) -> ResourceRef:
    """Under which name an object of one of our kinds is known."""
    return ResourceRef(kind=kind, group=KINDS[kind].group, namespace=namespace, name=name)


def hosts_of(raw: RawObject) -> tuple[str, ...]:
    """The hosts of a ServiceEntry, or the host of a DestinationRule, as far as they can be read."""
    spec = raw.data.get("spec")
    if not isinstance(spec, Mapping):
        return ()
    hosts = spec.get("hosts")
    written = [spec.get("host"), *(hosts if isinstance(hosts, list) else [hosts])]
    return tuple(host for host in written if isinstance(host, str) and host)


def refused_documents(
    broken: Iterable[Problem], default_namespace: str
) -> dict[ResourceRef, tuple[str, ...]]:
    """Objects whose documents cannot be read, as far as their lines tell a kind of ours and a name."""
    return {
        replace(ref, namespace=ref.namespace or default_namespace): ()
        for problem in broken
        if problem.severity is Severity.ERROR and problem.code.startswith("YML-")
        for ref in (problem.resource,)
        if ref.name and is_ours(ref) and KINDS[ref.kind].namespaced
    }
