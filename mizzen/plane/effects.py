"""What follows from a step of the state: values, which the loop obeys."""

from collections.abc import Mapping

from mizzen.http3.server import Server
from mizzen.lazy import dataclass
from mizzen.pipeline import Announced
from mizzen.plane.proof_schedule import Prove
from mizzen.plane.served_gateway import Gateway
from mizzen.plane.watching import Measure, Watch
from mizzen.serve.ads import ClientStatus
from mizzen.xds.snapshot import Snapshot

ServerKey = tuple[str, str]  # the gateway as clients know it, the name of the announcement
Promises = Mapping[ServerKey, Server]


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """From now on this Envoy shall hold that."""

    name: str  # what it calls itself
    snapshot: Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpublish:
    """Nothing is kept any more for an Envoy of this name. One that is still connected goes on with what it has."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Translate:
    """Make anew what a gateway is told, from the same build; tell `State.on_translated`."""

    gateway: Gateway
    values: Announced  # what its answers shall say of HTTP/3
    debt: int = 0  # what is settled by it: what is owed later is not


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Write these promises down; tell `State.on_kept` whether that went well."""

    promises: Promises


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """What is wrong may be other than it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild:
    """What a build is made of is another, though no object has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An Envoy has refused a resource that came alone."""

    gateway: str  # key of the proxy
    envoy: str  # what it calls itself
    type_url: str
    name: str
    version: str
    reason: str


Effect = Publish | Unpublish | Translate | Prove | Watch | Measure | Keep | Tell | Rebuild | Refused


def refused_since(key: str, before: ClientStatus | None, client: ClientStatus) -> list[Effect]:
    """What an Envoy has refused since it was heard last."""
    found: list[Effect] = []
    for status in client.stream.types:
        old = before.stream.of(status.type_url) if before is not None else None
        for name, rejection in status.rejections.items():
            known = old.rejections.get(name) if old is not None else None
            if known is None or known.version != rejection.version:
                found.append(
                    Refused(
                        gateway=key,
                        envoy=client.gateway,
                        type_url=status.type_url,
                        name=name,
                        version=rejection.version,
                        reason=rejection.reason,
                    )
                )
    return found
