"""What is written into the status of a user's object: what became of it. Pure.

Conditions as the Gateway API has them (type, status, reason, message, observedGeneration), and Istio's
`validationMessages`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any

from mizzen.lazy import dataclass
from mizzen.status import EnvoyStatus, MirrorStatus, ProblemValue, Status

Json = dict[str, Any]

MOST_MESSAGES = 10
KINDS = ("Gateway", "VirtualService")
_LEVELS = {"error": "ERROR", "warning": "WARNING", "info": "INFO"}
# States of a mirror that is taken back, and the reason of the condition then.
_WITHDRAWING = {"leaving": "Withdrawing", "withdrawn": "Withdrawn"}
_ORDER = {"error": 0, "warning": 1, "info": 2}  # where not all are told


@dataclass(slots=True, kw_only=True)
class Held:
    """Which gateways hold an object, and which of their Envoys have acknowledged it."""

    gateways: set[str] = field(default_factory=set)
    envoys: int = 0
    acknowledged: int = 0
    mirrors: list[MirrorStatus] = field(default_factory=list)  # of a Gateway

    def add(self, gateway: str, status: EnvoyStatus, mirrors: Iterable[MirrorStatus]) -> None:
        """One Envoy of a gateway."""
        self.gateways.add(gateway)
        self.envoys += 1
        self.acknowledged += status.synced
        self.mirrors += mirrors


def holders(replicas: Sequence[Status]) -> dict[str, Held]:
    """By object ("VirtualService/NAMESPACE/NAME"), from what all replicas of the control plane say."""
    found: dict[str, Held] = {}
    for replica in replicas:
        for status in replica.gateways.values():
            entry = replica.held.get(status.key)
            if entry is None or not status.version:
                continue
            mirrors: dict[str, list[MirrorStatus]] = {}
            for mirror in status.mirrors:
                mirrors.setdefault(mirror.resource, []).append(mirror)
            for ref in entry.objects:
                found.setdefault(ref, Held()).add(entry.name, status, mirrors.get(ref, ()))
    return found


def status_of(
    kind: str,
    *,
    generation: int,
    problems: Sequence[ProblemValue],
    held: Held,
    before: Mapping[str, Any],
    now: datetime,
) -> Json:
    """The status of an object. `problems`: as values; `before`: its status now, whose times stay where nothing changed.

    Conditions that others have written stay.
    """
    problems = sorted(problems, key=lambda one: _ORDER[one.severity])
    errors = [one for one in problems if one.severity == "error"]
    conditions = [
        _accepted(errors),
        _programmed(held),
        *([_http3(held)] if kind == "Gateway" else []),
    ]
    known = _known(before)
    ours = {one["type"]: _timed(one, known.get(one["type"], {}), generation, now) for one in conditions}
    return {
        "conditions": [*ours.values(), *(one for kind, one in known.items() if kind not in ours)],
        "observedGeneration": str(generation),
        "validationMessages": [
            {
                "type": {"code": one.code, "name": one.field or kind},
                "level": _LEVELS[one.severity],
                "documentationUrl": "",
                "message": " ".join(filter(None, (one.message, one.hint))),
            }
            for one in problems[:MOST_MESSAGES]
        ],
    }


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Is there anything to write?"""
    return any(before.get(key) != value for key, value in after.items())


def turned(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The conditions whose verdict is another than before: what an event tells of. The first verdict True is none."""
    known = {kind: one.get("status") for kind, one in _known(before).items()}
    return [
        one
        for one in after["conditions"]
        if known.get(one["type"]) != one["status"] and (one["type"] in known or one["status"] == "False")
    ]


def _known(status: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The conditions of a status, by type. Anybody may have written it, and the schema takes anything."""
    written = status.get("conditions")
    return {
        one["type"]: one
        for one in (written if isinstance(written, list) else ())
        if isinstance(one, Mapping) and isinstance(one.get("type"), str)
    }


def _accepted(errors: Sequence[ProblemValue]) -> Json:
    if not errors:
        return _condition("Accepted", True, "Valid", "nothing is wrong with it")
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    where = f"{first.field}: " if first.field else ""
    return _condition("Accepted", False, first.code, f"{where}{first.message}{more}")


def _programmed(held: Held) -> Json:
    if not held.envoys:
        return _condition("Programmed", False, "NoGateway", "no connected gateway has it")
    names = ", ".join(sorted(held.gateways))
    message = f"acknowledged by {held.acknowledged} of {held.envoys} Envoys of {names}"
    is_whole = held.acknowledged == held.envoys
    return _condition("Programmed", is_whole, "Acknowledged" if is_whole else "Pending", message)


def _http3(held: Held) -> Json:
    expected = [one for one in held.mirrors if one.expected]
    silent = [one for one in held.mirrors if not one.announced or one.announced == "clear"]
    if not held.mirrors:
        return _condition("HTTP3", False, "NoServer", "no server of it ends TLS at a gateway")
    if silent:
        # By name: in whatever order replicas and Envoys tell of it, what is written stays the same.
        first = min(silent, key=lambda one: (one.server, one.reason))
        reason = "NotAnnounced" if expected else "NotMirrored"
        reason = _WITHDRAWING.get(first.state, reason)
        until = f" (clients may come until {first.promised_until})" if first.state in _WITHDRAWING else ""
        return _condition(
            "HTTP3", False, reason, f"{first.server}: {first.reason or 'not announced yet'}{until}"
        )
    told = ", ".join(sorted({one.announced for one in held.mirrors}))
    stages = sorted({f"{one.stage} of {one.stages}" for one in held.mirrors if one.stages > 1})
    how_far = f", stage {', '.join(stages)}" if stages else ""
    back = sorted(f"; {one.server}: {one.reason}" for one in held.mirrors if one.reason)[:1]
    return _condition("HTTP3", True, "Announced", f"clients are told {told}{how_far}{''.join(back)}")


def _condition(kind: str, verdict: bool, reason: str, message: str) -> Json:
    # A reason is a word (^[A-Za-z]...), and codes have a dash.
    return {
        "type": kind,
        "status": str(verdict),
        "reason": reason.replace("-", ""),
        "message": message[:1024],
    }


def _timed(one: Json, before: Mapping[str, Any], generation: int, now: datetime) -> Json:
    since = before.get("lastTransitionTime") if before.get("status") == one["status"] else None
    return {
        **one,
        "observedGeneration": generation,
        "lastTransitionTime": since or now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
