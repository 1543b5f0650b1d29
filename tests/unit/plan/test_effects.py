from datetime import UTC, datetime

from mizzen.errors import Place, ResourceRef
from mizzen.plan.effects import Because, Change, Effect, Plan, plan_of

WORDS = [
    "none",
    "routes",
    "endpoints",
    "certificate",
    "opens",
    "reconnects",
    "closes-h3",
    "withdraws-h3",
    "closes-all",
    "unserved",
]


def test_effects_stand_from_mild_to_hard_and_close_from_reconnects_on() -> None:
    ordered = sorted(Effect, key=lambda one: one.hardness)

    assert [one.value for one in ordered] == WORDS
    assert [one.value for one in ordered if one.closes] == WORDS[5:]


def test_a_plan_without_changes_does_nothing() -> None:
    assert Plan().to_json() == {"worst": "none", "changes": []}


def test_a_plan_shows_the_hardest_first() -> None:
    mild = Change(gateway="g", listener="a", host="x", effect=Effect.ROUTES)
    hard = Change(gateway="g", listener="b", host="x", effect=Effect.UNSERVED)
    plan = plan_of([mild, hard])

    assert plan.changes == (hard, mild)
    assert plan.worst is Effect.UNSERVED


def test_a_change_is_told_in_json_on_one_line_each() -> None:
    cause = Because(
        resource=ResourceRef(kind="Gateway", namespace="n", name="a\nb"),
        field="spec.servers[0]",
        origin=Place("f.yaml", 3, 5),
    )
    change = Change(
        gateway="g",
        listener="udp_0.0.0.0_8443",
        effect=Effect.WITHDRAWS_H3,
        because=(cause,),
        until=datetime(2026, 1, 2, tzinfo=UTC),
        hint="wait",
    )

    assert change.to_json() == {
        "gateway": "g",
        "listener": "udp_0.0.0.0_8443",
        "host": None,
        "effect": "withdraws-h3",
        "because": [{"resource": "Gateway/n/a\\nb", "origin": "f.yaml:3:5", "field": "spec.servers[0]"}],
        "until": "2026-01-02T00:00:00+00:00",
    }
