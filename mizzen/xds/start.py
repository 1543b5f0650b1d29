"""How an Envoy came to be started, as it says of itself."""

import contextlib
import signal

from mizzen.lazy import dataclass

# How an Envoy ends of a fault of its own; whoever ends it from outside uses other signals.
DEADLY = frozenset({"SIGABRT", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL"})
# In the metadata of a node: that, and the server id of its connection ids.
START, SERVER_ID = "MIZZEN_START", "SERVER_ID"


@dataclass(frozen=True, slots=True)
class Start:
    """How often the Envoy of a proxy has been started again, and how the one before it ended."""

    number: int = 0
    after: str = ""  # the signal of a fault of its own ("SIGABRT"); "" for any other end

    def to_json(self) -> dict[str, str]:
        """As it stands in the metadata of a node."""
        return {"NUMBER": str(self.number), "AFTER": self.after}


def deadly_signal(status: int | None) -> str:
    """The signal of a fault of its own that ended an Envoy with this status; "" for any other end."""
    with contextlib.suppress(ValueError):
        if status is not None and status < 0 and signal.Signals(-status).name in DEADLY:
            return signal.Signals(-status).name
    return ""
