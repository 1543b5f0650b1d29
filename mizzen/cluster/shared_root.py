"""The root of the mesh in a Secret, so that all replicas vouch alike: Istio's `cacerts`, or `istio-ca-secret`.

Each replica keeps a copy in its run-dir, in memory, as the control plane of one machine keeps its own. The
leader alone rotates; the others follow the Secret.
"""

import base64
import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from mizzen.authority import archive
from mizzen.authority.root import AuthorityError, certificates_pem, key_pem
from mizzen.authority.rotation import Overlap
from mizzen.authority.store import ROOTS, RootStore, StoreError
from mizzen.kube.client import Json, Kube, KubeError
from mizzen.lazy import dataclass
from mizzen.node import private_file

PLUGGED_IN, SELF_SIGNED = "cacerts", "istio-ca-secret"
TYPE = "istio.io/ca-root"
_CA_FILES = (
    "ca-cert.pem",
    "ca-key.pem",
    "root-cert.pem",
    "cert-chain.pem",
    "tls.crt",
    "tls.key",
    "ca.crt",
)

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class SharedRoot:
    """Carries the root between the Secret and `folder`."""

    kube: Kube
    namespace: str
    folder: Path
    trust_domain: str
    version: str = ""  # of the Secret whose content the folder has

    async def open(self, now: datetime) -> None:
        """Bring the Secret's root into the folder; make both when there is none. KubeError, StoreError."""
        for name in (PLUGGED_IN, SELF_SIGNED):
            found = await self._read(name)
            if found is not None:
                self.take(found)
                return
        roots = RootStore(self.folder, trust_domain=self.trust_domain).open(now)
        try:
            made = await self.kube.send("POST", self._path(), self._secret(archive.encode(roots)))
        except KubeError as error:
            if error.status != 409:
                raise
            (self.folder / ROOTS).unlink()  # another replica was quicker: its root is the mesh's
            found = await self._read(SELF_SIGNED)
            if found is None:
                raise
            self.take(found)
            return
        self.version = made["metadata"]["resourceVersion"]
        _log.info("a new root of the mesh is in the Secret %s/%s", self.namespace, SELF_SIGNED)

    def take(self, secret: Json) -> bool:
        """Copy a Secret's root into the folder; whether it is another than before."""
        version = str(secret["metadata"].get("resourceVersion", ""))
        if version and version == self.version:
            return False
        data = {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}
        wanted = {ROOTS: data[ROOTS]} if ROOTS in data else _istio_files(data)
        if not wanted:
            raise StoreError(f"the Secret {self.namespace}/{secret['metadata']['name']} holds no CA")
        for name, content in wanted.items():
            _write(self.folder / name, content)
        self.version = version
        return True

    async def maintain(self, now: datetime, overlap: Overlap) -> bool:
        """The leader's: the next step of a rotation, if it is time for one. Whether anything changed."""
        if not (self.folder / ROOTS).exists():
            return False  # plugged in: somebody else renews it
        before = (self.folder / ROOTS).read_bytes()
        roots = RootStore(self.folder, trust_domain=self.trust_domain).maintain(now, overlap)
        content = archive.encode(roots)
        if content == before:
            return False
        secret = self._secret(content)
        secret["metadata"]["resourceVersion"] = self.version
        try:
            made = await self.kube.send("PUT", f"{self._path()}/{SELF_SIGNED}", secret)
        except KubeError:
            _write(self.folder / ROOTS, before)  # nobody knows of it yet: as if it had not been
            raise
        self.version = made["metadata"]["resourceVersion"]
        return True

    async def _read(self, name: str) -> Json | None:
        try:
            return await self.kube.get(f"{self._path()}/{name}")
        except KubeError as error:
            if error.status == 404:
                return None
            raise

    def _path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/secrets"

    def _secret(self, content: bytes) -> Json:
        """Istio's keys, for whoever reads them, and ours, which tells of a rotation too."""
        try:
            roots = archive.decode(content)
        except AuthorityError as error:
            raise StoreError(str(error)) from None
        data = {
            "ca-cert.pem": certificates_pem((roots.active.certificate,)).encode(),
            "ca-key.pem": key_pem(roots.active.key).encode(),
            "root-cert.pem": roots.bundle_pem.encode(),
            "cert-chain.pem": b"",
            "key.pem": b"",
            ROOTS: content,
        }
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": SELF_SIGNED, "namespace": self.namespace},
            "type": TYPE,
            "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
        }


def _istio_files(data: Mapping[str, bytes]) -> dict[str, bytes]:
    """Of a Secret that Istio or an operator wrote."""
    files = {name: data[name] for name in _CA_FILES if data.get(name)}
    if "ca-cert.pem" in files:
        files.setdefault("root-cert.pem", files["ca-cert.pem"])
    return files if "ca-key.pem" in files or "tls.key" in files else {}


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        private_file.write(path, content)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from None
