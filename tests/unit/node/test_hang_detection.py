"""When a process that does not answer counts as hung. The clock is a number."""

from dataclasses import dataclass, field

from mizzen.node.hang_detection import Look, Silence, Verdict

ANSWER, NONE = Look(answered=True), Look(answered=False)


@dataclass
class Case:
    """Looks at one process, half a second apart."""

    silence: Silence = field(default_factory=lambda: Silence(patience=25))
    now: float = 100.0

    def look(self, look: Look, seconds: float, step: float = 0.5) -> dict[Verdict, float]:
        """Look for so long: when each verdict fell first, in seconds from the first of these looks."""
        found: dict[Verdict, float] = {}
        for number in range(round(seconds / step)):
            self.now += step
            found.setdefault(self.silence.hear(look, self.now), (number + 1) * step)
        found.pop(Verdict.NOTHING_NEW, None)
        return found


def test_silence_is_told_after_three_seconds_and_ended_after_the_patience() -> None:
    case = Case()
    case.look(ANSWER, 5)

    assert case.look(NONE, 30) == {Verdict.SILENT: 3.0, Verdict.HUNG: 25.0}


def test_who_answers_again_is_told_of_once_and_has_the_whole_patience_again() -> None:
    case = Case()
    case.look(ANSWER, 5)
    case.look(NONE, 20)

    assert case.look(ANSWER, 5) == {Verdict.BACK: 0.5}
    assert case.look(NONE, 24) == {Verdict.SILENT: 3.0}


def test_a_short_silence_is_not_worth_a_word() -> None:
    case = Case()
    for _ in range(20):
        assert case.look(ANSWER, 1) == {}
        assert case.look(NONE, 2.5) == {}


def test_time_in_which_nobody_looked_counts_for_little() -> None:
    """The machine slept for an hour, or the supervisor was stopped."""
    case = Case()
    case.look(ANSWER, 5)
    case.now += 3600

    assert Verdict.HUNG not in case.look(NONE, 20)


def test_who_has_never_answered_is_still_starting() -> None:
    assert Case().look(NONE, 600) == {}


def test_who_is_stopped_does_not_start() -> None:
    assert Verdict.HUNG in Case().look(Look(answered=False, is_stopped=True), 30)


def test_a_new_process_begins_anew() -> None:
    case = Case()
    case.look(ANSWER, 5)
    case.look(NONE, 24)
    case.silence.on_start()

    assert case.look(NONE, 60) == {}


def test_who_is_at_work_gets_ten_times_as_long() -> None:
    case = Case()
    case.look(ANSWER, 5)

    assert case.look(Look(answered=False, is_busy=True), 300)[Verdict.HUNG] >= 249


def test_who_is_excused_is_never_hung() -> None:
    case = Case()
    case.look(ANSWER, 5)

    assert case.look(Look(answered=False, is_stopped=True, is_excused=True), 600) == {}


def test_nobody_is_killed_without_a_word_before() -> None:
    case = Case(Silence(patience=1))
    case.look(ANSWER, 5)

    assert case.look(NONE, 10, step=2.0) == {Verdict.SILENT: 2.0, Verdict.HUNG: 4.0}
