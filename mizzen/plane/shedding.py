"""Giving up HTTP/3 for want of CPU, in one step of the state. Pure."""

from collections.abc import Iterable, Mapping

from mizzen.http3.evidence import Evidence
from mizzen.http3.shedding import Level, Sheds
from mizzen.lazy import dataclass
from mizzen.model.shedding import Shedding
from mizzen.plane.effects import ServerKey
from mizzen.plane.judging import Judging
from mizzen.plane.served_gateway import Gateway
from mizzen.plane.watching import Measure
from mizzen.xds.node import address_of


@dataclass(frozen=True, slots=True)
class _Wanted:
    shedding: Shedding
    envoys: tuple[str, ...]


class Sheddings(Judging):
    """A part of a step on its way."""

    sheds: Sheds

    def hold(self, before: Mapping[str, Gateway], changed: set[str]) -> tuple[ServerKey, ...]:
        """The same, and whose CPU is looked at."""
        sheds = self.sheds
        self.sheds = sheds.want({called: one.shedding for called, one in self._may_shed().items()}, self.now)
        self.must_build |= sheds.refusing != self.sheds.refusing
        touched = super().hold(before, changed)
        left = {called for called in sheds.of if called not in self.sheds.of}
        self.judge([key for key in self.holders if key[0] in left])
        return touched

    def loaded(self, found: Mapping[str, float]) -> None:
        """A look at the CPU of Envoys has ended."""
        wanted = self._may_shed()
        before = self.sheds
        cpu = {}
        for called, one in wanted.items():
            # Of several Pods all count alike: a balancer in front spreads what comes.
            known = [found[name] for name in one.envoys if name in found]
            if known:
                cpu[called] = sum(known) / len(known)
        self.sheds = before.end(cpu, {called: one.shedding for called, one in wanted.items()}, self.now)
        self.must_build |= before.refusing != self.sheds.refusing
        changed = {
            called for called in before.of if before.shed(called).level is not self.sheds.shed(called).level
        }
        self.is_other |= bool(changed)
        self.judge([key for key in self.holders if key[0] in changed])

    def measure(self) -> Iterable[Measure]:
        """The look that is to begin now."""
        at = self.sheds.next
        if at is None or at > self.now:
            return
        names = {name for one in self._may_shed().values() for name in one.envoys}
        self.sheds = self.sheds.begin()
        yield Measure(envoys={name: address_of(self.envoys[name].node_id) for name in sorted(names)})

    def evidence_of(self, key: ServerKey) -> Evidence:
        """The same, unless there is no CPU for it."""
        shed = self.sheds.shed(key[0])
        if shed.level is not Level.NONE:
            return Evidence(acked=True, proven=False, detail=shed.reason)
        return super().evidence_of(key)

    def _may_shed(self) -> Mapping[str, _Wanted]:
        found: dict[str, _Wanted] = {}
        for gateway in self.gateways.values():
            shedding = gateway.translated.build.model.shedding
            if shedding is not None:
                known = found.get(gateway.translated.called)
                names = (*(known.envoys if known else ()), *gateway.clients)
                found[gateway.translated.called] = _Wanted(shedding, names)
        return found
