"""The order of things: make before break, and every client converges."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mizzen._api import pb
from mizzen.persistent import PersistentMap
from mizzen.xds.delta import DeltaStream
from mizzen.xds.resource_type import (
    CLUSTER,
    ENDPOINTS,
    EXTENSION_CONFIG,
    LISTENER,
    ROUTES,
    SECRET,
    SEND_ORDER,
    ResourceType,
    resource_type,
)
from mizzen.xds.snapshot import Entry, Snapshot, entry
from mizzen.xds.sotw import SotwStream
from mizzen.xds.status import SyncState
from mizzen.xds.update import endpoints_name
from tests.unit.xds.heard import heard


def cluster(name: str, *, seconds: int = 1) -> Entry:
    message = pb.Cluster(name=name, connect_timeout=pb.Duration(seconds=seconds))
    return entry(message.SerializeToString())


def world(**kinds: Mapping[str, Entry]) -> Snapshot:
    by_short = {kind.short: kind.url for kind in SEND_ORDER}
    return Snapshot(types={by_short[short]: PersistentMap(named) for short, named in kinds.items()})


def ask(kind: ResourceType, *names: str) -> pb.DeltaDiscoveryRequest:
    return pb.DeltaDiscoveryRequest(type_url=kind.url, resource_names_subscribe=names)


def answer(response: pb.DeltaDiscoveryResponse, error: str = "") -> pb.DeltaDiscoveryRequest:
    request = pb.DeltaDiscoveryRequest(type_url=response.type_url, response_nonce=response.nonce)
    if error:
        request.error_detail.message = error
    return request


def said(response: pb.DeltaDiscoveryResponse | None) -> str:
    """A response in short: "CDS +new -old"."""
    if response is None:
        return ""
    words = [resource_type(response.type_url).short]
    words += [f"+{resource.name}" for resource in response.resources]
    words += [f"-{name}" for name in response.removed_resources]
    return " ".join(words)


def converse(stream: DeltaStream) -> list[str]:
    """Confirm all that is sent, and tell what it was."""
    responses = []
    while (response := heard(stream)) is not None:
        responses.append(said(response))
        stream.receive(answer(response))
    return responses


ROUTE_1 = {"http": entry(b"to old")}
ROUTE_2 = {"http": entry(b"to new")}
LISTENERS = {"0.0.0.0_8080": entry(b"listener")}
OLD = world(CDS={"old": cluster("old")}, EDS={"old": entry(b"old")}, LDS=LISTENERS, RDS=ROUTE_1)
NEW = world(CDS={"new": cluster("new")}, EDS={"new": entry(b"new")}, LDS=LISTENERS, RDS=ROUTE_2)


def gateway_at(snapshot: Snapshot) -> DeltaStream:
    """A stream whose client has confirmed all of it."""
    stream = DeltaStream(itertools.count(1))
    stream.offer(snapshot)
    for request in (ask(CLUSTER), ask(ENDPOINTS, "old"), ask(LISTENER), ask(ROUTES, "http")):
        stream.receive(request)
    converse(stream)
    return stream


def test_clusters_and_endpoints_go_first() -> None:
    stream = DeltaStream(itertools.count(1))
    stream.offer(OLD)
    for request in (ask(ROUTES, "http"), ask(LISTENER), ask(ENDPOINTS, "old"), ask(CLUSTER)):
        stream.receive(request)

    assert converse(stream) == ["CDS +old", "EDS +old", "LDS +0.0.0.0_8080", "RDS +http"]


def test_a_route_moves_when_its_new_cluster_is_confirmed_and_then_the_old_one_goes() -> None:
    stream = gateway_at(OLD)
    stream.offer(NEW)

    added = heard(stream)
    assert said(added) == "CDS +new"
    assert heard(stream) is None

    stream.receive(ask(ENDPOINTS, "new"))
    endpoints = heard(stream)
    assert said(endpoints) == "EDS +new"
    assert added is not None
    stream.receive(answer(added))
    routes = heard(stream)
    assert said(routes) == "RDS +http"
    assert not stream.is_holding
    assert heard(stream) is None  # the old cluster may still be in use

    assert routes is not None
    stream.receive(answer(routes))
    assert said(heard(stream)) == "CDS -old"


def test_routes_do_not_wait_for_ever_for_a_cold_cluster() -> None:
    stream = gateway_at(OLD)
    stream.offer(NEW)
    assert said(heard(stream)) == "CDS +new"
    assert heard(stream) is None
    was_holding = stream.is_holding

    stream.stop_holding()

    assert said(heard(stream)) == "RDS +http"
    assert (was_holding, stream.is_holding) == (True, False)


def test_patience_comes_back_with_the_next_snapshot() -> None:
    stream = gateway_at(OLD)
    stream.stop_holding()
    stream.offer(NEW)
    assert said(heard(stream)) == "CDS +new"

    assert heard(stream) is None


def test_while_a_route_table_is_refused_the_clusters_of_the_last_good_one_stay() -> None:
    stream = gateway_at(OLD)
    stream.offer(NEW)
    added = heard(stream)
    assert added is not None
    stream.receive(answer(added))
    routes = heard(stream)
    assert said(routes) == "RDS +http"
    assert routes is not None
    stream.receive(answer(routes, "bad route"))

    assert heard(stream) is None

    repaired = world(
        CDS=NEW.of(CLUSTER.url), EDS=NEW.of(ENDPOINTS.url), LDS=LISTENERS, RDS={"http": entry(b"repaired")}
    )
    stream.offer(repaired)

    # The client never let go of the endpoints of the old cluster: it has gone, so they are none.
    assert converse(stream) == ["RDS +http", "CDS -old", "EDS +old"]


def test_listeners_are_tried_again_when_a_refused_extension_is_mended() -> None:
    """Envoy makes new listeners of the extension that it refused: it is not their fault."""
    good, bad = {"policies": entry(b"good")}, {"policies": entry(b"bad")}
    stream = DeltaStream(itertools.count(1))
    stream.offer(world(ECDS=good, LDS=LISTENERS))
    for request in (ask(LISTENER), ask(EXTENSION_CONFIG, "policies")):
        stream.receive(request)
    assert converse(stream) == ["ECDS +policies", "LDS +0.0.0.0_8080"]
    more = {**LISTENERS, "0.0.0.0_8081": entry(b"another")}
    stream.offer(world(ECDS=bad, LDS=more))
    while (response := heard(stream)) is not None:
        stream.receive(answer(response, "script load error"))

    stream.offer(world(ECDS=good, LDS=more))

    assert converse(stream) == ["ECDS +policies", "LDS +0.0.0.0_8081"]


def test_a_refused_cluster_does_not_hold_up_the_routes() -> None:
    stream = gateway_at(OLD)
    stream.offer(NEW)
    added = heard(stream)
    assert added is not None
    stream.receive(answer(added, "bad cluster"))

    assert said(heard(stream)) == "RDS +http"


def test_endpoints_follow_a_changed_cluster_though_they_did_not_change() -> None:
    stream = gateway_at(OLD)
    stream.offer(
        world(CDS={"old": cluster("old", seconds=5)}, EDS=OLD.of(ENDPOINTS.url), LDS=LISTENERS, RDS=ROUTE_1)
    )

    assert converse(stream) == ["CDS +old", "EDS +old"]


def test_endpoints_follow_a_changed_cluster_also_for_a_client_that_asks_for_them_later() -> None:
    """A client that comes back asks for clusters first and then says that it still has the endpoints."""
    stream = DeltaStream(itertools.count(1))
    stream.offer(world(CDS={"old": cluster("old", seconds=5)}, EDS=OLD.of(ENDPOINTS.url)))
    clusters = ask(CLUSTER)
    clusters.initial_resource_versions["old"] = "another"
    stream.receive(clusters)
    assert said(heard(stream)) == "CDS +old"
    endpoints = ask(ENDPOINTS, "old")
    endpoints.initial_resource_versions["old"] = OLD.of(ENDPOINTS.url)["old"].version
    stream.receive(endpoints)

    assert said(heard(stream)) == "EDS +old"


def test_endpoints_are_asked_for_by_the_service_name_of_their_cluster() -> None:
    message = pb.Cluster(name="outbound|80||shop")
    assert endpoints_name(entry(message.SerializeToString())) == "outbound|80||shop"

    message.eds_cluster_config.service_name = "shop"
    assert endpoints_name(entry(message.SerializeToString())) == "shop"


def test_a_client_that_comes_back_keeps_its_clusters_until_its_routes_are_known() -> None:
    stream = DeltaStream(itertools.count(1))
    stream.offer(NEW)
    clusters = ask(CLUSTER)
    clusters.initial_resource_versions["old"] = OLD.of(CLUSTER.url)["old"].version
    stream.receive(clusters)

    assert converse(stream) == ["CDS +new"]
    stream.receive(ask(LISTENER))
    assert converse(stream) == ["LDS +0.0.0.0_8080"]
    stream.receive(ask(ROUTES, "http"))
    assert converse(stream) == ["RDS +http", "CDS -old"]


# Whatever the interleaving of snapshots, subscriptions, responses, answers and cut connections.

NAMES = ("a", "b", "c")
WILDCARD = (CLUSTER, LISTENER)
BY_NAME = (ENDPOINTS, SECRET, EXTENSION_CONFIG, ROUTES)
BAD = "bad"  # the client refuses it, and takes its neighbours
BROKEN = "broken"  # the client refuses all of a response that has it


def content(name: str, kind: str) -> Entry:
    """A resource of any type: every one of them has its name in the first field."""
    return entry(pb.Cluster(name=name, alt_stat_name=kind).SerializeToString())


def read(body: bytes) -> tuple[str, str]:
    message = pb.Cluster.FromString(body)
    return message.name, message.alt_stat_name


@dataclass
class Client:
    """An Envoy as a session sees it. It answers in order, when `answer` lets it."""

    stream: DeltaStream | SotwStream
    holds: dict[str, dict[str, str]] = field(default_factory=dict)
    said: dict[str, dict[str, str]] = field(default_factory=dict)  # versions it would name when it comes back
    version_info: dict[str, str] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=dict)
    answers: list[tuple[str, str, str]] = field(default_factory=list)  # type URL, nonce, error
    has_doubts: bool = False  # it took a part of something that it refused

    def start(self, stream: DeltaStream | SotwStream) -> None:
        """Open a stream: say what is wanted and what is there."""
        self.stream = stream
        self.answers.clear()
        self.names.setdefault(ROUTES.url, set()).add("a")
        for kind in (*WILDCARD, *BY_NAME):
            names = self.names.setdefault(kind.url, set())
            self.holds.setdefault(kind.url, {})
            self.said.setdefault(kind.url, {})
            if kind.wildcard or names:
                self._request(kind.url, names)

    def subscribe(self, kind: ResourceType, name: str) -> None:
        if name not in self.names[kind.url]:
            self.names[kind.url].add(name)
            self._request(kind.url, {name})

    def unsubscribe(self, kind: ResourceType, name: str) -> None:
        if name in self.names[kind.url] and (kind, name) != (ROUTES, "a"):
            self.names[kind.url].remove(name)
            self.holds[kind.url].pop(name, None)
            self.said[kind.url].pop(name, None)
            self._request(kind.url, set(), left={name})

    def _request(
        self, url: str, added: set[str], left: Iterable[str] = (), nonce: str = "", error: str = ""
    ) -> None:
        status = pb.Status(code=13, message=error) if error else None
        if isinstance(self.stream, DeltaStream):
            self.stream.receive(
                pb.DeltaDiscoveryRequest(
                    type_url=url,
                    resource_names_subscribe=sorted(added),
                    resource_names_unsubscribe=left,
                    initial_resource_versions=self.said[url],
                    response_nonce=nonce,
                    error_detail=status,
                )
            )
        else:
            self.stream.receive(
                pb.DiscoveryRequest(
                    type_url=url,
                    resource_names=sorted(self.names[url]),
                    version_info=self.version_info.get(url, ""),
                    response_nonce=nonce,
                    error_detail=status,
                )
            )

    def take(self) -> bool:
        """Read one response, if there is one."""
        response = heard(self.stream)
        if response is None:
            return False
        url = response.type_url
        if isinstance(response, pb.DeltaDiscoveryResponse):
            new = dict(read(each.resource.value) for each in response.resources)
            gone = set(response.removed_resources)
        else:
            new = dict(read(each.value) for each in response.resources)
            gone = self.holds[url].keys() - new.keys() if resource_type(url).wildcard else set()
        refused = {name for name, kind in new.items() if kind in (BAD, BROKEN)}
        if BROKEN not in new.values():
            self._apply(url, {n: kind for n, kind in new.items() if n not in refused}, gone)
        if refused:
            self.has_doubts = True
        elif isinstance(response, pb.DeltaDiscoveryResponse):
            self.said[url] |= {each.name: each.version for each in response.resources}
            self.said[url] = {n: v for n, v in self.said[url].items() if n not in gone}
        else:
            self.version_info[url] = response.version_info
        self.answers.append((url, response.nonce, f"refused: {sorted(refused)}" if refused else ""))
        return True

    def _apply(self, url: str, new: Mapping[str, str], gone: set[str]) -> None:
        wanted = new if resource_type(url).wildcard else {n: new[n] for n in new if n in self.names[url]}
        self.holds[url] = {n: kind for n, kind in self.holds[url].items() if n not in gone} | dict(wanted)

    def answer(self) -> bool:
        """Send the oldest answer, if one waits."""
        if not self.answers:
            return False
        url, nonce, error = self.answers.pop(0)
        self._request(url, set(), nonce=nonce, error=error)
        return True

    def settle(self) -> None:
        """Talk until nobody has anything to say."""
        for _ in range(500):
            if not (self.take() or self.answer()):
                return
        raise AssertionError("the conversation does not end")


worlds = st.builds(
    lambda types: Snapshot(types=types),
    st.fixed_dictionaries(
        {
            kind.url: st.dictionaries(
                st.sampled_from(NAMES),
                st.sampled_from(("1", "2", "3", BAD, BROKEN)),
            ).map(lambda named: PersistentMap((name, content(name, kind)) for name, kind in named.items()))
            for kind in (*WILDCARD, *BY_NAME)
        }
    ),
)
by_name = st.tuples(st.sampled_from(BY_NAME), st.sampled_from(NAMES))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), worlds),
        st.tuples(st.just("subscribe"), by_name),
        st.tuples(st.just("unsubscribe"), by_name),
        st.tuples(st.sampled_from(("take", "answer", "come back", "stop holding")), st.none()),
    ),
    max_size=30,
)


def play(script: list[tuple[str, Any]], last: Snapshot, protocol: type[DeltaStream | SotwStream]) -> Client:
    client = Client(protocol(itertools.count(1)))
    client.start(client.stream)
    current: Snapshot | None = None
    for step, argument in [*script, ("publish", last)]:
        match step:
            case "publish":
                current = argument
                client.stream.offer(argument)
            case "subscribe":
                client.subscribe(*argument)
            case "unsubscribe":
                client.unsubscribe(*argument)
            case "take":
                client.take()
            case "answer":
                client.answer()
            case "stop holding":
                client.stream.stop_holding()
            case "come back" if not client.has_doubts:
                # What it took out of a refused response it does not name when it comes back.
                client.start(protocol(itertools.count(1)))
                if current:
                    client.stream.offer(current)
    client.settle()
    return client


def check(client: Client, last: Snapshot) -> None:
    status = client.stream.status()
    rejected = {url for url, _ in status.rejections}
    for kind in (*WILDCARD, *BY_NAME):
        wanted = {name: read(held.body)[1] for name, held in last.of(kind.url).items()}
        holds = client.holds[kind.url]
        for name in NAMES if kind.wildcard else client.names[kind.url]:
            match wanted.get(name):
                case "bad" | "broken":
                    assert (kind.url, name) in status.rejections
                    assert holds.get(name) not in (BAD, BROKEN)
                case None if kind is LISTENER or (kind is CLUSTER and not rejected):
                    assert name not in holds
                case None:
                    pass  # it may keep what it had
                case good:
                    assert holds.get(name) == good, (kind.short, name)
                    assert status.of(kind.url) is not None


@pytest.mark.parametrize("protocol", [DeltaStream, SotwStream])
@settings(deadline=None, max_examples=150)
@given(script=steps, last=worlds)
def test_every_client_converges_whatever_the_interleaving(
    protocol: type[DeltaStream | SotwStream], script: list[tuple[str, Any]], last: Snapshot
) -> None:
    client = play(script, last, protocol)

    check(client, last)


@pytest.mark.parametrize("protocol", [DeltaStream, SotwStream])
def test_a_client_that_comes_back_to_what_it_has_is_sent_nothing(
    protocol: type[DeltaStream | SotwStream],
) -> None:
    everything = PersistentMap((name, content(name, "1")) for name in NAMES)
    snapshot = Snapshot(types={kind.url: everything for kind in (*WILDCARD, *BY_NAME)})
    subscriptions = [("subscribe", (kind, name)) for kind in BY_NAME for name in NAMES]
    client = play(subscriptions, snapshot, protocol)

    client.start(protocol(itertools.count(1)))
    client.stream.offer(snapshot)

    assert heard(client.stream) is None
    assert {each.state for each in client.stream.status().types} == {SyncState.SYNCED}
