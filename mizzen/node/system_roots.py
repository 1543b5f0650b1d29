"""The certificate authorities that this machine trusts: what backends are verified against whose CA nobody named.

Read here, beside the proxy, and handed to it under Istio's name (`file-root:system`).
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path

from mizzen.errors import Problem, ResourceRef
from mizzen.lazy import dataclass
from mizzen.model import Model
from mizzen.model.backend import Backend
from mizzen.model.tls import SYSTEM_ROOTS, TrustedCa

CATALOGUE = {
    "TLS-010": "This machine has no certificate authorities to verify a backend against; requests to it fail.",
}
VARIABLE = "SSL_CERT_FILE"  # OpenSSL's; it alone counts when it is set
# Where distributions keep their bundle: Debian, Fedora, openSUSE, older RHEL, Alpine and BSD.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_LARGEST = 16 * 2**20  # bytes; real ones have a quarter of a million
_BEGIN = b"-----BEGIN CERTIFICATE-----"

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class SystemRoots:
    """Reads the bundle again whenever its file has changed. One that went bad or away stays as it was."""

    environment: Mapping[str, str]
    trouble: str = ""  # why there are none
    _read: tuple[str, float, int] | None = None  # path, time of change, size
    _found: TrustedCa | None = field(default=None, repr=False)

    @property
    def paths(self) -> tuple[str, ...]:
        """Where a bundle is looked for, the first first."""
        named = self.environment.get(VARIABLE, "")
        return (named,) if named else _BUNDLES

    def get(self) -> TrustedCa | None:
        """The roots; None, and `trouble`, when there never were any."""
        for path in self.paths:
            try:
                status = Path(path).stat()
                seen = (path, status.st_mtime, status.st_size)
                if seen != self._read:
                    found, self.trouble = _read(path)
                    self._found, self._read = found or self._found, seen
                return self._found
            except OSError as error:
                self.trouble = f"{path}: {error.strerror}"
        if len(self.paths) > 1:
            self.trouble = f"there is no bundle of certificate authorities ({', '.join(_BUNDLES)})"
        return self._found

    def wanted(self, model: Model) -> TrustedCa | None:
        """The roots, where a backend of the model is verified against them."""
        return self.get() if any(map(_is_verified_so, model.backends.values())) else None

    def problems(self, model: Model) -> tuple[Problem, ...]:
        """One for each rule that needs them, while there are none."""
        wanting = {one.policy_origin or one.origin for one in model.backends.values() if _is_verified_so(one)}
        if not wanting or self.get() is not None:
            return ()
        return tuple(self._problem(ref) for ref in sorted(wanting, key=str))

    def _problem(self, ref: ResourceRef) -> Problem:
        return Problem(
            code="TLS-010",
            resource=ref,
            field="spec.trafficPolicy.tls",
            message=f"the backend is to be verified as this machine does it, and {self.trouble}: requests to it fail",
            hint=f"Install the distribution's ca-certificates, name a bundle in {VARIABLE}, or name a CA "
            "(caCertificates, credentialName).",
        )


def _is_verified_so(backend: Backend) -> bool:
    verification = backend.tls.verification if backend.tls is not None else None
    return verification is not None and verification.ca == SYSTEM_ROOTS


def _read(path: str) -> tuple[TrustedCa | None, str]:
    file = Path(path)
    if not file.is_file():  # never a pipe, which would be waited for
        return None, f"{path} is no file"
    with file.open("rb") as opened:
        content = opened.read(_LARGEST + 1)
    if _BEGIN not in content or len(content) > _LARGEST:
        return None, f"{path} is no bundle of certificates"
    return TrustedCa(name=SYSTEM_ROOTS, roots=content, origin=ResourceRef(kind="File", name=path)), ""


def told_once(roots: SystemRoots, say: Callable[[str], None]) -> None:
    """Say that there are none, where nobody is asked for problems."""
    if roots.get() is None:
        say(f"backends whose CA nobody named cannot be verified: {roots.trouble}; requests to them fail")
