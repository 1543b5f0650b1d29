"""References to objects that are there and have errors of their own: that is told, not that they are missing.

Looked for only where a reference leads nowhere, so that what leads somewhere depends on no object with an error.
"""

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.resolve.context import Context
from mizzen.resolve.hosts import subset_of
from mizzen.resolve.names import expand_host, service_host
from mizzen.resources.istio.destination_rule import DestinationRule
from mizzen.resources.istio.service_entry import ServiceEntry
from mizzen.resources.kubernetes.core import Service
from mizzen.resources.refusal import refused_ref

CODES = {
    "REF-007": "What is referred to is there, has errors of its own, and takes no part.",
}


def named(ctx: Context, kind: str, namespace: str, name: str) -> ResourceRef | None:
    """The object of that name, if it has errors of its own."""
    ref = refused_ref(kind, namespace, name)
    return ref if ctx.world.is_refused(ref) else None


def service(ctx: Context, host: str) -> ResourceRef | None:
    """The Service or ServiceEntry that would have the host."""
    for ref in ctx.world.refused_of(Service.__name__):
        if service_host(ref.name, ref.namespace) == host:
            return ref
    entries = ctx.world.refused_of(ServiceEntry.__name__).items()
    return next((ref for ref, hosts in entries if host in hosts), None)


def rule(ctx: Context, host: str) -> ResourceRef | None:
    """The DestinationRule that would be for the host."""
    for ref, hosts in ctx.world.refused_of(DestinationRule.__name__).items():
        if any(subset_of(host, expand_host(one, ref.namespace)) for one in hosts):
            return ref
    return None


def problem(user: ResourceRef, field: str, meant: ResourceRef) -> Problem:
    """That `user` refers to `meant`."""
    return Problem(
        severity=Severity.WARNING,
        code="REF-007",
        resource=user,
        field=field,
        message=f"{meant} has errors of its own: it takes no part, and so nothing comes of this",
        hint="Mend the errors that are told of at it.",
    )
