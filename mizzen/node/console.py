"""What the user of `mizzen up` is told while it runs, and how such lines begin in the control plane's output."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from mizzen.errors import MOST_SHOWN, Problem, Severity, first_of
from mizzen.lazy import dataclass

SAID = "| "
NOW = "! "  # begins the text of one that cannot wait until everything serves
# What ends by itself, whether the file came back or its new state is believed by now: that mends nothing.
SETTLING = "FILE-002"


@dataclass(slots=True)
class Told:
    """Which problems have been said: each is said once, when it comes, and once when it is gone."""

    say: Callable[[str], None]
    told: Mapping[str, Problem] = field(default_factory=dict)  # by its text
    _texts: dict[int, tuple[Problem, str]] = field(default_factory=dict)  # by identity: most stay as they are

    def tell(self, problems: Sequence[Problem], *, is_serving: bool) -> None:
        """`problems`: all that there are now. While nothing is served, nothing can wait."""
        now = self._texts_of(problems)
        shown, more = first_of(
            [problem for text, problem in now.items() if text not in self.told], MOST_SHOWN
        )
        gone = [(text, self.told[text]) for text in sorted(self.told.keys() - now.keys())]
        waiting = {problem.resource for problem in now.values() if problem.code == SETTLING}
        settled = [
            one.resource.name for _, one in gone if one.code == SETTLING and one.resource not in waiting
        ]
        mended = [text.splitlines()[0] for text, one in gone if one.code != SETTLING]
        lines = [f"settled: {name}: what is there now counts" for name in settled[:MOST_SHOWN]]
        lines += [str(problem) for problem in shown]
        lines += [f"{more} more problems are not shown: ask `mizzen analyze`"] if more else []
        lines += [f"mended: {text}" for text in mended[:MOST_SHOWN]]
        lines += [f"and {len(mended) - MOST_SHOWN} more are mended"] if len(mended) > MOST_SHOWN else []
        for line in lines:
            self.say(line if is_serving else "\n".join(f"{NOW}{part}" for part in line.splitlines()))
        self.told = now

    def _texts_of(self, problems: Sequence[Problem]) -> dict[str, Problem]:
        texts: dict[int, tuple[Problem, str]] = {}
        for one in problems:
            if one.severity is not Severity.INFO:
                texts[id(one)] = self._texts.get(id(one)) or (one, str(one))
        self._texts = texts
        return {text: one for one, text in texts.values()}
