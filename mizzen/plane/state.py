"""The state of the control plane: what is served, what Envoys say of it, and what clients were promised. Pure.

Each event (a build, a word of an Envoy, a proof, time) gives the next state and what follows from it (`effects`), which the
loop obeys. Nothing else changes it, and asking it changes nothing. An event costs what has changed: that an Envoy
confirmed a route looks at no server, that it confirmed a listener looks at the servers of that gateway.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta

from mizzen.http3.lingering import Lingering, Standing
from mizzen.http3.server import Server
from mizzen.http3.shedding import Sheds
from mizzen.lazy import dataclass
from mizzen.node.ports import Holder
from mizzen.pipeline import Announced
from mizzen.plane.agenda import Agenda
from mizzen.plane.announcing import followed
from mizzen.plane.effects import (
    Effect,
    Keep,
    Promises,
    Publish,
    Rebuild,
    ServerKey,
    Tell,
    Translate,
    Unpublish,
    refused_since,
)
from mizzen.plane.mirror_proof import Subject, has_said_the_same, is_confirmed_alike, public_name
from mizzen.plane.proof_schedule import Key, Trials
from mizzen.plane.replacing import replacing
from mizzen.plane.served_gateway import Gateway, Translated
from mizzen.plane.shedding import Sheddings
from mizzen.plane.statistics import Readings
from mizzen.plane.watching import Watches
from mizzen.probe.mirror import Proof
from mizzen.proxy.bootstrap import DRAIN_SECONDS
from mizzen.serve.ads import ClientStatus

# Between two times that promises are written down: many mirrors are proven at once, one alone waits for nobody.
GAP = timedelta(milliseconds=100)
KEEP_AGAIN = timedelta(seconds=2)  # after promises could not be written down

Shared = Mapping[str, tuple[Holder, ...]]
Step = tuple["State", tuple[Effect, ...]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class State:
    """All of it. `replica`: what this control plane is called among others that serve the same gateways."""

    replica: str = ""
    number: int = 0  # of the build that is served
    gateways: Mapping[str, Gateway] = field(
        default_factory=dict
    )  # by the key of the proxy, in the order of the build
    by_name: Mapping[str, str] = field(default_factory=dict)  # what an Envoy calls itself -> key
    envoys: Mapping[str, ClientStatus] = field(
        default_factory=dict
    )  # that are connected, also those of no gateway
    servers: Promises = field(default_factory=dict)  # also those that are gone, while clients remember them
    holders: Mapping[ServerKey, tuple[str, ...]] = field(
        default_factory=dict
    )  # keys of the proxies that have it
    standings: Mapping[ServerKey, Standing] = field(default_factory=dict)  # where clients may come to them
    lingering: Mapping[str, Lingering] = field(default_factory=dict)  # by the gateway as clients know it
    trials: Trials = field(default_factory=Trials)
    watches: Watches = field(default_factory=Watches)  # whose counters are looked at
    sheds: Sheds = field(default_factory=Sheds)  # whose CPU is
    looks: Agenda[ServerKey] = field(default_factory=Agenda)  # when time may change what is announced
    owed: Mapping[str, int] = field(
        default_factory=dict
    )  # gateways that must be translated again, and since which debt
    debts: int = 0
    translating: Mapping[str, Translate] = field(default_factory=dict)  # what is being translated, by key
    # Writing promises down.
    is_dirty: bool = False  # they are not as they were given away last
    keeping: Promises | None = None  # what is being written
    kept_at: datetime | None = None  # when they were given away last
    trouble: bool = False  # they could not be written
    # Of all of which problems are made.
    version: int = 0

    def on_build(self, number: int, gateways: Mapping[str, Translated], now: datetime) -> Step:
        """A build has ended. One that is older than what is served is forgotten."""
        if number <= self.number:
            return self, ()
        step = _Step(self, now)
        step.build(number, gateways)
        return step.done()

    def on_translated(self, asked: Translate, made: Translated | None, now: datetime) -> Step:
        """A gateway has been translated again; `made` is None where that failed: then what was built is served."""
        step = _Step(self, now)
        step.translated(asked, made)
        return step.done()

    def on_client(self, client: ClientStatus, now: datetime) -> Step:
        """An Envoy has come, gone, confirmed or refused something."""
        step = _Step(self, now)
        step.client(client)
        return step.done()

    def on_proof(self, key: Key, subject: Subject, proof: Proof, now: datetime) -> Step:
        """A request through a mirror has ended."""
        step = _Step(self, now)
        step.proof(key, subject, proof)
        return step.done()

    def on_kept(self, promises: Promises, is_written: bool, now: datetime) -> Step:
        """Promises have been written down, or could not be."""
        step = _Step(self, now)
        step.kept(promises, is_written)
        return step.done()

    def on_promises(self, stored: Promises, now: datetime) -> Step:
        """What is written by whoever was here before, or by other replicas."""
        step = _Step(self, now)
        step.promises(stored)
        return step.done()

    def on_shared(self, key: str, shared: Shared, now: datetime) -> Step:
        """Who else has ports of a gateway open, by listener."""
        step = _Step(self, now)
        step.shared(key, shared)
        return step.done()

    def on_renewed(self, identity: str, now: datetime) -> Step:
        """The proxies of a SPIFFE name have a new certificate: nothing else of what they are told changes."""
        step = _Step(self, now)
        for key, one in self.gateways.items():
            if one.translated.build.identity == identity:
                step.owe(key)
        return step.done()

    def on_ticket_keys(self, now: datetime) -> Step:
        """Session tickets are made and read with other keys: whoever gives them is told."""
        step = _Step(self, now)
        for key, one in self.gateways.items():
            if any(listener.gives_tickets for listener in one.translated.build.model.listeners):
                step.owe(key)
        return step.done()

    def on_counted(self, found: Mapping[str, Readings], now: datetime) -> Step:
        """Envoys have told what they counted, by what they call themselves; those that did not answer are missing."""
        step = _Step(self, now)
        step.counted(found)
        return step.done()

    def on_loaded(self, found: Mapping[str, float], now: datetime) -> Step:
        """How much CPU Envoys use, in percent, by what they call themselves."""
        step = _Step(self, now)
        step.loaded(found)
        return step.done()

    def on_time(self, now: datetime) -> Step:
        """`next` has come."""
        step = _Step(self, now)
        step.replaced()
        step.judge(self.looks.due(now))
        return step.done()

    @property
    def next(self) -> datetime | None:
        """When `on_time` is to be called; None: not before something happens."""
        keep = None
        if self.is_dirty and self.keeping is None and self.kept_at is not None:
            keep = self.kept_at + (KEEP_AGAIN if self.trouble else GAP)
        emptied = [one.replacing.until for one in self.gateways.values() if one.replacing is not None]
        times = (self.trials.next, self.looks.next, self.watches.next, self.sheds.next, keep, *emptied)
        return min((at for at in times if at is not None), default=None)

    def server(self, called: str, announcement: str) -> Server:
        """What is announced of a server of a gateway."""
        return self.servers.get((called, announcement), Server())

    def unsettled(self, gateway: Gateway) -> str:
        """Which mirror Envoy holds, but whose first proof has not ended; "" when there is none such."""
        translated = gateway.translated
        for name in translated.targets:
            server = self.server(translated.called, name)
            if server.is_unsettled or (server.is_pending and not self.trouble):
                return f"the HTTP/3 mirror {name.partition('/')[2]} is being tried"
        return ""


def announced(
    promises: Promises, called: str, translated_targets: Mapping[str, object], known: Announced
) -> Announced:
    """What the answers of a gateway say of HTTP/3, by announcement; `known` itself where that is the same."""
    found = {
        name: promises[called, name].value if (called, name) in promises else None
        for name in translated_targets
    }
    return known if found == known else found


class _Step(Sheddings):
    """One step on its way: copies of what it changes."""

    def __init__(self, state: State, now: datetime) -> None:
        self.before, self.now, self.replica = state, now, state.replica
        self.gateways, self.servers = dict(state.gateways), dict(state.servers)
        self.envoys, self.by_name, self.holders = state.envoys, state.by_name, state.holders
        self.number, self.trials, self.watches = state.number, state.trials, state.watches
        self.sheds = state.sheds
        self.owed, self.debts, self.translating = dict(state.owed), state.debts, dict(state.translating)
        self.is_dirty, self.keeping, self.trouble = state.is_dirty, state.keeping, state.trouble
        self.kept_at = state.kept_at
        self.is_other = False
        self.looks, self.standings, self.stood, self.must_build = {}, state.standings, {}, False
        self.spoken = set()
        self.unpublished: set[str] = set()  # that have something new to hold
        self.effects: list[Effect] = []

    # --- events ----------------------------------------------------------------------------------

    def build(self, number: int, gateways: Mapping[str, Translated]) -> None:
        before = self.gateways
        self.number, self.is_other = number, True
        self.gateways = {
            key: self._emptying(before.get(key), self._taken(before.get(key), one))
            for key, one in gateways.items()
        }
        names = {name: key for key, one in gateways.items() for name in one.names}
        for name in self.by_name.keys() - names.keys():
            self.effects.append(Unpublish(name=name))
            self.trials = self.trials.want(name, {}, self.now)
        self.by_name = names
        for key in before.keys() - gateways.keys():
            self.trials = self.trials.want(public_name(key), {}, self.now)
        changed = {
            key
            for key in before.keys() | self.gateways.keys()
            if _grounds(before.get(key)) != _grounds(self.gateways.get(key))
        }
        self.hold(before, changed)
        for key, one in self.gateways.items():
            old = before.get(key)
            if (
                old is None
                or old.translated.snapshot is not one.translated.snapshot
                or old.translated.names != one.translated.names
            ):
                self.unpublished.add(key)
            if (
                old is None
                or key in changed
                or not is_confirmed_alike(old.translated.snapshot, one.translated.snapshot)
            ):
                self.look(key)
            if old is None or key in changed or one.translated.announced is not one.values:
                self.spoken.add(key)
        self.owed = {key: debt for key, debt in self.owed.items() if key in self.gateways}

    def _emptying(self, before: Gateway | None, gateway: Gateway) -> Gateway:
        """The same, whose QUIC listeners are emptied first where they are to be replaced and somebody may be connected."""
        if before is None or not before.clients or before.translated is gateway.translated:
            return gateway
        drain = gateway.translated.build.proxy.config.drain_duration or timedelta(seconds=DRAIN_SECONDS)
        held, wanted = before.offered, gateway.translated.snapshot
        found = replacing(before.replacing, held, wanted, self.now, drain)
        return replace(gateway, replacing=found) if found is not gateway.replacing else gateway

    def replaced(self) -> None:
        """What was emptied takes its servers up again, with all that is new."""
        for key, gateway in self.gateways.items():
            if gateway.replacing is not None and gateway.replacing.until <= self.now:
                self.gateways[key] = replace(gateway, replacing=None)
                self.unpublished.add(key)
                self.look(key)

    def owe(self, key: str) -> None:
        """A gateway must be translated again."""
        self.debts += 1
        self.owed[key] = self.debts

    def _taken(self, before: Gateway | None, translated: Translated) -> Gateway:
        """A gateway of a build, with what is known of the one before it."""
        if before is not None and before.translated is translated:
            return before
        gateway = replace(
            before or Gateway(translated=translated, values=translated.announced),
            translated=translated,
            clients={},
        )
        for name in translated.names:
            if (client := self.envoys.get(name)) is not None:
                gateway = gateway.heard(client)
        refused = {name: one for name, one in gateway.refused.items() if name in translated.names}
        return replace(gateway, refused=refused) if len(refused) < len(gateway.refused) else gateway

    def translated(self, asked: Translate, made: Translated | None) -> None:
        based_on = asked.gateway.translated
        key = based_on.key
        if self.translating.get(key) is asked:
            del self.translating[key]
        gateway = self.gateways.get(key)
        if gateway is None or gateway.translated is not based_on:
            return  # a build came in between: what is owed is translated from that
        if self.owed.get(key) == asked.debt:
            del self.owed[key]
        if made is not None:
            gateway = replace(gateway, translated=made)
            for client in gateway.clients.values():
                gateway = gateway.heard(client)
            self.gateways[key] = gateway
            self.is_other |= made.problems != based_on.problems
            if not is_confirmed_alike(based_on.snapshot, made.snapshot):
                self.look(key)
            if gateway.values is not made.announced:
                self.spoken.add(key)
        self._publish(key)

    def client(self, client: ClientStatus) -> None:
        name = client.gateway
        self.envoys = {other: one for other, one in self.envoys.items() if other != name}
        if client.is_connected:
            self.envoys = {**self.envoys, name: client}
        key = self.by_name.get(name)
        if key is None:
            return  # of what is gone
        before = self.gateways[key]
        gateway = self.gateways[key] = before.heard(client)
        old = before.clients.get(name)
        self.effects += refused_since(key, old, client)
        self.is_other |= gateway.refused is not before.refused or (old is None) != (not client.is_connected)
        if not has_said_the_same(old, gateway.clients.get(name)):
            self.look(key, (name,))
        if gateway.translated.lingering and not gateway.asks_for(gateway.translated.lingering):
            self.owe(key)

    def shared(self, key: str, shared: Shared) -> None:
        gateway = self.gateways.get(key)
        if gateway is None or gateway.shared == shared:
            return
        self.gateways[key] = replace(gateway, shared=shared)
        self.is_other = True
        self.judge((gateway.translated.called, name) for name in gateway.translated.targets)

    # --- what follows ----------------------------------------------------------------------------

    def _publish(self, key: str) -> None:
        self.unpublished.discard(key)
        gateway = self.gateways[key]
        offered = gateway.offered
        self.effects += [Publish(name=name, snapshot=offered) for name in gateway.translated.names]

    def _say(self) -> None:
        """Have what answers say translated where it is another."""
        for key in sorted(self.spoken & self.gateways.keys()):
            gateway = self.gateways[key]
            one = gateway.translated
            values = announced(self.servers, one.called, one.targets, gateway.values)
            values = one.announced if values == one.announced else values
            if values is not gateway.values:
                self.gateways[key] = replace(gateway, values=values)
            if values is not one.announced:
                self.owe(key)

    def _settle(self) -> None:
        """Effects of what has been found out."""
        self._say()
        for key in sorted(self.owed):
            gateway = self.gateways[key]
            if key not in self.translating:
                effect = Translate(gateway=gateway, values=gateway.values, debt=self.owed[key])
                self.translating[key] = effect
                self.effects.append(effect)
        # What says the wrong thing of HTTP/3 waits until it says the right one.
        for key in sorted(self.unpublished):
            gateway = self.gateways[key]
            if gateway.values is gateway.translated.announced:
                self._publish(key)
        if self.is_dirty and self.keeping is None and self._may_keep:
            self.is_dirty, self.keeping, self.kept_at = False, self.servers, self.now
            self.effects.append(Keep(promises=self.servers))
        self.trials, proofs = self.trials.begin(self.now)
        self.effects += proofs
        self.effects += self.watch()
        self.effects += self.measure()
        if self.is_other:
            self.effects.append(Tell())
        if self.must_build and self.number:
            self.effects.append(Rebuild())

    @property
    def _may_keep(self) -> bool:
        gap = KEEP_AGAIN if self.trouble else GAP
        return self.kept_at is None or not self.kept_at <= self.now < self.kept_at + gap

    def done(self) -> Step:
        self._settle()
        before = self.before
        lingering, standings = followed(before.lingering, before.standings, self.stood)
        state = replace(
            before,
            lingering=lingering,
            standings=standings,
            number=self.number,
            gateways=self.gateways,
            by_name=self.by_name,
            envoys=self.envoys,
            servers=self.servers,
            holders=self.holders,
            trials=self.trials,
            watches=self.watches,
            sheds=self.sheds,
            looks=before.looks.with_times(self.looks),
            owed=self.owed,
            debts=self.debts,
            translating=self.translating,
            is_dirty=self.is_dirty,
            keeping=self.keeping,
            kept_at=self.kept_at,
            trouble=self.trouble,
            version=before.version + self.is_other,
        )
        return state, tuple(self.effects)


def _grounds(gateway: Gateway | None) -> object:
    """What decides which servers a gateway has, and who serves them."""
    if gateway is None:
        return None
    return gateway.translated.called, gateway.translated.targets, gateway.translated.names
