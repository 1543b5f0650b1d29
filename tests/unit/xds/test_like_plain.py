"""Sessions that work by difference, and share what they work out, say and tell what the plainest ones do."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
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
    SCOPED_ROUTES,
    SECRET,
    ResourceType,
)
from mizzen.xds.shared import Shared
from mizzen.xds.snapshot import NOTHING, Entry, Snapshot, entry
from mizzen.xds.sotw import SotwStream
from mizzen.xds.status import StreamStatus
from tests.unit.xds.heard import heard
from tests.unit.xds.plain import PlainDeltaStream, PlainSotwStream

KINDS = (CLUSTER, ENDPOINTS, SECRET, EXTENSION_CONFIG, LISTENER, SCOPED_ROUTES, ROUTES)
COLLECTIONS = ("xdstp:///scopes/one/*", "xdstp:///scopes/other/*")
NAMES = ("a", "b", "c", "xdstp:///scopes/one/d", "xdstp:///scopes/one/e", "xdstp:///scopes/other/f")


def content(name: str, kind: int) -> Entry:
    """A resource of any type: every one of them has its name in the first field."""
    return entry(pb.Cluster(name=name, alt_stat_name=str(kind)).SerializeToString(deterministic=True))


CONTENTS = {(name, kind): content(name, kind) for name in NAMES for kind in range(3)}
kinds = st.sampled_from(KINDS)
some_names = st.frozensets(st.sampled_from((*NAMES, *COLLECTIONS)), max_size=3)
named = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 2))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("offer"), kinds, named),
        st.tuples(st.just("ask"), kinds, some_names, some_names, st.sampled_from(("", "", "+", "-"))),
        st.tuples(st.just("answer"), st.integers(0, 3), st.sampled_from(("", "", "no", "never"))),
        st.tuples(st.just("take"), st.integers(1, 4)),
        st.tuples(st.sampled_from(("settle", "settle", "stop holding", "try again", "come back", "forget"))),
    ),
    max_size=40,
)


def said(response: pb.DeltaDiscoveryResponse | pb.DiscoveryResponse | None) -> object:
    if response is None:
        return None
    if isinstance(response, pb.DeltaDiscoveryResponse):
        return response
    told = sorted(each.SerializeToString() for each in response.resources)
    return response.type_url, response.nonce, response.version_info, told


def told(status: StreamStatus) -> object:
    return [
        (
            *(each.type_url, each.state, each.sent, each.unanswered, set(each.subscribed), each.wildcard),
            *(dict(each.acked), each.waiting, dict(each.rejections), each.last_error),
        )
        for each in status.types
    ]


@dataclass
class Conversation:
    """The same requests, put to streams of every make; all must say and tell the same."""

    make: Callable[[], tuple[Any, ...]]
    is_delta: bool
    types: dict[str, PersistentMap[str, Entry]] = field(default_factory=dict)
    is_offered: bool = False

    def __post_init__(self) -> None:
        self.streams = self.make()
        self.waiting: list[tuple[str, str]] = []  # answers owed: type URL, nonce
        self.names: dict[str, frozenset[str]] = {}
        self.versions: dict[str, str] = {}

    def take(self) -> bool:
        plain, *streams = self.streams
        response = plain.next_response()
        for stream in streams:
            assert said(heard(stream)) == said(response)
        if response is not None:
            self.waiting.append((response.type_url, response.nonce))
            if not self.is_delta:
                self.versions[response.type_url] = response.version_info
        self.check()
        return response is not None

    def check(self) -> None:
        plain, *streams = self.streams
        for stream in streams:
            assert told(stream.status()) == told(plain.status())
            assert stream.is_holding == plain.is_holding
            for each in stream.status().types:  # as it is worked out of an older status
                other = self.types.get(each.type_url, NOTHING)
                assert replace(each, available=None).unconfirmed(other) == each.waiting or not self.is_offered

    def all(self, do: Callable[[Any], object]) -> None:
        answers = [do(stream) for stream in self.streams]
        assert all(answer == answers[0] for answer in answers)
        self.check()

    def offer(self, kind: ResourceType, contents: dict[str, int]) -> None:
        new = PersistentMap((name, CONTENTS[name, content]) for name, content in contents.items())
        old = self.types.get(kind.url, PersistentMap())
        step = new.difference(old)
        self.types[kind.url] = old.updated(step.changed, step.removed)
        self.is_offered = True
        snapshot = Snapshot(types=dict(self.types))
        self.all(lambda stream: stream.offer(snapshot))

    def ask(self, kind: ResourceType, added: frozenset[str], left: frozenset[str], star: str) -> None:
        is_first = kind.url not in self.names
        if not is_first:
            left = left - added
        if not self.is_delta:  # there are no collections
            added, left = added - set(COLLECTIONS), left - set(COLLECTIONS)
        request = self._delta if self.is_delta else self._sotw
        self.all(lambda stream: stream.receive(request(kind.url, added, left, star, is_first)))
        held = self.names.get(kind.url, frozenset())
        self.names[kind.url] = (held | added) - left

    def _delta(
        self, url: str, added: frozenset[str], left: frozenset[str], star: str, is_first: bool
    ) -> pb.DeltaDiscoveryRequest:
        versions = {}
        if is_first:  # what is subscribed to and held, at an old version or at that of now
            versions = {name: CONTENTS[name, len(left) % 3].version for name in left if name in NAMES}
            left = frozenset()
        return pb.DeltaDiscoveryRequest(
            type_url=url,
            resource_names_subscribe=sorted(added | ({"*"} if star == "+" else set())),
            resource_names_unsubscribe=sorted(left | ({"*"} if star == "-" else set())),
            initial_resource_versions=versions,
        )

    def _sotw(
        self, url: str, added: frozenset[str], left: frozenset[str], star: str, is_first: bool
    ) -> pb.DiscoveryRequest:
        names = (self.names.get(url, frozenset()) | added) - left
        return pb.DiscoveryRequest(
            type_url=url,
            resource_names=sorted(names | ({"*"} if star == "+" else set())),
            version_info=self.versions.get(url, "") if is_first else "",
        )

    def answer(self, index: int, error: str) -> bool:
        if not self.waiting:
            return False
        url, nonce = self.waiting.pop(index % len(self.waiting))
        status = pb.Status(code=13, message=error) if error else None
        request: pb.DeltaDiscoveryRequest | pb.DiscoveryRequest
        if self.is_delta:
            request = pb.DeltaDiscoveryRequest(type_url=url, response_nonce=nonce, error_detail=status)
        else:
            request = pb.DiscoveryRequest(
                type_url=url,
                response_nonce=nonce,
                error_detail=status,
                resource_names=sorted(self.names.get(url, ())),
            )
        self.all(lambda stream: stream.receive(request))
        return True

    def settle(self) -> None:
        for _ in range(100):
            if not (self.take() or self.answer(0, "")):
                return

    def come_back(self) -> None:
        names = self.names
        self.__post_init__()
        if self.is_offered:
            self.all(lambda stream: stream.offer(Snapshot(types=dict(self.types))))
        for kind in KINDS:
            if kind.url in names:
                self.ask(kind, names[kind.url], frozenset(), "")

    def play(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("offer", kind, contents):
                self.offer(kind, contents)
            case ("ask", kind, added, left, star):
                self.ask(kind, added, left, star)
            case ("answer", index, error):
                self.answer(index, error)
            case ("take", times):
                for _ in range(times):
                    self.take()
            case ("settle",):
                self.settle()
            case ("stop holding",):
                self.all(lambda stream: stream.stop_holding())
            case ("try again",):
                for kind in KINDS:
                    self.all(lambda stream, url=kind.url: stream.try_again(url, lambda why: why == "no"))
            case ("come back",):
                self.come_back()
            case ("forget",):
                self.streams[1]._shared.forget()


def three(shared: Shared, plain: type, real: type) -> Callable[[], tuple[Any, ...]]:
    """One in the plainest form, and two that share what they work out."""
    return lambda: (
        plain(itertools.count(1)),
        *(real(itertools.count(1), shared) for _ in range(2)),
    )


@pytest.mark.parametrize("is_delta", [True, False])
@settings(deadline=None, max_examples=300)
@given(script=steps)
def test_what_is_sent_and_told_is_what_the_plainest_sessions_send_and_tell(
    is_delta: bool, script: list[tuple[Any, ...]]
) -> None:
    makes = (PlainDeltaStream, DeltaStream) if is_delta else (PlainSotwStream, SotwStream)
    conversation = Conversation(three(Shared(), *makes), is_delta)
    for step in script:
        conversation.play(step)
    conversation.settle()
