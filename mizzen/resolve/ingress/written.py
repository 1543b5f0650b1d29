"""What an Ingress becomes keeps its author: whose lines a rule is, and what a field is called there."""

import re
from dataclasses import replace

from mizzen.errors import Problem, ResourceRef
from mizzen.lazy import dataclass
from mizzen.resources.istio.virtual_service import HTTPRoute, VirtualService
from mizzen.resources.kubernetes.ingress import Ingress

# Where a certificate authority finds its challenge (RFC 8555 section 8.3), in plain text.
CHALLENGES = "/.well-known/acme-challenge/"
_FIELDS = (
    (re.compile(r"(spec\.tls\[\d+\])\.tls\.credentialName.*"), r"\1.secretName"),
    (re.compile(r"(spec\.tls\[\d+\])\.(?:tls|port|bind)\b.*"), r"\1"),
    (re.compile(r"(.*\.backend\.service)\.host"), r"\1.name"),
    (re.compile(r"spec\.(?:port|bind|selector|hosts|http)\b.*"), "spec"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PathOfIngress(HTTPRoute):
    """A rule that a path of an Ingress becomes."""

    ref: ResourceRef


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOfIngresses(VirtualService):
    """The rules of all Ingresses for one host."""


def author(service: VirtualService, rule: HTTPRoute) -> ResourceRef:
    """The object in which a rule is written."""
    return rule.ref if isinstance(rule, PathOfIngress) else service.ref


def by_author(service: VirtualService) -> tuple[VirtualService, ...]:
    """A VirtualService apart by who wrote its rules."""
    authors = dict.fromkeys(author(service, rule) for rule in service.spec.http)
    if len(authors) < 2:
        return (service,)
    return tuple(
        replace(
            service,
            ref=ref,
            spec=replace(
                service.spec, http=tuple(one for one in service.spec.http if author(service, one) == ref)
            ),
        )
        for ref in authors
    )


def as_written(problem: Problem) -> Problem:
    """The problem with its field as an Ingress calls it."""
    if problem.resource.kind != Ingress.__name__:
        return problem
    for pattern, field in _FIELDS:
        if pattern.fullmatch(problem.field):
            return replace(problem, field=pattern.sub(field, problem.field))
    return problem
