"""HTTP3Policy `connectionIds`: connection ids of QUIC that a load balancer can read (draft-ietf-quic-load-balancers)."""

from typing import Annotated

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Element, Range

MOST_BYTES = 18  # of server id and nonce together: what Envoy takes


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionIdSettings(Element):
    """A client that changes its address in mid-connection then comes to the same Pod. The balancer has the same settings."""

    encryption_secret: Annotated[
        str,
        "a Secret of the policy's namespace: encryption_key (16 bytes), configuration_version (0 to 6; which key it is)",
    ]
    server_id_length: Annotated[
        int | None, Range(1, 14), "bytes of the id of each Envoy. None: 4, the IPv4 address of its Pod"
    ] = None
    nonce_length: Annotated[
        int | None, Range(4, 16), "bytes that make each connection id another; with the id up to 18. None: 12"
    ] = None
