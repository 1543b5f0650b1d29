"""SPIFFE ids as Istio forms them: spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/SERVICE_ACCOUNT."""

import re

from mizzen.lazy import dataclass

# SPIFFE-ID section 2.1: lower case letters, digits, dots, dashes, underscores; at most 255 bytes.
_TRUST_DOMAIN = re.compile(r"[a-z0-9._-]{1,255}")
# Kubernetes names: a namespace is a DNS label, a service account a DNS subdomain (RFC 1123).
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAMESPACE = re.compile(_LABEL)
_ACCOUNT = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")

DEFAULT_TRUST_DOMAIN = "cluster.local"


class IdentityError(ValueError):
    """A text that cannot be (part of) an identity. The message is a sentence for users."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Identity:
    """A workload: what its certificate says of it. Raises IdentityError when a part is no valid name."""

    trust_domain: str = DEFAULT_TRUST_DOMAIN
    namespace: str
    service_account: str

    def __post_init__(self) -> None:
        for name, pattern, value in (
            ("trust domain", _TRUST_DOMAIN, self.trust_domain),
            ("namespace", _NAMESPACE, self.namespace),
            ("service account", _ACCOUNT, self.service_account),
        ):
            if not pattern.fullmatch(value):
                raise IdentityError(f"{value!r} is no {name}")

    @property
    def uri(self) -> str:
        """The SPIFFE id."""
        return f"spiffe://{self.trust_domain}/ns/{self.namespace}/sa/{self.service_account}"

    def __str__(self) -> str:
        return self.uri


def parse(uri: str) -> Identity:
    """The identity in a SPIFFE id of Istio's form. Raises IdentityError for everything else."""
    scheme, slashes, rest = uri.partition("://")
    parts = rest.split("/")
    if scheme != "spiffe" or not slashes or len(parts) != 5 or parts[1] != "ns" or parts[3] != "sa":
        raise IdentityError(f"{uri!r} is not of the form spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/ACCOUNT")
    return Identity(trust_domain=parts[0], namespace=parts[2], service_account=parts[4])


def trust_domain(text: str) -> str:
    """A trust domain as written in a mesh configuration: "@" becomes "." (Istio), nothing the default.

    Raises IdentityError."""
    name = text.replace("@", ".") or DEFAULT_TRUST_DOMAIN
    if not _TRUST_DOMAIN.fullmatch(name):
        raise IdentityError(f"{text!r} is no trust domain")
    return name
