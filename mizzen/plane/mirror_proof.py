"""What must be proven of an HTTP/3 mirror: of which address, with which name, against which certificates. Pure."""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import field, replace

from mizzen._api import pb
from mizzen.http3.evidence import Evidence
from mizzen.lazy import dataclass
from mizzen.model import Model
from mizzen.model.announcement import Announcement
from mizzen.model.listener import HttpService, Listener, Transport
from mizzen.model.tls import FILE_CERT, WORKLOAD, Certificate, ClientAuth
from mizzen.plane.statistics import Meters
from mizzen.serve.ads import ClientStatus
from mizzen.xds.node import address_of
from mizzen.xds.resource_type import LISTENER, SECRET
from mizzen.xds.snapshot import Entry, Snapshot

NO_NAME = "mizzen.invalid"  # asked for where a mirror takes any name (RFC 2606: nobody has it)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a gateway's mirror of one server is, whichever Envoy serves it."""

    announcement: Announcement
    address: str  # that its listener is bound to
    port: int
    demands_certificate: bool
    certificates: tuple[Certificate, ...]
    has_listener: bool = True
    meters: Meters | None = None  # where it is counted, where that is judged


Targets = Mapping[str, Target]  # by the name of the announcement, also of those without a mirror


@dataclass(frozen=True, slots=True)
class Subject:
    """What one proof is of: when any of it changes, it must be proven anew."""

    address: str
    port: int
    server_name: str
    leaves: tuple[bytes, ...] = field(
        repr=False
    )  # PEM; one of them must be shown. b"": any, nobody here knows it
    demands_certificate: bool
    versions: tuple[str, ...]  # of the listener and the certificates, as Envoy confirmed them


def targets(model: Model, before: Targets | None = None) -> Targets:
    """The mirrors of a gateway; `before` itself where nothing differs."""
    listeners = {one.name: one for one in model.listeners}
    certificates = {one.name: one for one in model.certificates}
    wanted = {one.listener for one in model.announcements if one.port is not None}
    demanding = {name: _demanding(listeners[name]) for name in wanted if name in listeners}
    found = {
        one.name: _target(
            one, listeners.get(one.listener), demanding.get(one.listener, frozenset()), certificates
        )
        for one in model.announcements
    }
    if any(one.rollout.step_back is not None and one.port is not None for one in model.announcements):
        found |= _metered(model, found)
    return before if found == before else found


def _target(
    announcement: Announcement,
    listener: Listener | None,
    demanding: frozenset[tuple[str, ...]],
    certificates: Mapping[str, Certificate],
) -> Target:
    names = announcement.certificates
    return Target(
        announcement=announcement,
        address=listener.address if listener else "",
        port=listener.port if listener else 0,
        demands_certificate=announcement.server_names in demanding,
        certificates=tuple(certificates[name] for name in names if name in certificates),
        has_listener=listener is not None,
    )


def _metered(model: Model, known: Targets) -> dict[str, Target]:
    """Those whose counters are judged."""
    prefixes: dict[
        tuple[str, bool], tuple[str, str]
    ] = {}  # (announcement, is it QUIC?) -> listener and prefix
    for listener in model.listeners:
        for chain in listener.chains:
            if isinstance(chain.serve, HttpService) and chain.serve.announcement is not None:
                key = chain.serve.announcement, listener.transport is Transport.QUIC
                prefixes[key] = listener.name, chain.serve.stat_prefix
    found = {}
    for name, target in known.items():
        if target.announcement.rollout.step_back is None or target.announcement.port is None:
            continue
        listener_name, prefix = prefixes.get((name, True), ("", ""))
        tcp_listener, tcp_prefix = prefixes.get((name, False), ("", ""))
        meters = Meters(
            listener=listener_name, prefix=prefix, tcp_listener=tcp_listener, tcp_prefix=tcp_prefix
        )
        found[name] = replace(target, meters=meters)
    return found


def _demanding(listener: Listener) -> frozenset[tuple[str, ...]]:
    """The names of the servers that ask clients for a certificate."""
    return frozenset(
        chain.server_names
        for chain in listener.chains
        if chain.tls is not None and chain.tls.client_auth is ClientAuth.REQUIRED
    )


def subject(target: Target, snapshot: Snapshot, client: ClientStatus | None) -> Subject | None:
    """What must be proven now; None while Envoy has not confirmed the listener and a certificate."""
    announcement = target.announcement
    if client is None or not target.has_listener:
        return None
    version = confirmed(client, snapshot, LISTENER.url, announcement.listener)
    if not version:
        return None
    versions = {name: confirmed(client, snapshot, SECRET.url, name) for name in announcement.certificates}
    held = [name for name, one in versions.items() if one]
    leaves = tuple(one.chain for one in target.certificates if one.name in held)
    if WORKLOAD in held:
        leaves += (_own_certificate(snapshot),)
    elif WORKLOAD in versions or any(map(_is_file, versions)):
        leaves += (b"",)  # its agent has it, beside the proxy: the handshake shows that it is there
    if not leaves:
        return None
    return Subject(
        address=dialled(target.address, address_of(client.node_id)),
        port=target.port,
        server_name=concrete(one for one in announcement.server_names if one not in announcement.hosts_off),
        leaves=leaves,
        demands_certificate=target.demands_certificate,
        versions=(version, *(versions[name] for name in held)),
    )


PUBLIC = "~public"


def public_name(key: str) -> str:
    """What stands for an Envoy's name where a gateway's mirrors are proven through its public address."""
    return f"{key}{PUBLIC}"


def public_subject(target: Target, own: Subject) -> Subject | None:
    """What must be proven through the public address as well, once an Envoy has confirmed its `own`; None: nothing."""
    announcement = target.announcement
    if not announcement.public_address or announcement.port is None:
        return None
    return replace(own, address=announcement.public_address, port=announcement.port)


def through(address: str, evidence: Evidence | None) -> Evidence:
    """What a request through the public address has shown; nothing ended yet, it is waited for."""
    if evidence is None:
        return Evidence(acked=True, proven=None)
    return replace(evidence, detail=f"through {address}: {evidence.detail}") if evidence.detail else evidence


def unconfirmed(listener: str, client: ClientStatus | None) -> Evidence:
    """Of a mirror that Envoy does not hold: it may still come, unless Envoy has refused it and has none before it."""
    status = client.stream.of(LISTENER.url) if client else None
    if status is None or listener not in status.rejections or listener in status.acked:
        return Evidence(acked=False, proven=None)
    return Evidence(acked=False, proven=False, detail="Envoy refused the mirror's listener")


def confirmed(client: ClientStatus, snapshot: Snapshot, url: str, name: str) -> str:
    """The version of that resource, if Envoy holds exactly what it shall hold; else ""."""
    status = client.stream.of(url)
    entry: Entry | None = snapshot.of(url).get(name)
    if entry is not None and name == WORKLOAD:
        return entry.version  # it is asked for on a stream of its own
    if status is None or entry is None or status.acked.get(name) != entry.version:
        return ""
    return entry.version


def has_said_the_same(before: ClientStatus | None, now: ClientStatus | None) -> bool:
    """Does an Envoy hold the listeners and certificates that it held before, and refuse the same of them?"""
    if before is None or now is None or before.node_id != now.node_id:
        return before is now
    for url in (LISTENER.url, SECRET.url):
        old, new = before.stream.of(url), now.stream.of(url)
        if old is None or new is None:
            if old is not new:
                return False
        elif old.acked != new.acked or old.rejections.keys() != new.rejections.keys():
            return False
    return True


def is_confirmed_alike(one: Snapshot, other: Snapshot) -> bool:
    """Do Envoys that confirmed the mirrors of one hold those of the other?"""
    return one is other or all(
        one.of(url) is other.of(url) or one.of(url) == other.of(url) for url in _OF_MIRRORS
    )


_OF_MIRRORS = (LISTENER.url, SECRET.url)


def _is_file(name: str) -> bool:
    return name.startswith(FILE_CERT)


def _own_certificate(snapshot: Snapshot) -> bytes:
    """What a proxy of this machine shows to the mesh."""
    secret = pb.Secret.FromString(snapshot.of(SECRET.url)[WORKLOAD].body)
    return secret.tls_certificate.certificate_chain.inline_bytes


def dialled(address: str, machine: str = "") -> str:
    """An address at which a listener is reached that is bound to `address` on `machine` (an IP address)."""
    bound = ipaddress.ip_address(address)
    if not bound.is_unspecified:
        return address
    own = "127.0.0.1" if bound.version == 4 else "::1"
    # Whoever is bound to every address of one family has none of the other.
    return machine if machine and (":" in machine) is (bound.version == 6) else own


def concrete(names: Iterable[str]) -> str:
    """A name that one of the SNI patterns takes."""
    for name in sorted(names, key=lambda name: name.startswith("*")):
        return f"probe{name[1:]}" if name.startswith("*") else name
    return NO_NAME
