"""Rules that hold for several kinds."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from mizzen.resources.declaring.declare import Resource
from mizzen.resources.declaring.findings import Findings
from mizzen.resources.formats import checks
from mizzen.resources.yaml.places import child

# Annotations that Istio writes itself, or that make its webhook say no.
_FORBIDDEN = (
    "internal.istio.io/parents",
    "internal.istio.io/parent-namespace",
    "internal.istio.io/webhook-always-reject",
    "istio.io/dry-run",
)
NOBODY = "~"
EVERYBODY = "*"
OWN = "."
UNIX = "unix://"


def annotations(resource: Resource, found: Findings) -> None:
    """Annotations that no user may write on this kind."""
    for name in _FORBIDDEN:
        if name in resource.meta.annotations:
            found.error(
                "VAL-002",
                child("metadata.annotations", name),
                f"the annotation {name} is not allowed on a {resource.ref.kind}",
                "Remove the annotation.",
            )


def time(value: timedelta | None, at: str, found: Findings) -> None:
    if value is not None and (wrong := checks.duration(value)):
        found.error("VAL-009", at, wrong)


def text(value: str, at: str, found: Findings, code: str = "VAL-013") -> None:
    """What becomes the value of a header: a path, an attribute of a cookie."""
    if wrong := checks.plain(value):
        found.error(code, at, wrong)


def sent_host(value: str, at: str, found: Findings) -> None:
    """A host that requests are sent on (or clients are redirected) with."""
    if wrong := checks.host_value(value):
        found.error("VAL-004", at, wrong)


def bind(value: str, at: str, found: Findings) -> bool:
    """What a listener is bound to: an IP address, or a Unix socket. Whether it is the latter."""
    if value.startswith(UNIX):
        if wrong := checks.unix_path(value):
            found.error("VAL-013", at, wrong)
        return True
    if value and not checks.is_ip(value):
        found.error("VAL-013", at, f'"{value}" is not an IP address')
    return False


def port(number: int, at: str, found: Findings) -> None:
    if wrong := checks.port(number):
        found.error("VAL-003", at, wrong)


def labels(pairs: Mapping[str, str], at: str, found: Findings) -> None:
    for key, value in pairs.items():
        if wrong := checks.label(key, value):
            found.error("VAL-007", child(at, key), wrong)


def subnets(values: Iterable[str], at: str, found: Findings) -> None:
    for index, value in enumerate(values):
        if wrong := checks.subnet(value):
            found.error("VAL-013", f"{at}[{index}]", wrong)


def selector(pairs: Mapping[str, str], at: str, found: Findings) -> None:
    """Labels that select: a star in them would select nothing."""
    for key, value in pairs.items():
        if not key or "*" in key or "*" in value:
            found.error("VAL-007", child(at, key), "a selector takes whole labels, without asterisks")


def gateways(names: Iterable[str], at: str, found: Findings, *, warn: bool) -> None:
    """References to Gateways: mesh, NAME or NAMESPACE/NAME. `warn`: tell that a spelling is out of use."""
    for index, name in enumerate(names):
        here = f"{at}[{index}]"
        namespace, slash, own = name.partition("/")
        if slash:
            if checks.dns_label(namespace) or checks.dns_label(own):
                found.error(
                    "VAL-011", here, f'"{name}" does not name a Gateway', "Write NAMESPACE/NAME, or NAME."
                )
            continue
        if wrong := checks.fqdn(name):
            found.error("VAL-011", here, wrong, "Write NAMESPACE/NAME, or NAME.")
        elif "." in name and warn:
            own, namespace = name.split(".")[:2]
            found.warning(
                "VAL-102",
                here,
                f'"{name}" is an old spelling of a Gateway\'s name',
                f"Write {namespace}/{own}.",
            )


def export_to(resource: Resource, entries: tuple[str, ...], found: Findings, *, nobody: bool = False) -> None:
    """Who may see the object. `nobody`: "~" is allowed, alone."""
    at = "spec.exportTo"
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        here = f"{at}[{index}]"
        if entry == NOBODY and not nobody:
            found.error("VAL-010", here, f'"~" is not allowed on a {resource.ref.kind}')
        elif entry not in (EVERYBODY, OWN, NOBODY) and (wrong := checks.dns_label(entry)):
            found.error("VAL-010", here, wrong, 'Write "*", "." or the name of a namespace.')
        meant = resource.namespace if entry == OWN else entry
        if meant in seen:
            found.error("VAL-010", here, f"{entry!r} stands twice, or means a namespace that is listed too")
        seen.add(meant)
    for alone in (EVERYBODY, NOBODY):
        if alone in seen and len(entries) > 1:
            found.error("VAL-010", at, f'"{alone}" must stand alone', "Remove the other entries.")
