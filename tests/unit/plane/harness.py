"""A control plane's state driven by hand: a clock that stands until it is moved, real builds, real xDS sessions."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from mizzen._api import pb
from mizzen.demo import certificates
from mizzen.http3.health import Counters
from mizzen.node.instance import Instance
from mizzen.pipeline import Settings
from mizzen.plane.effects import Effect, Keep, Publish, Rebuild, Refused, Translate, Unpublish
from mizzen.plane.proof_schedule import Prove
from mizzen.plane.served_gateway import Translated
from mizzen.plane.state import State, Step
from mizzen.plane.statistics import Meters
from mizzen.plane.watching import Measure, Watch
from mizzen.plane.worker import Inputs, Worker
from mizzen.probe.mirror import Proof
from mizzen.resources.raw_objects import parse_documents
from mizzen.serve.ads import ClientStatus
from mizzen.sources.files import Listing
from mizzen.xds.delta import DeltaStream
from mizzen.xds.resource_type import CLUSTER, EXTENSION_CONFIG, LISTENER, ROUTES, SECRET
from mizzen.xds.snapshot import Snapshot
from tests.harness.gateway import secret

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
GATEWAY = "istio-ingressgateway.istio-system"
GOOD, BAD = Proof(True, "HTTP/3 200"), Proof(False, "no QUIC handshake")
H3, CLEAR = 'h3=":8443"; ma=86400', "clear"
_AUTHORITY = certificates.authority("Test", START)
_PAIR = certificates.server("shop.test", _AUTHORITY, START)


def https(name: str, *, credential: str = "", port: int = 443) -> str:
    """A Gateway with one HTTPS server, its Secret and its routes."""
    credential = credential or f"{name}-tls"
    return f"""
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: {name}, namespace: istio-system}}
spec:
  selector: {{istio: ingressgateway}}
  servers:
  - port: {{number: {port}, name: https, protocol: HTTPS}}
    hosts: ["{name}.test"]
    tls: {{mode: SIMPLE, credentialName: {credential}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}, namespace: istio-system}}
spec:
  hosts: ["{name}.test"]
  gateways: [{name}]
  http: [{{directResponse: {{status: 200}}}}]
---
{secret(credential, _PAIR)}"""


def server(name: str, port: int = 443) -> str:
    """The name of its announcement."""
    return f"alt-svc/https.{port}.https.{name}.istio-system"


def renamed(translated: Translated, variant: str, *pods: str) -> Translated:
    """The same gateway as Pods of another kind have it: another proxy, and other Envoys."""
    build = translated.build
    proxy = replace(build.proxy, variant=variant, instances=tuple(f"{pod}.istio-system" for pod in pods))
    return replace(translated, build=replace(build, proxy=proxy))


class Envoy:
    """One that speaks delta xDS, and confirms what it is told unless it is to refuse it."""

    def __init__(self, plane: "Plane", name: str) -> None:
        self.plane, self.name = plane, name
        self.stream = DeltaStream(itertools.count(1))
        self.refuses: Callable[[str, str], str] = lambda url, name: ""
        self.secrets: set[str] = set()
        for kind in (CLUSTER, LISTENER):
            self.stream.receive(pb.DeltaDiscoveryRequest(type_url=kind.url))
        self.offer(plane.published.get(name))

    @property
    def held(self) -> Mapping[str, str]:
        """The versions of the Secrets that it has."""
        status = self.stream.status().of(SECRET.url)
        return status.acked if status else {}

    def status(self, *, is_connected: bool = True) -> ClientStatus:
        return ClientStatus(
            node_id=f"router~127.0.0.1~{self.name}~istio-system.svc.cluster.local",
            gateway=self.name,
            protocol="delta",
            version="1.40.0",
            is_connected=is_connected,
            stream=self.stream.status(),
        )

    def offer(self, snapshot: Snapshot | None) -> None:
        if snapshot is not None:
            self.stream.offer(snapshot)

    def ask(self, url: str, names: set[str], left: frozenset[str] = frozenset()) -> None:
        request = pb.DeltaDiscoveryRequest(type_url=url)
        request.resource_names_subscribe.extend(sorted(names))
        request.resource_names_unsubscribe.extend(sorted(left))
        self.stream.receive(request)

    def settle(self) -> None:
        """Ask for the Secrets that the listeners name, and judge all that is sent; the plane hears of each word."""
        wanted = {
            name
            for name in self.plane.published[self.name].of(SECRET.url)
            if name in self.plane.wanted_secrets(self.name)
        }
        if wanted != self.secrets:
            self.ask(SECRET.url, wanted - self.secrets, frozenset(self.secrets - wanted))
            self.secrets = wanted
            self.plane.hear(self)
        while (response := self.stream.next_response()) is not None:
            request = pb.DeltaDiscoveryRequest(type_url=response.type_url, response_nonce=response.nonce)
            for resource in pb.DeltaDiscoveryResponse.FromString(response.body).resources:
                if why := self.refuses(response.type_url, resource.name):
                    request.error_detail.message = why
            self.stream.receive(request)
            self.plane.hear(self)

    def leave(self) -> None:
        self.plane.envoys.remove(self)
        self.plane.take(self.plane.state.on_client(self.status(is_connected=False), self.plane.now))


@dataclass
class Plane:
    """The state, and who obeys it."""

    replica: str = ""
    now: datetime = START
    state: State = field(init=False)
    worker: Worker = field(init=False)
    published: dict[str, Snapshot] = field(default_factory=dict)
    envoys: list[Envoy] = field(default_factory=list)
    proving: list[Prove] = field(default_factory=list)
    translating: list[Translate] = field(default_factory=list)
    keeping: list[Keep] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    number: int = 0
    watched: int = 0  # how often Envoys were asked for their counters
    asked: Mapping[str, tuple[str, frozenset[Meters]]] = field(default_factory=dict)  # at the last time
    # What each has counted at that time; None: they do not answer.
    counters: Callable[[int], Counters] | None = lambda number: Counters()
    measured: int = 0  # how often Envoys were asked for their CPU
    cpu: float | None = 10.0  # of each; None: it is not known
    rebuilds: int = 0  # that were asked for
    environment: Mapping[str, str] = field(default_factory=dict)
    ticket_seeds: tuple[bytes, ...] = ()  # of the keys of session tickets
    disk_is_full: bool = False
    holds_translations: bool = False  # until `translate` is called

    def __post_init__(self) -> None:
        self.state = State(replica=self.replica)
        self.worker = Worker(Instance(None), None)  # type: ignore[arg-type]  # proxies of other machines

    def make(self, text: str) -> dict[str, Translated]:
        """A build of these objects; not served yet."""
        objects, problems = parse_documents(text, "in.yaml")
        listing = Listing(objects=objects, problems=problems, files=(), unreadable=frozenset())
        self.number += 1
        inputs = Inputs(
            number=self.number,
            read=lambda: listing,
            settings=Settings(
                environment=self.environment,
                lingering=self.state.lingering,
                shedding=self.state.sheds.refusing,
            ),
            gateways=self.state.gateways,
            promises=self.state.servers,
            ticket_seeds=self.ticket_seeds,
            now=self.now,
        )
        return dict(self.worker.build(inputs).gateways)

    def serve(self, gateways: Mapping[str, Translated], number: int | None = None) -> None:
        by_key = {one.key: one for one in gateways.values()}
        self.take(self.state.on_build(number or self.number, by_key, self.now))

    def build(self, text: str) -> None:
        self.serve(self.make(text))

    def take(self, step: Step) -> None:
        self.state, effects = step
        for effect in effects:
            self.obey(effect)

    def obey(self, effect: Effect) -> None:
        match effect:
            case Publish():
                self.published[effect.name] = effect.snapshot
                for envoy in self.envoys:
                    if envoy.name == effect.name:
                        envoy.offer(effect.snapshot)
            case Unpublish():
                del self.published[effect.name]
            case Prove():
                self.proving.append(effect)
            case Translate():
                self.translating.append(effect)
                if not self.holds_translations:
                    self.translate()
            case Keep():
                self.keeping.append(effect)
                self.take(self.state.on_kept(effect.promises, not self.disk_is_full, self.now))
            case Watch():
                self.watched, self.asked = self.watched + 1, effect.envoys
                counted = self.counters(self.watched) if self.counters is not None else None
                found_counters = {
                    name: dict.fromkeys(meters, counted)
                    for name, (_, meters) in effect.envoys.items()
                    if counted is not None
                }
                self.take(self.state.on_counted(found_counters, self.now))
            case Measure():
                self.measured += 1
                found = dict.fromkeys(effect.envoys, self.cpu) if self.cpu is not None else {}
                self.take(self.state.on_loaded(found, self.now))
            case Rebuild():
                self.rebuilds += 1
            case Refused():
                self.refused.append(effect)

    def translate(self) -> None:
        """Do what the worker has to do."""
        while self.translating:
            effect = self.translating.pop(0)
            made = self.worker.translate(effect.gateway, effect.values, {}, self.ticket_seeds)
            self.take(self.state.on_translated(effect, made, self.now))

    def connect(self, name: str = GATEWAY) -> Envoy:
        envoy = Envoy(self, name)
        self.envoys.append(envoy)
        self.hear(envoy)
        return envoy

    def settle(self) -> None:
        for envoy in self.envoys:
            envoy.settle()

    def hear(self, envoy: Envoy) -> None:
        self.take(self.state.on_client(envoy.status(), self.now))

    def prove(self, proof: Proof = GOOD) -> int:
        """End all requests that run, and those that follow from it at once; how many those were."""
        count = 0
        while self.proving:
            effect = self.proving.pop(0)
            count += 1
            self.take(self.state.on_proof(effect.key, effect.subject, proof, self.now))
        return count

    def wait(self, seconds: float, proof: Proof | None = GOOD) -> int:
        """Let time pass; what is due is done, and requests end so (None: not at all). How many ended."""
        end, count = self.now + timedelta(seconds=seconds), self.prove(proof) if proof is not None else 0
        while (at := self.state.next) is not None and at <= end:
            self.now = max(self.now, at)
            self.take(self.state.on_time(self.now))
            count += self.prove(proof) if proof is not None else 0
            self.settle()
        self.now = end
        return count

    def wanted_secrets(self, name: str) -> set[str]:
        key = self.state.by_name[name]
        model = self.state.gateways[key].translated.build.model
        return {
            certificate
            for listener in model.listeners
            for chain in listener.chains
            if chain.tls
            for certificate in chain.tls.certificates
        }

    def says(self, announcement: str, name: str = GATEWAY) -> str | None:
        """What the answers of an Envoy are told to say, in what was published."""
        entry = self.published[name].of(EXTENSION_CONFIG.url)[announcement]
        text = entry.body.decode(errors="replace")
        return H3 if "h3=" in text else CLEAR if "clear" in text else None


__all__ = ["BAD", "CLEAR", "GATEWAY", "GOOD", "H3", "ROUTES", "START", "Plane", "https", "renamed", "server"]
