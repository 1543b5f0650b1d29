"""What Envoy's counters say of announced servers, in one step of the state. Pure."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from mizzen.model.announcement import StepBack
from mizzen.plane.announcing import Announcing
from mizzen.plane.effects import ServerKey
from mizzen.plane.served_gateway import Gateway
from mizzen.plane.statistics import Meters, Readings
from mizzen.plane.watching import Watch, Watches
from mizzen.xds.node import address_of


class Judging(Announcing):
    """A part of a step on its way."""

    watches: Watches

    def hold(self, before: Mapping[str, Gateway], changed: set[str]) -> tuple[ServerKey, ...]:
        """The same, and whose counters are looked at."""
        touched = super().hold(before, changed)
        self.watches = self.watches.want({key: self._interval(key) for key in touched}, self.now)
        return touched

    def counted(self, found: Mapping[str, Readings]) -> None:
        """A look has ended."""
        asked = self.watches.running.servers if self.watches.running is not None else ()
        wanted = {key: one for key in asked if (one := self._judged(key)) is not None}
        self.watches, verdicts = self.watches.end(found, wanted, self.now)
        for key, verdict in verdicts.items():
            self.put(key, self.servers[key].judged(verdict, self.now, self.replica))

    def watch(self) -> Iterable[Watch]:
        """The look that is to begin now."""
        at = self.watches.next
        if at is None or at > self.now:
            return
        servers = self.watches.due.due(self.now)
        wanted: dict[str, set[Meters]] = {}
        addresses: dict[str, str] = {}
        for key in servers:
            if (judged := self._judged(key)) is None:
                continue
            for name in judged[2]:
                wanted.setdefault(name, set()).add(judged[1])
                addresses[name] = address_of(self.envoys[name].node_id)
        envoys = {name: (addresses[name], frozenset(meters)) for name, meters in wanted.items()}
        watch = Watch(servers=servers, envoys=envoys)
        self.watches = self.watches.begin(watch)
        yield watch

    def _interval(self, key: ServerKey) -> timedelta | None:
        judged = self._judged(key)
        return judged[0].interval if judged is not None else None

    def _judged(self, key: ServerKey) -> tuple[StepBack, Meters, tuple[str, ...]] | None:
        """How a server is judged, where it is counted, and its Envoys; None where it is not."""
        server = self.servers.get(key)
        if server is None or key not in self.holders or server.port is None:
            return None
        step_back = server.state.rollout.step_back
        gateways = [self.gateways[holder] for holder in self.holders[key]]
        meters = next(
            (m for one in gateways if (m := one.translated.targets[key[1]].meters) is not None), None
        )
        if step_back is None or meters is None:
            return None
        return step_back, meters, tuple(name for one in gateways for name in one.clients)
