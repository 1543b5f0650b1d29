"""Proves HTTP/3 mirrors with real requests, again and again. What follows from a proof is decided elsewhere."""

import asyncio
import ipaddress
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from mizzen._api import pb
from mizzen.http3.announcement import Evidence
from mizzen.model import Model
from mizzen.model.listener import Announcement, Listener
from mizzen.model.tls import WORKLOAD, ClientAuth
from mizzen.probe.mirror import Proof, prove_mirror
from mizzen.serve.ads import ClientStatus
from mizzen.xds.resource_type import LISTENER, SECRET
from mizzen.xds.snapshot import Entry, Snapshot

AGAIN_AFTER = timedelta(seconds=30)  # a proven mirror is proven anew
FIRST_RETRY = timedelta(milliseconds=100)
LAST_RETRY = timedelta(seconds=5)
NO_NAME = "mizzen.invalid"  # asked for where a mirror takes any name (RFC 2606: nobody has it)


@dataclass(frozen=True, slots=True)
class Subject:
    """What one proof is of: when any of it changes, it must be proven anew."""

    gateway: str
    announcement: str
    address: str
    port: int
    server_name: str
    leaves: tuple[str, ...]  # PEM; one of them must be shown
    demands_certificate: bool
    versions: tuple[str, ...]  # of the listener and the certificates, as Envoy confirmed them


@dataclass(slots=True)
class Trial:
    """What is known of one subject."""

    proof: Proof | None = None
    due: float = 0.0  # monotonic seconds
    failures: int = 0
    running: bool = False


class Prover:
    """Keeps a trial for each mirror that Envoy has confirmed."""

    def __init__(self, *, on_proof: Callable[[], None]) -> None:
        self._on_proof = on_proof
        self._trials: dict[Subject, Trial] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def evidence(
        self, key: str, model: Model, snapshot: Snapshot, client: ClientStatus | None
    ) -> Mapping[str, Evidence]:
        """What is known of each mirror, by announcement; starts the trials that are due."""
        found: dict[str, Evidence] = {}
        current: set[Subject] = set()
        for announcement in model.announcements:
            if announcement.port is None:
                continue
            subject = _subject(key, announcement, model, snapshot, client)
            if subject is None:
                found[announcement.name] = _unconfirmed(announcement.listener, client)
                continue
            current.add(subject)
            trial = self._trials.setdefault(subject, Trial())
            if trial.due <= time.monotonic() and not trial.running:
                self._start(subject, trial)
            proof = trial.proof
            found[announcement.name] = Evidence(
                acked=True, proven=proof.ok if proof else None, detail=proof.detail if proof else ""
            )
        for gone in [s for s in self._trials if s.gateway == key and s not in current]:
            del self._trials[gone]
        return found

    def seconds_to_next(self) -> float | None:
        """When `evidence` must be asked for again; None: not by time."""
        due = [trial.due for trial in self._trials.values() if not trial.running]
        return max(min(due) - time.monotonic(), 0.001) if due else None

    def _start(self, subject: Subject, trial: Trial) -> None:
        trial.running = True
        task = asyncio.create_task(self._try(subject, trial))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _try(self, subject: Subject, trial: Trial) -> None:
        proof = await asyncio.to_thread(_prove, subject)
        trial.running = False
        trial.proof = proof
        trial.failures = 0 if proof.ok else trial.failures + 1
        wait = AGAIN_AFTER if proof.ok else min(FIRST_RETRY * 2 ** (trial.failures - 1), LAST_RETRY)
        trial.due = time.monotonic() + wait.total_seconds()
        self._on_proof()


def _prove(subject: Subject) -> Proof:
    """Any of the leaves will do: with an RSA and an ECDSA certificate, QUIC shows the ECDSA one."""
    proof = Proof(False, "no certificate is configured")
    for leaf in subject.leaves:
        proof = prove_mirror(
            subject.address,
            subject.port,
            subject.server_name,
            leaf,
            demands_certificate=subject.demands_certificate,
        )
        if proof.ok:
            break
    return proof


def _subject(
    key: str, announcement: Announcement, model: Model, snapshot: Snapshot, client: ClientStatus | None
) -> Subject | None:
    """What must be proven now; None while Envoy has not confirmed the listener and a certificate."""
    listener = next((one for one in model.listeners if one.name == announcement.listener), None)
    if client is None or listener is None:
        return None
    version = _confirmed(client, snapshot, LISTENER.url, listener.name)
    secrets = {name: _confirmed(client, snapshot, SECRET.url, name) for name in announcement.certificates}
    held = [name for name, confirmed in secrets.items() if confirmed]
    leaves = tuple(one.chain.decode() for one in model.certificates if one.name in held)
    if WORKLOAD in held:
        leaves += (_own_certificate(snapshot),)
    if not version or not leaves:
        return None
    return Subject(
        gateway=key,
        announcement=announcement.name,
        address=dialled(listener.address, address_of(client.node_id)),
        port=listener.port,
        server_name=concrete(announcement.server_names),
        leaves=leaves,
        demands_certificate=demands_certificate(listener, announcement),
        versions=(version, *(secrets[name] for name in held)),
    )


def _unconfirmed(listener: str, client: ClientStatus | None) -> Evidence:
    """Of a mirror that Envoy does not hold: it may still come, unless Envoy has refused it and has none before it."""
    status = client.stream.of(LISTENER.url) if client else None
    if status is None or listener not in status.rejections or listener in status.acked:
        return Evidence(acked=False, proven=None)
    return Evidence(acked=False, proven=False, detail="Envoy refused the mirror's listener")


def demands_certificate(listener: Listener, announcement: Announcement) -> bool:
    """Whether the chain of that server asks clients for a certificate."""
    return any(
        chain.tls is not None and chain.tls.client_auth is ClientAuth.REQUIRED
        for chain in listener.chains
        if chain.server_names == announcement.server_names
    )


def _confirmed(client: ClientStatus, snapshot: Snapshot, url: str, name: str) -> str:
    """The version of that resource, if Envoy holds exactly what it shall hold; else ""."""
    status = client.stream.of(url)
    entry: Entry | None = snapshot.of(url).get(name)
    if entry is not None and name == WORKLOAD:
        return entry.version  # it is asked for on a stream of its own
    if status is None or entry is None or status.acked.get(name) != entry.version:
        return ""
    return entry.version


def _own_certificate(snapshot: Snapshot) -> str:
    """What a proxy of this machine shows to the mesh."""
    secret = pb.Secret.FromString(snapshot.of(SECRET.url)[WORKLOAD].body)
    return secret.tls_certificate.certificate_chain.inline_bytes.decode()


def address_of(node_id: str) -> str:
    """Where an Envoy says that it is: "router~ADDRESS~name.namespace~domain"."""
    return (*node_id.split("~"), "", "")[1]


def dialled(address: str, machine: str = "") -> str:
    """An address at which a listener is reached that is bound to `address` on `machine` (an IP address)."""
    bound = ipaddress.ip_address(address)
    if bound.is_unspecified:
        return machine or ("127.0.0.1" if bound.version == 4 else "::1")
    return address


def concrete(names: Iterable[str]) -> str:
    """A name that one of the SNI patterns takes."""
    for name in sorted(names, key=lambda name: name.startswith("*")):
        return f"probe{name[1:]}" if name.startswith("*") else name
    return NO_NAME
