"""The control plane on the network: who joins, who is served, and as whom."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

from mizzen._api import pb
from mizzen.authority.identity import Identity
from mizzen.authority.issue import Policy
from mizzen.authority.store import TokenStore
from mizzen.lazy import dataclass
from mizzen.node.file_descriptors import raise_limit, shares
from mizzen.plane.mesh_authority import Mesh
from mizzen.serve.ads import Admission, Network
from mizzen.serve.certificates import Accounts, CertificateService
from mizzen.serve.credentials import client_identity

PILOT_NAMESPACE, PILOT_ACCOUNT = "istio-system", "istiod"  # who the control plane is to its proxies
SECURE_PORT, JOIN_PORT, PLAINTEXT_PORT = 15012, 15013, 15010
_LONGEST = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where proxies of other machines come to. "" leaves a port closed."""

    secure: str = f"0.0.0.0:{SECURE_PORT}"
    join: str = f"0.0.0.0:{JOIN_PORT}"
    plaintext: str = ""
    names: tuple[str, ...] = ()  # DNS names and addresses by which they know it

    @property
    def ports(self) -> frozenset[int]:
        """Those that are open."""
        written = (one.rpartition(":")[2] for one in (self.secure, self.join, self.plaintext))
        return frozenset(int(port) for port in written if port.isascii() and port.isdecimal())


def pilot_identity(host: str, trust_domain: str) -> Identity:
    """Who the control plane at a host is: in a cluster (istiod.NAMESPACE.svc) its Service's name tells."""
    parts = host.split(".")
    if len(parts) >= 3 and parts[2] == "svc":
        return Identity(trust_domain=trust_domain, namespace=parts[1], service_account=parts[0])
    return Identity(trust_domain=trust_domain, namespace=PILOT_NAMESPACE, service_account=PILOT_ACCOUNT)


async def network(
    listening: Listening,
    folder: Path,
    mesh: Mesh,
    trust_domain: str,
    admit: Callable[[pb.Node, Identity], Awaitable[Admission]],
    clock: Callable[[], datetime],
    accounts: Accounts | None = None,
) -> Network:
    """What the ADS server needs to serve them; `folder` holds the join tokens. StoreError when the authority cannot be used."""
    most = shares(raise_limit())
    own = pilot_identity(listening.names[0] if listening.names else "", trust_domain)
    tls = await mesh.serve_as(own, listening.names)
    certificates = CertificateService(
        roots=lambda: mesh.roots,
        trust_domain=trust_domain,
        clock=clock,
        tokens=TokenStore(folder),
        accounts=accounts,
        policy=Policy(default=mesh.life, longest=_LONGEST),
    )
    return Network(
        secure=listening.secure,
        join=listening.join,
        plaintext=listening.plaintext,
        tls=tls,
        identify=lambda context: client_identity(
            context, roots=mesh.roots.bundle, trust_domain=trust_domain, now=clock()
        ),
        admit=admit,
        services=(certificates.handler(),),
        most_secure=most.secure,
        most_join=most.join,
        most_plaintext=most.plaintext,
    )
