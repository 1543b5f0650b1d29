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
