"""HTTPS records as JSON values, with where they come from."""

from typing import Any

from mizzen.dns.compared import Difference
from mizzen.dns.justified import Justified, LeftOut, Listed, Served
from mizzen.dns.record import PRIORITY


def json_values(found: Justified, *, is_proven: bool) -> dict[str, Any]:
    """All of it. `proven`: the mirrors are announced now; false: this is what files lead to."""
    return {
        "proven": is_proven,
        "records": [_record(one) for one in found.listed],
        "leftOut": [_left_out(one) for one in found.left_out],
    }


def _record(one: Listed) -> dict[str, Any]:
    record = one.record
    return {
        "name": record.name,
        "ttl": record.ttl,
        "priority": PRIORITY,
        "target": record.target,
        "alpn": list(record.alpn),
        "noDefaultAlpn": record.no_default_alpn,
        "port": record.port,
        "ipv4hint": list(record.ipv4hint),
        "ipv6hint": list(record.ipv6hint),
        "rdata": record.rdata,
        "because": [_source(served) for served in one.because],
        "notes": list(one.notes),
    }


def _left_out(one: LeftOut) -> dict[str, Any]:
    return {
        "host": one.host,
        "port": one.served.binding.port,
        "reason": one.reason,
        **_source(one.served),
    }


def _source(served: Served) -> dict[str, str]:
    return {
        "gateway": served.gateway,
        "server": served.server,
        "resource": served.resource,
        "origin": served.origin,
    }


def differences_value(found: tuple[Difference, ...]) -> dict[str, Any]:
    """Where a name server says something else."""
    return {
        "same": not found,
        "differences": [
            {"name": one.name, "missing": list(one.missing), "surplus": list(one.surplus)} for one in found
        ],
    }
