"""HTTP3Policy (mizzen.dev/v1alpha1): what is chosen about HTTP/3, for a mesh, a gateway, a server or a host.

Each field of `spec` but `selector`, `targetRefs` and `hosts`, which say what it is for, is chosen as a whole: the policy
that is the most specific of those that say the field counts (`mizzen.resolve.http3_policies`).
"""

from dataclasses import field
from typing import Annotated, Literal, get_args

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Element, Resource
from mizzen.resources.istio.security import WorkloadSelector
from mizzen.resources.mizzen.announcement import AnnouncementSettings
from mizzen.resources.mizzen.connection_ids import ConnectionIdSettings
from mizzen.resources.mizzen.dns import DnsSettings
from mizzen.resources.mizzen.shedding import SheddingSettings
from mizzen.resources.mizzen.transport import TransportSettings

HTTP3Mode = Literal["on", "off", "only"]
MODES: tuple[HTTP3Mode, ...] = get_args(HTTP3Mode)
ANNOTATION = "mizzen.dev/http3"  # of a Gateway: the short form of `mode`
# What says for what a policy is; all other fields of `spec` are what it chooses.
SUBJECT = frozenset({"at", "selector", "target_refs", "hosts"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayReference(Element):
    """A Gateway of the policy's namespace, or one server of it."""

    group: str = "networking.istio.io"
    kind: str = "Gateway"
    name: str
    section_name: Annotated[str, "the name of a server, or of its port; none: all servers"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTP3PolicySpec(Element):
    selector: Annotated[
        WorkloadSelector | None, "labels of gateways; none: those of the namespace, in the root namespace all"
    ] = None
    target_refs: Annotated[tuple[GatewayReference, ...], "instead of a selector: Gateways or servers"] = ()
    hosts: Annotated[tuple[str, ...], "with targetRefs: only these hosts, as the servers name them"] = ()
    mode: Annotated[
        HTTP3Mode | None, "whether there is HTTP/3; only: and no TCP. In quotes: on and off are booleans"
    ] = None
    announcement: Annotated[
        AnnouncementSettings | None, "how clients come to know of it; not for single hosts"
    ] = None
    early_data: Annotated[
        bool | None, "whether safe requests are taken as TLS early data (0-RTT); not for single hosts"
    ] = None
    dns: Annotated[DnsSettings | None, "HTTPS records of the hosts; not for single hosts"] = None
    transport: Annotated[TransportSettings | None, "how QUIC listeners carry it; not for targetRefs"] = None
    connection_ids: Annotated[
        ConnectionIdSettings | None, "connection ids that a balancer can read; not for targetRefs"
    ] = None
    shedding: Annotated[
        SheddingSettings | None, "when it is given up for want of CPU; not for targetRefs. None: never"
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTP3Policy(Resource):
    spec: HTTP3PolicySpec = field(default_factory=HTTP3PolicySpec)
