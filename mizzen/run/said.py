"""What the user of `mizzen up` is told while it runs, and how such lines begin in the control plane's output."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mizzen.errors import MOST_SHOWN, Problem, Severity, first_of

SAID = "| "
NOW = "! "  # begins the text of one that cannot wait until everything serves


@dataclass(slots=True)
class Told:
    """Which problems have been said: each is said once, when it comes, and once when it is gone."""

    say: Callable[[str], None]
    told: frozenset[str] = frozenset()

    def tell(self, problems: Sequence[Problem], *, is_serving: bool) -> None:
        """`problems`: all that there are now. While nothing is served, nothing can wait."""
        now = {str(problem): problem for problem in problems}
        new = [
            problem
            for text, problem in now.items()
            if text not in self.told and problem.severity is not Severity.INFO
        ]
        shown, more = first_of(new, MOST_SHOWN)
        lines = [str(problem) for problem in shown]
        lines += [f"{more} more problems are not shown: ask `mizzen analyze`"] if more else []
        gone = sorted(self.told - now.keys())
        lines += [f"mended: {text.splitlines()[0]}" for text in gone[:MOST_SHOWN]]
        lines += [f"and {len(gone) - MOST_SHOWN} more are mended"] if len(gone) > MOST_SHOWN else []
        for line in lines:
            self.say(line if is_serving else "\n".join(f"{NOW}{part}" for part in line.splitlines()))
        self.told = frozenset(now)
