"""The mesh inside the control plane: its authority, kept on disk, and the certificates of this machine's proxies."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mizzen.authority.identity import Identity, IdentityError, parse
from mizzen.authority.issue import Policy, issue
from mizzen.authority.request import requested_key
from mizzen.authority.root import certificates_pem
from mizzen.authority.rotation import Overlap, Roots, advance, replaced
from mizzen.authority.store import RootStore, StoreError, load_plugged_in
from mizzen.errors import Problem, ResourceRef
from mizzen.model.tls import Certificate, TrustedCa
from mizzen.node.workload_certificates import Granted, Workloads
from mizzen.resources.declaring import values
from mizzen.resources.declaring.findings import Findings
from mizzen.serve.credentials import ServerTls

CATALOGUE = {
    "CA-001": "The authority of the mesh cannot be used; proxies get no certificates of the mesh.",
    "CA-002": "A proxy's namespace or service account is no name that a certificate can carry.",
}

LEAF_LIFE = timedelta(hours=24)  # Istio's DEFAULT_WORKLOAD_CERT_TTL
_MAINTAIN_SECONDS = 600.0
_REOPEN_SECONDS = 5.0
_PLUGGED_IN = "ca-key.pem"

_log = logging.getLogger(__name__)


class Mesh:
    """Vouches for the proxies that this process runs, and changes its root before it ends."""

    def __init__(
        self,
        folder: Path,
        on_renewed: Callable[[str], None],
        *,
        life: timedelta = LEAF_LIFE,
        is_shared: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`folder`: where the root is kept, or Istio's `cacerts` (with ca-key.pem), which somebody else renews.

        `is_shared`: others keep the folder, and rotate what is in it; `reload` follows them.
        `on_renewed` hears the SPIFFE name of each proxy that has a new certificate.
        """
        self.problems: tuple[Problem, ...] = ()
        self._folder, self._life, self._clock = folder, life, clock
        self._is_shared = is_shared
        self._roots: Roots | None = None
        self._wanted: dict[str, Identity] = {}
        self._own: Identity | None = None
        self._own_names: tuple[str, ...] = ()
        self._workloads = Workloads(self._sign, lambda one: on_renewed(one.uri), clock=clock)

    def want(self, names: frozenset[str]) -> None:
        """The SPIFFE names of all proxies there are. The first call opens the authority."""
        problems = []
        self._wanted = {}
        for name in sorted(names):
            try:
                self._wanted[name] = parse(name)
            except IdentityError as error:
                problems.append(_problem("CA-002", f"{name}: {error}", "Use names as Kubernetes takes them."))
        if self._roots is None:
            self._open()
            problems += [one for one in self.problems if one.code == "CA-001"]
        self.problems = tuple(problems)
        self._workloads.want(self._identities() if self._roots else ())

    @property
    def roots(self) -> Roots:
        """What is signed with now. StoreError while the authority is not open."""
        if self._roots is None:
            raise StoreError("the authority is not open")
        return self._roots

    @property
    def life(self) -> timedelta:
        """Of a certificate."""
        return self._life

    async def serve_as(self, identity: Identity, names: tuple[str, ...]) -> Callable[[], ServerTls]:
        """A certificate of our own, for these DNS names and addresses: what is current, at any time."""
        self._own, self._own_names = identity, names
        self.want(frozenset(self._wanted))
        while self._workloads.credentials(identity) is None:
            await self._workloads.once()

        def current() -> ServerTls:
            found = self._workloads.credentials(identity)
            assert found is not None
            certificate, ca = found
            return ServerTls(
                chain=certificate.chain.decode(), key=certificate.key.decode(), client_roots=ca.roots.decode()
            )

        return current

    def credentials(self, name: str) -> tuple[Certificate, TrustedCa] | None:
        """Certificate and roots of the proxy of a SPIFFE name; None before it has any."""
        identity = self._wanted.get(name)
        return self._workloads.credentials(identity) if identity else None

    def restore(self) -> tuple[str, ...]:
        """Store the roots again, if somebody removed them: the name of the folder. OSError when that fails."""
        if self._roots is None or self._is_shared or self._is_plugged_in:
            return ()
        try:
            return (self._folder.name,) if self._store().restore(self._roots) else ()
        except StoreError as error:
            raise OSError(str(error)) from error

    async def run(self) -> None:
        """Until cancelled: issue and renew, and follow what becomes of the root."""
        await asyncio.gather(self._workloads.run(), self._maintain())

    def _identities(self) -> tuple[Identity, ...]:
        own = (self._own,) if self._own else ()
        return (*self._wanted.values(), *own)

    # --- the authority ------------------------------------------------------------------------------

    def _open(self) -> bool:
        """Read the roots, or make the first. False, and a problem, when they cannot be used."""
        now = self._clock()
        domain = next((one.trust_domain for one in self._wanted.values()), "cluster.local")
        try:
            self._roots = (
                load_plugged_in(self._folder, now) if self._is_plugged_in else self._store(domain).open(now)
            )
        except StoreError as error:
            hint = "Mend or remove what is there; until then there is no mutual TLS of the mesh."
            self.problems = (_problem("CA-001", str(error), hint),)
            return False
        return True

    @property
    def _is_plugged_in(self) -> bool:
        return (self._folder / _PLUGGED_IN).exists() or (self._folder / "tls.key").exists()

    def _store(self, trust_domain: str = "cluster.local") -> RootStore:
        return RootStore(self._folder, trust_domain=trust_domain)

    async def _sign(self, identity: Identity, request: str) -> Granted:
        """A certificate for the key of `request` (PEM)."""
        roots = self.roots
        issued = issue(
            roots.active,
            requested_key(request.encode()),
            identity=identity,
            names=self._own_names if identity == self._own else (),
            now=self._clock(),
            lifetime=self._life,
            serial=secrets.randbits(127),
            # These ask no control plane on the network: no proof fits.
            proof=secrets.token_bytes(32),
        )
        return Granted(chain=certificates_pem(issued.chain).encode(), roots=roots.bundle_pem.encode())

    async def _maintain(self) -> None:
        while True:
            await asyncio.sleep(_MAINTAIN_SECONDS if self._roots else _REOPEN_SECONDS)
            if self._roots is None:
                if self._open():
                    self.problems = tuple(one for one in self.problems if one.code != "CA-001")
                    self._workloads.want(self._identities())
                continue
            await self.reload()

    async def reload(self) -> None:
        """Follow what is stored now, after the next step of a rotation if it is ours and time for one."""
        try:
            found = await asyncio.to_thread(self._step)
        except StoreError as error:
            _log.warning("the authority is not maintained: %s", error)
            return
        if found.bundle != self.roots.bundle or found.active != self.roots.active:
            self._roots = found
            self._workloads.renew_all()

    def _step(self) -> Roots:
        """The roots as they are now, after the next step of a rotation if it is time for one."""
        now, overlap = self._clock(), Overlap.of(Policy(longest=self._life))
        if self._is_plugged_in:
            found = load_plugged_in(self._folder, now).active
            return advance(replaced(self.roots, found, now, overlap), now, overlap)
        return self._store().open(now) if self._is_shared else self._store().maintain(now, overlap)


def leaf_life(environment: Mapping[str, str]) -> timedelta:
    """DEFAULT_WORKLOAD_CERT_TTL, as Istio's control plane reads it; 24 h when it is not set or no duration."""
    text = environment.get("DEFAULT_WORKLOAD_CERT_TTL", "")
    read = values.duration(text, "", Findings(ResourceRef(kind="Environment"))) if text else None
    return read if isinstance(read, timedelta) and read > timedelta(0) else LEAF_LIFE


def _problem(code: str, message: str, hint: str) -> Problem:
    return Problem(code=code, resource=ResourceRef(kind="Mesh", name="authority"), message=message, hint=hint)
