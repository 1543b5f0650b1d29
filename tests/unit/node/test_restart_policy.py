import pytest

from mizzen.node.restart_policy import GiveUp, Restart, Restarts, ended


def delays(restarts: Restarts, statuses: list[int]) -> list[float]:
    """How long each restart waits, when the child ends one second after each start."""
    found, now = [], 0.0
    for status in statuses:
        restarts.on_start(now)
        decision = restarts.on_exit(status, now + 1)
        assert isinstance(decision, Restart)
        found.append(round(decision.at - now - 1, 3))
        now = decision.at
    return found


def test_waits_double_up_to_ten_seconds() -> None:
    restarts = Restarts(name="Envoy")
    restarts.on_up()

    assert delays(restarts, [1] * 9) == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def test_who_was_up_for_thirty_seconds_is_started_again_at_once() -> None:
    restarts = Restarts(name="Envoy")
    restarts.on_up()
    delays(restarts, [-9] * 6)

    restarts.on_start(100)

    assert restarts.on_exit(-9, 130) == Restart(130.1)


def test_who_never_gets_up_is_given_up_at_the_third_exit() -> None:
    restarts = Restarts(name="Envoy of a.b")
    delays(restarts, [1, 1])

    assert restarts.on_exit(1, 10) == GiveUp("Envoy of a.b ended with status 1")


def test_who_was_up_once_is_never_given_up() -> None:
    restarts = Restarts(name="Envoy")
    restarts.on_up()

    assert len(delays(restarts, [1] * 100)) == 100


def test_a_wrong_command_line_is_not_tried_again() -> None:
    restarts = Restarts(name="control plane", final=frozenset({2}))

    assert restarts.on_exit(2, 1) == GiveUp("control plane ended with status 2")


def test_without_patience_there_is_no_end_of_patience() -> None:
    assert len(delays(Restarts(name="Envoy", patience=None), [1] * 100)) == 100


@pytest.mark.parametrize(
    ("status", "words"),
    [(0, "ended with status 0"), (-9, "was killed by SIGKILL"), (-63, "was killed by signal 63")],
)
def test_an_end_is_told_in_words(status: int, words: str) -> None:
    assert ended(status) == words
