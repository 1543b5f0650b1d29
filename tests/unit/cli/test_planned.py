from datetime import UTC, datetime

from mizzen.cli.planned import MOST_ROWS, text_of
from mizzen.errors import Place, ResourceRef
from mizzen.plan.effects import Because, Change, Effect, plan_of

CAUSE = Because(
    resource=ResourceRef(kind="Gateway", namespace="n", name="web"), field="spec.x", origin=Place("f", 1, 2)
)


def change(effect: Effect, listener: str | None, host: str | None, **rest: object) -> Change:
    return Change(gateway="g.n", listener=listener, host=host, effect=effect, because=(CAUSE,), **rest)  # type: ignore[arg-type]


def test_a_plan_without_changes_is_one_line() -> None:
    assert text_of(plan_of([])) == "none: nothing happens to any connection\n"


def test_hosts_with_one_cause_are_one_row() -> None:
    hosts = [f"h{i}.test" for i in range(5)]
    some = [change(Effect.ROUTES, name, host) for host in hosts for name in ("tcp", "udp")]
    lines = text_of(plan_of(some)).splitlines()

    assert lines[1] == "routes  tcp, udp  h0.test, h1.test, h2.test and 2 more  Gateway/n/web spec.x (f:1:2)"
    assert len(lines) == 4


def test_hints_stand_below_and_columns_only_where_they_say_something() -> None:
    at = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    plan = plan_of(
        [
            change(Effect.WITHDRAWS_H3, "udp", "a.test", until=at, hint="wait"),
            change(Effect.OPENS, None, None),
        ]
    )
    lines = text_of(plan).splitlines()

    assert lines[0].split() == ["EFFECT", "LISTENER", "HOST", "UNTIL", "BECAUSE"]
    assert "2026-01-02 03:04Z" in lines[1]
    assert lines[2] == "  hint: wait"
    assert lines[3].split()[:3] == ["opens", "(all)", "(all)"]
    assert lines[-1].startswith("withdraws-h3: ")


def test_very_many_rows_are_counted() -> None:
    some = [change(Effect.ROUTES, "tcp", f"h{i}", hint=f"{i}") for i in range(MOST_ROWS + 7)]

    assert "7 more rows are not shown" in text_of(plan_of(some))
