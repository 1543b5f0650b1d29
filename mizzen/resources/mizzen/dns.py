"""HTTP3Policy `dns`: what the HTTPS records (RFC 9460) of a Gateway's hosts say, and where mizzen keeps them."""

from typing import Annotated

from mizzen.lazy import dataclass
from mizzen.resources.declaring.declare import Duration, Element


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsSettings(Element):
    """Records are kept where `server` and `zone`, or `externalDns`, say so; without, `mizzen dns` prints them."""

    server: Annotated[
        str, "the primary of the zone, which takes updates (RFC 2136): ADDRESS or ADDRESS:PORT"
    ] = ""
    zone: Annotated[str, "the zone that is updated: example.com."] = ""
    tsig_secret: Annotated[
        str,
        "a Secret of the policy's namespace with name, algorithm and secret of the key that updates are signed with",
    ] = ""
    external_dns: Annotated[bool | None, "in a cluster: objects for external-dns instead"] = None
    ttl: Annotated[Duration | None, "of the records; as long a planned withdrawal waits. None: 60s"] = None
    addresses: Annotated[tuple[str, ...], "address hints; none: those of the gateway's Service"] = ()
    target_name: Annotated[str, "TargetName: where the addresses are found. None: at the host itself"] = ""
    owner: Annotated[str, "who registers the records as his. None: namespace and tsigSecret"] = ""
