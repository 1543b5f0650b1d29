"""What users read in the status of their objects."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mizzen.cluster.conditions import Held, changed, holders, status_of, turned
from mizzen.status import EnvoyStatus, Holds, MirrorStatus, ProblemValue, Status

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REF = "Gateway/shop/web"

Json = dict[str, Any]


def envoy(
    key: str = "gw.istio-system~1", *, synced: bool = True, version: str = "1.40.0", **mirror: Any
) -> EnvoyStatus:
    values = {"server": "https", "announced": 'h3=":443"; ma=86400', **mirror}
    mirrors = (MirrorStatus(resource=REF, expected=True, **values),)
    return EnvoyStatus(key=key, version=version, synced=synced, mirrors=mirrors)


def replica(**gateways: EnvoyStatus) -> Status:
    holds = {"gw.istio-system~1": Holds(name="gw.istio-system", objects=(REF,))}
    return Status(holds=holds, gateways=gateways)


def told(held: Held, problems: Any = (), before: Json | None = None, now: datetime = NOW) -> Json:
    return status_of("Gateway", generation=3, problems=problems, held=held, before=before or {}, now=now)


def condition(status: Json, kind: str) -> Json:
    (found,) = (one for one in status["conditions"] if one["type"] == kind)
    return dict(found)


def test_envoys_of_all_replicas_are_counted_together() -> None:
    held = holders([replica(a=envoy(), b=envoy(synced=False)), replica(c=envoy())])[REF]
    found = condition(told(held), "Programmed")
    assert found["status"] == "False"
    assert found["message"] == "acknowledged by 2 of 3 Envoys of gw.istio-system"


def test_an_object_that_nobody_holds_says_so() -> None:
    found = condition(told(Held()), "Programmed")
    assert (found["status"], found["reason"]) == ("False", "NoGateway")


def test_an_envoy_that_is_not_connected_does_not_count() -> None:
    gone = envoy(version="")
    assert holders([replica(a=gone)]) == {}


def test_a_mirror_is_told_of_and_why_there_is_none() -> None:
    announced = holders([replica(a=envoy())])[REF]
    assert condition(told(announced), "HTTP3")["status"] == "True"
    silent = holders([replica(a=envoy(announced="", reason="the Service does not open UDP"))])[REF]
    found = condition(told(silent), "HTTP3")
    assert found["status"] == "False"
    assert found["message"] == "https: the Service does not open UDP"


def test_the_first_error_is_the_reason_and_all_are_messages() -> None:
    said = {"code": "GW-001", "field": "spec.servers[0]", "message": "is wrong", "hint": "Mend it."}
    problems = [ProblemValue(severity=severity, **said) for severity in ("error", "warning")]
    status = told(Held(), problems)
    found = condition(status, "Accepted")
    assert (found["status"], found["reason"]) == ("False", "GW001")
    assert found["message"] == "spec.servers[0]: is wrong"
    assert [one["level"] for one in status["validationMessages"]] == ["ERROR", "WARNING"]


def test_the_time_of_a_verdict_is_when_it_turned() -> None:
    first = told(Held())
    later = told(Held(), before=first, now=NOW + timedelta(hours=1))
    assert not changed(first, later)
    assert turned(first, later) == []
    held = holders([replica(a=envoy())])[REF]
    other = told(held, before=first, now=NOW + timedelta(hours=1))
    assert changed(first, other)
    assert condition(other, "Programmed")["lastTransitionTime"] == "2026-01-01T01:00:00Z"
    assert condition(other, "Accepted")["lastTransitionTime"] == "2026-01-01T00:00:00Z"
    assert {one["type"] for one in turned(first, other)} == {"Programmed", "HTTP3"}


def test_of_a_new_object_only_what_is_wrong_is_an_event() -> None:
    held = holders([replica(a=envoy())])[REF]
    assert turned({}, told(held)) == []
    assert [one["type"] for one in turned({}, told(Held()))] == ["Programmed", "HTTP3"]


def test_what_others_have_written_stays() -> None:
    other = {"type": "Reconciled", "status": "True", "by": "somebody"}
    first = told(Held(), before={"conditions": [other]})

    assert first["conditions"][-1] == other
    assert turned({"conditions": [other]}, first) == first["conditions"][:-1][1:]
    assert not changed(first, told(Held(), before=first, now=NOW + timedelta(hours=1)))


@pytest.mark.parametrize("conditions", [None, 7, "a", {"type": "a"}, [7, {}, {"type": {}}, {"type": None}]])
def test_a_status_that_is_none_is_written_anew(conditions: Any) -> None:
    before = {"conditions": conditions}
    after = told(Held(), before=before)

    assert changed(before, after)
    assert [one["type"] for one in turned(before, after)] == ["Programmed", "HTTP3"]


def test_errors_are_told_before_warnings_where_not_all_can_be() -> None:
    warning, error = (
        ProblemValue(severity=severity, code="A-1", field="spec", message="odd")
        for severity in ("warning", "error")
    )
    status = told(Held(), [*[warning] * 20, error])

    assert [one["level"] for one in status["validationMessages"]] == ["ERROR", *["WARNING"] * 9]


def test_the_order_in_which_replicas_tell_changes_nothing() -> None:
    silent = [replica(a=envoy(announced="", server=name, reason=f"{name} is not open")) for name in "ba"]
    one, other = (told(holders(replicas)[REF]) for replicas in (silent, silent[::-1]))

    assert not changed(one, other)
    assert condition(one, "HTTP3")["message"] == "a: a is not open"


def test_how_far_an_announcement_has_come_and_how_long_it_takes_to_go_is_told() -> None:
    growing = envoy(announced='h3=":443"; ma=300', state="announced", stage=2, stages=4)
    found = condition(told(holders([replica(a=growing)])[REF]), "HTTP3")
    assert found["message"] == 'clients are told h3=":443"; ma=300, stage 2 of 4'
    until = "2026-01-02T00:00:00Z"
    going = envoy(announced="clear", state="withdrawn", promised_until=until, reason="HTTP/3 is switched off")
    found = condition(told(holders([replica(a=going)])[REF]), "HTTP3")
    assert (found["status"], found["reason"]) == ("False", "Withdrawn")
    assert found["message"] == f"https: HTTP/3 is switched off (clients may come until {until})"
