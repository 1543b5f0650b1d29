"""Istio's codes for problems: those that `istioctl analyze` tells the same by (istio/istio pkg/config/analysis/msg/messages.yaml)."""

import re
from collections.abc import Mapping
from types import MappingProxyType

_REFERENCE = "IST0101"  # a referenced resource does not exist
_SCHEMA = "IST0106"  # what Istio's validation refuses
_SCHEMA_WARNING = "IST0133"  # what it warns of
_FOUND_AS = {
    _REFERENCE: ("REF-001", "REF-002", "REF-003", "REF-004", "REF-006", "GW-005", "SEC-001"),
    _SCHEMA: ("META-001", "FLD-001", "FLD-002", "FLD-003", "FLD-004", "KIND-003", "EXT-005"),
    _SCHEMA_WARNING: ("EXT-014",),
    "IST0002": ("KIND-005",),
    "IST0107": ("META-005",),
    "IST0108": ("META-004",),
    "IST0112": ("RT-001",),
    "IST0118": ("BE-011",),
    "IST0132": ("REF-005",),
    "IST0135": ("META-006",),
    "IST0138": ("GW-014",),
    "IST0145": ("GW-001", "GW-002"),
    "IST0149": ("JWT-003",),
    "IST0151": ("EXT-007",),
    "IST0152": ("EXT-011",),
    "IST0153": ("EXT-012",),
    "IST0154": ("EXT-013",),
    "IST0155": ("EXT-010",),
    "IST0157": ("TEL-006",),
    "IST0159": ("TEL-001",),
    "IST0161": ("SEC-002", "SEC-003", "SEC-004"),
    "IST0162": ("GW-004",),
    "IST0173": ("BE-005",),
    "IST0174": ("BE-002",),
    "IST0177": ("BE-012",),
}
_ALWAYS = {code: istio for istio, codes in _FOUND_AS.items() for code in codes}

# What one of our codes is in Istio depends on where it is found: (code, kind, field) -> Istio's, the first that fits.
_BY_FIELD = tuple(
    (code, kind, re.compile(field), istio)
    for code, kind, field, istio in (
        ("VAL-101", "", r"\.match\[\d+\]$", "IST0131"),
        ("VAL-101", "", r"", "IST0130"),
        (
            "VAL-102",
            "",
            r"\.(consecutiveErrors|minimumRingSize|mirrorPercent|gateways\[\d+\])$",
            _SCHEMA_WARNING,
        ),
        ("VAL-102", "", r"", "IST0002"),
        ("TEL-001", "", r"^spec\.selector$", "IST0159"),
        ("TEL-001", "", r"", "IST0160"),
        ("GW-017", "AuthorizationPolicy", r"", "IST0127"),
        ("VAL-104", "ServiceEntry", r"\.ports\[\d+\]", "IST0134"),
    )
)
_OF_INJECTION = "of Pods and namespaces with sidecars; a gateway is not affected"
_OF_SIDECARS = "of sidecars alone; a gateway is not affected"
_AMBIENT = "there is no ambient mode"
_GATEWAY_API = "of the Kubernetes Gateway API, which is not read"
_ELSEWHERE = "of a control plane elsewhere; there is none"
# What `istioctl analyze` tells and mizzen does not, and why.
NOT_TOLD: Mapping[str, str] = MappingProxyType(
    {
        "IST0001": "a fault of istioctl's own; those of mizzen are INT-001 to INT-004",
        "IST0102": _OF_INJECTION,
        "IST0103": _OF_INJECTION,
        "IST0109": _OF_SIDECARS,
        "IST0110": _OF_SIDECARS,
        "IST0111": _OF_SIDECARS,
        "IST0116": f"{_OF_SIDECARS}, whose Service has a port for TCP and for UDP (HTTP/3) on purpose",
        "IST0123": _OF_INJECTION,
        "IST0125": "an annotation that is read is judged as the setting that it carries",
        "IST0126": "there is one cluster, and one network",
        "IST0128": "servers are verified by the system's roots where no CA is named",
        "IST0129": "servers are verified by the system's roots where no CA is named",
        "IST0136": "an annotation that is read works, whatever Istio calls it",
        "IST0137": _OF_SIDECARS,
        "IST0139": "the webhooks are made by mizzen itself",
        "IST0140": "routes of the mesh alone are none for a gateway; a destination without a subset is often meant",
        "IST0141": "of the installation: mizzen install says it",
        "IST0142": "of the installation of Istio",
        "IST0143": "no file says where an application listens",
        "IST0144": _OF_INJECTION,
        "IST0146": _OF_INJECTION,
        "IST0147": _OF_INJECTION,
        "IST0148": _OF_INJECTION,
        "IST0150": f"{_OF_SIDECARS}: it sends to the name that the Service gives",
        "IST0156": _GATEWAY_API,
        "IST0158": _OF_INJECTION,
        "IST0163": _ELSEWHERE,
        "IST0164": _ELSEWHERE,
        "IST0165": _GATEWAY_API,
        "IST0166": _GATEWAY_API,
        "IST0167": _AMBIENT,
        "IST0168": "of an upgrade of Istio",
        "IST0169": "of an upgrade of Istio",
        "IST0170": "there is one cluster, and one network",
        "IST0171": "what status says is written by others; mizzen's own conditions say what became of an object",
        "IST0172": _GATEWAY_API,
        "IST0175": "who may be asked for keys is bounded without the setting, too (security.md)",
        "IST0176": _GATEWAY_API,
    }
)
_CHECKED = re.compile(r"VAL-\d+")


def istio_code(code: str, kind: str = "", field: str = "", *, is_error: bool = False) -> str:
    """Istio's code for one of ours, found at a field of an object; "" where it has none."""
    if code in _ALWAYS:
        return _ALWAYS[code]
    for ours, of, pattern, istio in _BY_FIELD:
        if ours == code and of in ("", kind) and pattern.search(field):
            return istio
    if _CHECKED.fullmatch(code):
        return _SCHEMA if is_error else _SCHEMA_WARNING
    return ""


def istio_codes() -> Mapping[str, tuple[str, ...]]:
    """Our code -> all that it may be in Istio; of those of checked values (VAL), without what depends on the severity."""
    found: dict[str, list[str]] = {code: [istio] for code, istio in _ALWAYS.items()}
    for code, _, _, istio in _BY_FIELD:
        found.setdefault(code, []).append(istio)
    return MappingProxyType({code: tuple(sorted(set(some))) for code, some in found.items()})
