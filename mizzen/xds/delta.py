"""Incremental (delta) xDS: each response carries what changed and names what is gone.

Source: the xDS protocol's "incremental xDS" variant, as Envoy's client speaks it with DELTA_GRPC.
"""

from mizzen._api import pb
from mizzen.xds.resource_type import ResourceType, resource_type
from mizzen.xds.session import TypeSession, Update
from mizzen.xds.stream import Stream, error_text

_EVERYTHING = "*"


class DeltaSession(TypeSession):
    """One type on one delta stream."""

    def __init__(self, kind: ResourceType) -> None:
        super().__init__(kind)
        self._started = False

    def receive(self, request: pb.DeltaDiscoveryRequest) -> None:
        """Take in a request: a judgement on a response, a change of what is asked for, or both."""
        wanted = set(request.resource_names_subscribe)
        left = set(request.resource_names_unsubscribe)
        if request.response_nonce:
            self.judge(request.response_nonce, error_text(request))
        if not self._started:
            self._started = True
            # No names in the first request is the old way of asking for everything.
            self.wildcard = self.kind.wildcard and not wanted
            self.resume(request.initial_resource_versions)
        else:  # who subscribes again may have forgotten what it had
            self.forget(wanted - {_EVERYTHING})
        self.wildcard = (self.wildcard or _EVERYTHING in wanted) and _EVERYTHING not in left
        if wanted:
            self.subscribe(wanted - {_EVERYTHING})
        if left:
            self.unsubscribe(left - {_EVERYTHING})


class DeltaStream(Stream[DeltaSession]):
    """One client on one delta ADS stream: `offer` and `receive` put in, `next_response` takes out."""

    def receive(self, request: pb.DeltaDiscoveryRequest) -> None:
        """Take in one request."""
        url = request.type_url
        if url not in self._sessions:
            self._sessions[url] = DeltaSession(resource_type(url))
        self._sessions[url].receive(request)

    def next_response(self) -> pb.DeltaDiscoveryResponse | None:
        """What is to be sent now; None if the client is up to date or has to answer first."""
        sending = self._next()
        return _response(*sending) if sending else None


def _response(session: DeltaSession, update: Update, nonce: str) -> pb.DeltaDiscoveryResponse:
    out = pb.DeltaDiscoveryResponse(type_url=session.kind.url, nonce=nonce)
    for name, held in update.changed.items():
        resource = out.resources.add(name=name, version=held.version)
        resource.resource.type_url = session.kind.url
        resource.resource.value = held.body
    out.removed_resources.extend(sorted(update.removed))
    return out
