"""What a client reads of a stream."""

from typing import overload

from mizzen._api import pb
from mizzen.xds.delta import DeltaStream
from mizzen.xds.sotw import SotwStream


@overload
def heard(stream: DeltaStream) -> pb.DeltaDiscoveryResponse | None: ...


@overload
def heard(stream: SotwStream) -> pb.DiscoveryResponse | None: ...


@overload
def heard(stream: DeltaStream | SotwStream) -> pb.DeltaDiscoveryResponse | pb.DiscoveryResponse | None: ...


def heard(stream: DeltaStream | SotwStream) -> pb.DeltaDiscoveryResponse | pb.DiscoveryResponse | None:
    """The next response, read from its bytes; None if there is none."""
    response = stream.next_response()
    if response is None:
        return None
    kind = pb.DeltaDiscoveryResponse if isinstance(stream, DeltaStream) else pb.DiscoveryResponse
    message = kind.FromString(response.body)
    assert (message.type_url, message.nonce) == (response.type_url, response.nonce)
    return message
