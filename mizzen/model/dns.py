"""What DNS may say of an HTTPS server (RFC 9460), and where mizzen itself keeps that."""

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta

from mizzen.errors import ResourceRef
from mizzen.lazy import dataclass

# A withdrawal waits until the last resolver has forgotten the records: the shorter, the sooner `clear` is said.
DEFAULT_TTL = timedelta(seconds=60)
# Until a record that is to go is gone: the leader hears of it, the primary is told, its secondaries hear of it.
_REMOVING = timedelta(seconds=5)
_EXTERNAL_DNS = timedelta(seconds=60)  # how often external-dns looks at its objects (--interval)


@dataclass(frozen=True, slots=True, kw_only=True)
class TsigKey:
    """The key that updates are signed with (RFC 8945)."""

    name: str
    algorithm: str  # "hmac-sha256"
    secret: str = field(repr=False)  # base64


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Where mizzen writes the records of a server: into a zone by RFC 2136, or into DNSEndpoint objects."""

    policy: ResourceRef  # the object that says so
    owner: str  # what is written beside each record, so that only own records are touched
    server: str = ""  # IP address or name of the zone's primary; "": external-dns does it
    port: int = 53
    zone: str = ""  # absolute: "example.com."
    key: TsigKey | None = None  # None: updates are not signed
    secret: str = ""  # "NAMESPACE/NAME" of the Secret that holds the key

    @property
    def is_external_dns(self) -> bool:
        """Does external-dns write into DNS, from objects that mizzen makes?"""
        return not self.server


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What DNS may say of one HTTPS server: how its hosts are reached (RFC 9460: a service binding)."""

    hosts: tuple[str, ...]  # in lower case, sorted: exact, "*.example.com" or "*"
    off: Mapping[str, str] = field(
        default_factory=dict
    )  # those that have no HTTP/3 though others have, and why
    port: int  # that clients dial
    alpn: tuple[str, ...]  # what the server speaks, HTTP/3 first
    has_default: bool = True  # HTTP/1.1 over TCP is spoken too (RFC 9460, section 7.1.2)
    target: str = "."  # TargetName: where the addresses are found; ".": at the host itself
    addresses: tuple[str, ...] = ()  # that are known; () where none is
    unknown: str = ""  # why no address is known
    ttl: timedelta = DEFAULT_TTL
    keeper: Keeper | None = None  # None: mizzen prints the records, and keeps them nowhere

    @property
    def listed_for(self) -> timedelta | None:
        """For how long a record that mizzen keeps may be believed in after it is to go; None: it keeps none."""
        if self.keeper is None:
            return None
        return self.ttl + _REMOVING + (_EXTERNAL_DNS if self.keeper.is_external_dns else timedelta(0))
