"""Incremental (delta) xDS: each response carries what changed and names what is gone.

Source: the xDS protocol's "incremental xDS" variant, as Envoy's client speaks it with DELTA_GRPC.
"""

from mizzen._api import pb
from mizzen.persistent import PersistentMap
from mizzen.xds.resource_type import ResourceType
from mizzen.xds.session import TypeSession
from mizzen.xds.shared import Shared
from mizzen.xds.snapshot import Entry
from mizzen.xds.state import State
from mizzen.xds.stream import Stream, error_text
from mizzen.xds.update import Update

_EVERYTHING = "*"


class DeltaSession(TypeSession):
    """One type on one delta stream."""

    def __init__(self, kind: ResourceType, available: PersistentMap[str, Entry], shared: Shared) -> None:
        super().__init__(shared.start(State(kind=kind, available=available)), shared)
        self._started = False

    def receive(self, request: pb.DeltaDiscoveryRequest) -> None:
        """Take in a request: a judgement on a response, a change of what is asked for, or both."""
        if request.response_nonce:
            self.judge(request.response_nonce, error_text(request))
        wanted = frozenset(request.resource_names_subscribe)
        left = frozenset(request.resource_names_unsubscribe)
        wildcard = self.state.wildcard
        if not self._started:
            self._started = True
            # No names in the first request is the old way of asking for everything.
            wildcard = self.kind.wildcard and not wanted
            self.resume(request.initial_resource_versions)
        else:  # who subscribes again may have forgotten what it had
            self.forget(wanted - {_EVERYTHING})
        self.ask_for_everything((wildcard or _EVERYTHING in wanted) and _EVERYTHING not in left)
        self.subscribe(wanted - {_EVERYTHING})
        self.unsubscribe(left - {_EVERYTHING})


class DeltaStream(Stream[DeltaSession, pb.DeltaDiscoveryRequest]):
    """One client on one delta ADS stream: `offer` and `receive` put in, `next_response` takes out."""

    def _session(self, kind: ResourceType, available: PersistentMap[str, Entry]) -> DeltaSession:
        return DeltaSession(kind, available, self._shared)

    def _body(self, session: DeltaSession, update: Update) -> bytes:
        return self._shared.response(update, lambda: _serialised(session.kind, update))


def _serialised(kind: ResourceType, update: Update) -> bytes:
    out = pb.DeltaDiscoveryResponse(type_url=kind.url)
    for name, held in update.changed.items():
        resource = out.resources.add(name=name, version=held.version)
        resource.resource.type_url = kind.url
        resource.resource.value = held.body
    out.removed_resources.extend(sorted(update.removed))
    return out.SerializeToString()
