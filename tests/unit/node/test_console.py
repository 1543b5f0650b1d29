from mizzen.errors import MOST_SHOWN, Problem, ResourceRef, Severity
from mizzen.node.console import Told


def problem(number: int, severity: Severity = Severity.WARNING) -> Problem:
    ref = ResourceRef(kind="Gateway", name=f"g{number}")
    return Problem(severity=severity, code="GW-001", resource=ref, message="it is wrong", hint="mend it")


def test_each_problem_is_said_once_when_it_comes_and_when_it_goes() -> None:
    lines: list[str] = []
    told = Told(lines.append)

    for now in ([problem(1)], [problem(1), problem(2)], [problem(2)], [problem(2)]):
        told.tell(now, is_serving=True)

    assert [line.splitlines()[0] for line in lines] == [
        "Gateway/g1: warning GW-001 (IST0145): it is wrong",
        "Gateway/g2: warning GW-001 (IST0145): it is wrong",
        "mended: Gateway/g1: warning GW-001 (IST0145): it is wrong",
    ]


def test_of_very_many_errors_are_shown_first_and_the_others_are_counted() -> None:
    lines: list[str] = []
    many = [problem(number) for number in range(MOST_SHOWN + 5)]

    Told(lines.append).tell([*many, problem(9999, Severity.ERROR)], is_serving=True)

    assert len(lines) == MOST_SHOWN + 1
    assert lines[-2].startswith("Gateway/g9999: error")
    assert lines[-1] == "6 more problems are not shown: ask `mizzen analyze`"


def test_what_is_said_while_nothing_is_served_cannot_wait() -> None:
    lines: list[str] = []

    Told(lines.append).tell([problem(1)], is_serving=False)

    assert lines == ["! Gateway/g1: warning GW-001 (IST0145): it is wrong\n!   hint: mend it"]


def test_a_file_whose_new_state_counts_is_settled_and_not_mended() -> None:
    lines: list[str] = []
    told = Told(lines.append)
    waiting = Problem(
        severity=Severity.WARNING,
        code="FILE-002",
        resource=ResourceRef(kind="File", name="d/route.yaml"),
        message="this file is gone; what it held before is still served",
    )

    told.tell([waiting], is_serving=True)
    told.tell([problem(1)], is_serving=True)

    assert [line.splitlines()[0] for line in lines[1:]] == [
        "settled: d/route.yaml: what is there now counts",
        "Gateway/g1: warning GW-001 (IST0145): it is wrong",
    ]


def test_what_was_never_said_is_not_said_to_be_mended() -> None:
    lines: list[str] = []
    told = Told(lines.append)

    told.tell([problem(1, Severity.INFO)], is_serving=True)
    told.tell([], is_serving=True)

    assert lines == []
