"""All that is wrong now: in the objects, with what they became, with the ports, and what Envoys rejected."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from mizzen.errors import Problem, capped, sort_key
from mizzen.patch.stage import for_nothing
from mizzen.plane.build_result import Made
from mizzen.plane.report import rejected
from mizzen.plane.served_gateway import Gateway
from mizzen.plane.server_ids import server_id_problems
from mizzen.plane.shared_ports import shared_problems
from mizzen.plane.state import State
from mizzen.plane.worker import problems_now
from mizzen.resolve.tls.secrets import next_validity


class Troubled(Protocol):
    """A part of the control plane that may have problems of its own."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Those that it has now."""


class Plane(Protocol):
    """What problems are put together of."""

    state: State
    made: Made | None

    @property
    def clock(self) -> Callable[[], datetime]:
        """What tells the time."""

    @property
    def own_parts(self) -> tuple[Troubled, ...]:
        """The parts that may have problems of their own."""

    @property
    def lost(self) -> tuple[Problem, ...]:
        """What could not be built."""

    @property
    def is_local(self) -> bool:
        """Are the proxies on this machine?"""


class Problems:
    """All problems, put together when something they are made of has changed, and not before."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._known: tuple[Problem, ...] = ()
        self._grounds: tuple[object, ...] = ()
        self._judged: Made | None = None
        self._found: tuple[Problem, ...] = ()
        self.until: datetime | None = None  # then a certificate begins or ends

    def now(self) -> tuple[Problem, ...]:
        plane, now = self._plane, self._plane.clock()
        own = (*(problem for part in plane.own_parts for problem in part.problems), *plane.lost)
        grounds = (plane.state.version, plane.made, own)
        is_over = self.until is not None and self.until <= now
        if not is_over and len(grounds) == len(self._grounds) and grounds == self._grounds:
            return self._known
        self._grounds = grounds
        of_objects = self._of_objects(plane.made, now) if plane.made is not None else ()
        others = dict.fromkeys(own)
        if plane.made is not None:
            for gateway in plane.state.gateways.values():
                others |= dict.fromkeys(map(plane.made.result.world.located, self._of(gateway)))
            configs = [gateway.translated.config for gateway in plane.state.gateways.values()]
            others |= dict.fromkeys(map(plane.made.result.world.located, for_nothing(configs)))
        # Those of the objects are sorted, and may be many.
        if others:
            self._known = capped(sorted(dict.fromkeys(of_objects) | others, key=sort_key))
        else:
            self._known = of_objects
        return self._known

    def _of_objects(self, made: Made, now: datetime) -> tuple[Problem, ...]:
        """Those of the build; once a certificate has begun or ended, judged anew."""
        if self._judged is not made:
            self._judged, self._found, self.until = made, made.problems, made.valid_until
        if self.until is not None and self.until <= now:
            certificates = [one for gateway in made.result.gateways for one in gateway.model.certificates]
            self._found, self.until = problems_now(made.result, now), next_validity(certificates, now)
        return self._found

    def _of(self, gateway: Gateway) -> tuple[Problem, ...]:
        translated, is_local = gateway.translated, self._plane.is_local
        refused = (one for name in gateway.refused for one in rejected(gateway, name, is_local=is_local))
        shared = shared_problems(gateway.shared, translated.build.model) if gateway.shared else ()
        same_ids = server_id_problems(translated.build.model, gateway.clients)
        return (*translated.problems, *shared, *refused, *same_ids)
