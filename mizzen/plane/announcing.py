"""What is announced of the servers of all gateways, in one step of the state. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from mizzen.http3.evidence import Evidence, together
from mizzen.http3.lingering import NOTHING_LINGERS, NOWHERE, Lingering, Standing, standing
from mizzen.http3.server import Server
from mizzen.plane.effects import Promises, ServerKey
from mizzen.plane.mirror_proof import (
    PUBLIC,
    Subject,
    public_name,
    public_subject,
    subject,
    through,
    unconfirmed,
)
from mizzen.plane.proof_schedule import Key, Trials
from mizzen.plane.served_gateway import Gateway
from mizzen.plane.shared_ports import fails_for
from mizzen.probe.mirror import Proof
from mizzen.serve.ads import ClientStatus

REPLACED = "its listener is being replaced, since its settings have changed; connections drain first"


class Announcing:
    """A part of a step on its way: copies of what it changes."""

    replica: str
    now: datetime
    gateways: dict[str, Gateway]
    by_name: Mapping[str, str]
    envoys: Mapping[str, ClientStatus]
    servers: dict[ServerKey, Server]
    holders: Mapping[ServerKey, tuple[str, ...]]
    trials: Trials
    looks: dict[ServerKey, datetime | None]
    standings: Mapping[ServerKey, Standing]
    stood: dict[ServerKey, Standing]  # those that are others now
    must_build: bool  # what lingers of mirrors that nobody wants is another
    spoken: set[str]  # keys of gateways whose answers may say something else
    is_dirty: bool
    is_other: bool  # are problems?
    keeping: Promises | None
    trouble: bool

    def proof(self, key: Key, subject: Subject, proof: Proof) -> None:
        self.trials = self.trials.end(key, subject, proof, self.now)
        gateway = self.gateways.get(self.by_name.get(key[0]) or key[0].removesuffix(PUBLIC))
        if gateway is not None and key[1] in gateway.translated.targets:
            self.judge([(gateway.translated.called, key[1])])

    def kept(self, promises: Promises, is_written: bool) -> None:
        self.keeping = None
        self.is_other |= self.trouble is is_written
        self.trouble = not is_written
        if not is_written:
            self.is_dirty = True
            return
        for key, written in promises.items():
            server = self.servers.get(key)
            if server is not None and server.is_pending and promises_alike(server, written):
                self.put(key, server.kept())

    def promises(self, stored: Promises) -> None:
        changed = []
        for key, one in stored.items():
            server = self.servers.get(key, Server())
            merged = server.merged(one, self.now, self.replica)
            if merged is not server:
                self.put(key, merged, is_new=False)
                changed.append(key)
        self.judge(changed)

    def hold(self, before: Mapping[str, Gateway], changed: set[str]) -> tuple[ServerKey, ...]:
        """Follow which proxies have which servers; gives those that may be others now."""
        if not changed:
            return ()
        touched: dict[ServerKey, None] = {}
        for some in (before, self.gateways):
            for key in sorted(changed & some.keys()):
                one = some[key].translated
                touched |= dict.fromkeys((one.called, name) for name in one.targets)
        keys: dict[ServerKey, list[str]] = {key: [] for key in touched}
        for key, gateway in self.gateways.items():
            for name in gateway.translated.targets:
                if (server := (gateway.translated.called, name)) in keys:
                    keys[server].append(key)
        self.holders = {
            **{server: some for server, some in self.holders.items() if server not in keys},
            **{server: tuple(some) for server, some in keys.items() if some},
        }
        for server in touched:
            wanted = [self.gateways[key].translated.targets[server[1]].announcement for key in keys[server]]
            self.put(server, self.servers.get(server, Server()).follow(wanted, self.now))
        self.judge(touched)
        return tuple(touched)

    def look(self, key: str, names: Iterable[str] | None = None) -> None:
        """What must be proven of a gateway's mirrors, at all its Envoys or at some."""
        gateway = self.gateways[key]
        targets, snapshot = gateway.translated.targets, gateway.translated.snapshot
        for name in gateway.translated.names if names is None else names:
            client = gateway.clients.get(name)
            wanted = (
                (one, subject(target, snapshot, client))
                for one, target in targets.items()
                if target.announcement.port is not None
            )
            self.trials = self.trials.want(
                name, {one: found for one, found in wanted if found is not None}, self.now
            )
        self._look_from_outside(key)
        self.judge((gateway.translated.called, name) for name in targets)

    def _look_from_outside(self, key: str) -> None:
        """What must be proven through the public address, of what any Envoy of a gateway has confirmed."""
        translated = self.gateways[key].translated
        named = [one for one, target in translated.targets.items() if target.announcement.public_address]
        wanted: dict[str, Subject] = {}
        for one in named:
            trials = (self.trials.get((name, one)) for name in translated.names)
            own = next((trial.subject for trial in trials if trial is not None), None)
            if own is not None and (found := public_subject(translated.targets[one], own)) is not None:
                wanted[one] = found
        self.trials = self.trials.want(public_name(key), wanted, self.now)

    def judge(self, keys: Iterable[ServerKey]) -> None:
        """Look at what is announced of these servers."""
        for key in keys:
            server = self.servers.get(key, Server())
            if key in self.holders:
                stepped = server.step(self.evidence_of(key), self.now, self.replica)
            else:
                stepped = server.expired(self.now)
            self.put(key, stepped)

    def evidence_of(self, key: ServerKey) -> Evidence:
        """What is known of a server's mirrors, at all Envoys that have it."""
        found: list[Evidence] = []
        for holder in self.holders[key]:
            gateway = self.gateways[holder]
            announcement = gateway.translated.targets[key[1]].announcement
            if announcement.port is None:
                continue
            if gateway.replacing is not None and announcement.listener in gateway.replacing.emptied:
                found.append(Evidence(acked=True, proven=False, detail=REPLACED))
                continue
            names = gateway.clients if gateway.clients else gateway.translated.names
            some = [
                self.trials.evidence((name, key[1]))
                or unconfirmed(announcement.listener, gateway.clients.get(name))
                for name in names
            ]
            found += fails_for(gateway.shared.get(announcement.listener, ()), some)
            if announcement.public_address and any(one.acked for one in some):
                outside = self.trials.evidence((public_name(holder), key[1]))
                found.append(through(announcement.public_address, outside))
        is_anybody_there = any(self.gateways[holder].clients for holder in self.holders[key])
        # While none is connected here, no other replica waits for ours.
        return together(found) if is_anybody_there else replace(together(found), everywhere=True)

    def put(self, key: ServerKey, server: Server, *, is_new: bool = True) -> None:
        before = self.servers.get(key)
        self.looks[key] = server.next(self.now, self.replica) if server.states else None
        self._stand(key, server)
        if server is before:
            return
        if server.states or key in self.holders:
            self.servers[key] = server
        else:
            self.servers.pop(key, None)
        self.is_dirty |= is_new and not stored_alike(before, server)
        if before is None or before.value != server.value:
            self.spoken |= set(self.holders.get(key, ()))

    def _stand(self, key: ServerKey, server: Server) -> None:
        """Follow where clients may still come to it."""
        before = self.stood.get(key) or self.standings.get(key, NOWHERE)
        now = standing(server, self.now)
        if now == before:
            return
        self.stood[key] = now
        wanted = {server.state.listener} if key in self.holders and server.port is not None else set()
        self.must_build |= bool(((before.remembered ^ now.remembered) | (before.open ^ now.open)) - wanted)


def followed(
    lingering: Mapping[str, Lingering],
    standings: Mapping[ServerKey, Standing],
    stood: Mapping[ServerKey, Standing],
) -> tuple[Mapping[str, Lingering], Mapping[ServerKey, Standing]]:
    """What lingers of each gateway, and where each server stands, once some stand elsewhere."""
    if not stood:
        return lingering, standings
    changes: dict[str, dict[str, tuple[Standing, Standing]]] = {}
    for (called, name), now in stood.items():
        changes.setdefault(called, {})[name] = (standings.get((called, name), NOWHERE), now)
    made = {
        **lingering,
        **{called: lingering.get(called, NOTHING_LINGERS).changed(some) for called, some in changes.items()},
    }
    left = {key: now for key, now in {**standings, **stood}.items() if now != NOWHERE}
    return made, left


def stored_alike(one: Server | None, other: Server) -> bool:
    """Is the same written down of both?"""
    return (one.stored() if one is not None else ()) == other.stored()


def promises_alike(one: Server, written: Server) -> bool:
    """Is what a server is about to promise among what has been written?"""
    port = one.port
    if port is None or port not in written.states:
        return False
    return one.states[port].pending == written.states[port].pending
