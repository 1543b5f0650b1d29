"""What a proxy has confirmed, and for how long it has lived with it. Pure; times are seconds of a clock that only goes forward."""

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass
from mizzen.model import Model
from mizzen.resources.decode import identify
from mizzen.resources.raw_objects import RawObject
from mizzen.xds.snapshot import Snapshot

# An Envoy that dies within this time of a change may have died of it, even though it has confirmed it: its workers take it
# up after the main thread.
STAND_SECONDS = 5.0
_APART_SECONDS = 1.0  # between two that are both kept


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Confirmed:
    """One state that a proxy took as a whole."""

    snapshot: Snapshot
    model: Model
    objects: tuple[RawObject, ...]  # of which it was made


@dataclass(frozen=True, slots=True)
class Confirmations:
    """The states that one proxy confirmed, the oldest first: one that has stood, and those since."""

    states: tuple[tuple[float, Confirmed], ...] = ()

    def confirm(self, state: Confirmed, now: float) -> "Confirmations":
        """The proxy has confirmed `state` just now."""
        states = self.states
        if states and states[-1][1].snapshot is state.snapshot:
            return self
        stood = [index for index, (since, _) in enumerate(states) if since <= now - STAND_SECONDS]
        states = states[stood[-1] :] if stood else states
        if len(states) > 1 and states[-1][0] - states[-2][0] < _APART_SECONDS:
            states = states[:-1]  # many changes in a moment: the last one stands for them
        return Confirmations((*states, (now, state)))

    @property
    def last(self) -> Confirmed | None:
        """What it confirmed last."""
        return self.states[-1][1] if self.states else None

    def trusted(self, now: float) -> Confirmed | None:
        """What it has lived with for long enough to live with it again."""
        stood = [state for since, state in self.states if since <= now - STAND_SECONDS]
        return stood[-1] if stood else None


def changed_since(
    before: Confirmed | None, objects: tuple[RawObject, ...], default_namespace: str
) -> tuple[tuple[ResourceRef, ...], dict[ResourceRef, RawObject]]:
    """The objects that are new or have changed, and the earlier versions of these that changed."""
    known: dict[ResourceRef, RawObject] = {}
    for raw in before.objects if before else ():
        known[identify(raw, default_namespace)] = raw
    changed: dict[ResourceRef, None] = {}
    earlier: dict[ResourceRef, RawObject] = {}
    for raw in objects:
        ref = identify(raw, default_namespace)
        was = known.get(ref)
        if not raw.aside and (was is None or (was is not raw and was.digest != raw.digest)):
            changed[ref] = None
            if was is not None and not was.aside:
                earlier[ref] = was
    return tuple(changed), earlier
