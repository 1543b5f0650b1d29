"""Certificates and roots out of Secrets and ConfigMaps, under the names that Envoy asks for by SDS.

Names and keys are Istio's: `kubernetes://NAME` is a Secret in the namespace of the gateway's pods (not of
the Gateway), `kubernetes://NAME-cacert` the CA of Secret NAME-cacert or else of Secret NAME. What cannot
be used is reported and not sent, so that Envoy keeps the last good one.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.model.tls import Certificate, TrustedCa
from mizzen.persistent import PersistentMap
from mizzen.resolve import with_errors
from mizzen.resolve.context import Context, mapped, step
from mizzen.resolve.tls.named_files import (
    FileFault,
    is_file,
    is_roots,
    pair_in,
    roots_in,
)
from mizzen.resolve.tls.pem import Bad, Chain, crl_fault, key_fault, read_chain, roots_fault
from mizzen.resources.kubernetes.core import ConfigMap, Secret
from mizzen.resources.yaml.places import child

CODES = {
    "SEC-001": "There is no Secret of this name in the gateway's namespace.",
    "SEC-002": "A Secret lacks the keys that a certificate or a CA is read from.",
    "SEC-003": "A certificate, key, CA or revocation list cannot be used; the last good one stays in force.",
    "SEC-004": "A certificate or CA is not valid yet, or not any more; it is served all the same.",
    "SEC-005": "A credential is named in a way that cannot be looked up here.",
}

KUBERNETES = "kubernetes://"
CONFIG_MAP = "configmap://"
CA_SUFFIX = "-cacert"
FILES_HINT = (
    "Certificates and keys are PEM files of at most 1 MB, by their absolute paths, in /etc/istio, /etc/certs or "
    "a folder that mizzen is started with (--certificates-in)."
)
_VERBATIM = (KUBERNETES, "kubernetes-gateway://", CONFIG_MAP, "builtin://", "invalid://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a name cannot be answered. Without a `resource` it is the fault of whoever uses the name."""

    code: str
    message: str
    hint: str = ""
    resource: ResourceRef | None = None
    field: str = ""
    part: int = 0  # of several fields that name it together, the one that is wrong

    def problem(self, user: ResourceRef, field: str) -> Problem:
        """As a problem of the object to blame; of `user` at `field` when that is who names it."""
        return Problem(
            code=self.code,
            resource=self.resource or user,
            field=self.field if self.resource else field,
            message=self.message,
            hint=self.hint,
        )


def resource_name(credential: str) -> str:
    """The SDS name of a credentialName: `kubernetes://` before it unless it says another kind itself."""
    if credential.startswith(_VERBATIM):
        return credential
    return KUBERNETES + credential.removeprefix("sds://")


def ca_name(certificate: str) -> str:
    """The SDS name of the CA that lies beside a certificate."""
    return certificate + CA_SUFFIX


def is_ca(name: str) -> bool:
    """Whether an SDS name asks for roots (else it asks for a key pair)."""
    return is_roots(name) if is_file(name) else name.endswith(CA_SUFFIX) or name.startswith(CONFIG_MAP)


def secret_resources(
    ctx: Context, names: PersistentMap[str, bool]
) -> tuple[tuple[Certificate, ...], tuple[TrustedCa, ...]]:
    """What can be sent of `names`, sorted by name. Faults of Secrets are reported here; a name that leads
    nowhere is reported where it is used (`certificate_of`, `ca_of`).
    """
    found = mapped(ctx, _sent, names).values()
    certificates = tuple(one for one in found if isinstance(one, Certificate))
    return certificates, tuple(one for one in found if isinstance(one, TrustedCa))


def _sent(ctx: Context, name: str, _: object) -> Certificate | TrustedCa | None:
    """What is sent under a name; None where nothing can be."""
    found = ca_of(ctx, name) if is_ca(name) else certificate_of(ctx, name)
    if not isinstance(found, Trouble):
        return found
    if found.resource is not None:
        ctx.report(found.problem(found.resource, found.field))
    return None


# --- certificates -----------------------------------------------------------------------------------


@step
def certificate_of(ctx: Context, name: str) -> Certificate | Trouble:
    """The key pair that is sent under an SDS name, or why there is none."""
    if is_file(name):
        pair = pair_in(ctx.files or {}, name)
        return _of_file(pair, "TLS-002") if isinstance(pair, FileFault) else pair
    secret = _secret(ctx, name)
    if isinstance(secret, Trouble):
        return secret
    make = partial(_certificate_of, secret, name)
    return attempt(Stage.RESOLVE, secret.ref, make, ctx.report, _at_fault(secret))


def _certificate_of(secret: Secret, name: str) -> Certificate | Trouble:
    if secret.name.endswith(CA_SUFFIX):
        return Trouble(
            code="SEC-005",
            message=f"of a Secret whose name ends in {CA_SUFFIX} only the CA is read: {secret.name!r}",
            hint="Keep the key pair in a Secret of another name.",
        )
    for chain_key, key_key, staple_key in (("cert", "key", ""), ("tls.crt", "tls.key", "tls.ocsp-staple")):
        chain, key = secret.data.get(chain_key), secret.data.get(key_key)
        if chain and key:
            staple = secret.data.get(staple_key, b"")
            fault = _pair_fault(secret, chain_key, key_key, staple)
            return fault or Certificate(
                name=name, chain=chain, key=key, ocsp_staple=staple, origin=secret.ref
            )
    return _lacking(secret, secret.data, (("tls.crt", "tls.key"), ("cert", "key")), "a certificate and key")


def _of_file(fault: FileFault, code: str) -> Trouble:
    return Trouble(
        code=code,
        message=fault.why,
        hint=f"{FILES_HINT} What the gateway has of it already stays in force.",
        part=fault.part,
    )


def _pair_fault(secret: Secret, chain_key: str, key_key: str, staple: bytes) -> Trouble | None:
    chain = read_chain(secret.data[chain_key])
    if isinstance(chain, Bad):
        return _unusable(secret, chain_key, chain.why)
    if fault := key_fault(secret.data[key_key], chain):
        return _unusable(secret, key_key, fault)
    if chain.must_staple and not staple:
        return _unusable(secret, chain_key, "the certificate demands an OCSP staple and there is none")
    return None


# --- roots ------------------------------------------------------------------------------------------


@step
def ca_of(ctx: Context, name: str) -> TrustedCa | Trouble:
    """The roots that are sent under an SDS name, or why there are none."""
    if is_file(name):
        roots = roots_in(ctx.files or {}, name)
        return _of_file(roots, "TLS-008") if isinstance(roots, FileFault) else roots
    holder = _config_map(ctx, name) if name.startswith(CONFIG_MAP) else _ca_secret(ctx, name)
    if isinstance(holder, Trouble):
        return holder
    return attempt(Stage.RESOLVE, holder.ref, partial(_roots_of, holder, name), ctx.report, _at_fault(holder))


def _roots_of(holder: Secret | ConfigMap, name: str) -> TrustedCa | Trouble:
    data = {key: _bytes(value) for key, value in holder.data.items()}
    for ca_key, crl_key in (("cacert", "crl"), ("ca.crt", "ca.crl")):
        roots, crl = data.get(ca_key), data.get(crl_key, b"")
        if not roots:
            continue
        if fault := roots_fault(roots):
            return _unusable(holder, ca_key, fault)
        if crl and (fault := crl_fault(crl)):
            return _unusable(holder, crl_key, fault)
        return TrustedCa(name=name, roots=roots, crl=crl, origin=holder.ref)
    return _lacking(holder, data, (("ca.crt",), ("cacert",)), "CA certificates")


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _ca_secret(ctx: Context, name: str) -> Secret | Trouble:
    own = _secret(ctx, name)  # no falling back from it, even if it lacks a CA
    return own if isinstance(own, Secret) else _secret(ctx, name.removesuffix(CA_SUFFIX))


def _config_map(ctx: Context, name: str) -> ConfigMap | Trouble:
    namespace, slash, wanted = name.removeprefix(CONFIG_MAP).partition("/")
    if not (namespace and slash and wanted):
        return Trouble(
            code="SEC-005", message=f"{name!r} is not configmap://NAMESPACE/NAME", hint="Write both parts."
        )
    found = ctx.world.config_map_by_key.get((namespace, wanted.removesuffix(CA_SUFFIX)))
    if found is None and (meant := with_errors.named(ctx, ConfigMap.__name__, namespace, wanted)):
        return _with_errors(meant)
    return found or Trouble(code="SEC-001", message=f"there is no ConfigMap {namespace}/{wanted}")


# --- looking up -------------------------------------------------------------------------------------


def _secret(ctx: Context, name: str) -> Secret | Trouble:
    """The Secret of a `kubernetes://` name: only ever one beside the gateway's pods (Istio: authorization)."""
    if not name.startswith(KUBERNETES):
        return Trouble(
            code="SEC-005",
            message=f"{name!r} is no credential of this gateway",
            hint="Name a Secret in the namespace of the gateway's pods.",
        )
    namespace, slash, wanted = name.removeprefix(KUBERNETES).rpartition("/")
    own = ctx.proxy.namespace
    if slash and namespace != own:
        return Trouble(
            code="SEC-001",
            message=f"the Secret {namespace}/{wanted} is not in {own}, the namespace of the gateway's pods",
            hint=f"Put the Secret into {own}.",
        )
    found = ctx.world.secret_by_key.get((own, wanted))
    if found is not None:
        return found
    if meant := with_errors.named(ctx, Secret.__name__, own, wanted):
        return _with_errors(meant)
    elsewhere = sorted(secret.namespace for secret in ctx.world.secrets if secret.name == wanted)
    hint = f"One of that name is in {', '.join(elsewhere)}. " if elsewhere else ""
    return Trouble(
        code="SEC-001",
        message=f"there is no Secret {wanted!r} in {own}",
        hint=f"{hint}Secrets are looked up in the namespace of the gateway's pods ({own}).",
    )


def _with_errors(meant: ResourceRef) -> Trouble:
    return Trouble(
        code="REF-007",
        message=f"{meant} has errors of its own: it takes no part, and so there is no certificate of it",
        hint="Mend the errors that are told of at it.",
    )


def _place(holder: Secret | ConfigMap, key: str) -> str:
    written = child("stringData", key)
    return written if written in holder.ref.places else child("data", key)


def _at_fault(holder: Secret | ConfigMap) -> Trouble:
    """What stands for a certificate or CA whose reading raises."""
    return _unusable(holder, "", "it cannot be read, by a fault of mizzen")


def _unusable(holder: Secret | ConfigMap, key: str, why: str) -> Trouble:
    return Trouble(
        code="SEC-003",
        message=why,
        hint="Until it is mended, what the gateway already has stays in force.",
        resource=holder.ref,
        field=_place(holder, key),
    )


def _lacking(
    holder: Secret | ConfigMap,
    data: Mapping[str, bytes],
    wanted: tuple[tuple[str, ...], ...],
    what: str,
) -> Trouble:
    """Tell keys that are empty from keys that are not there."""
    empty = [key for keys in wanted for key in keys if data.get(key) == b""]
    if empty:
        return Trouble(
            code="SEC-002",
            message=f"{empty[0]} is empty",
            resource=holder.ref,
            field=_place(holder, empty[0]),
        )
    keys = sorted(data)
    more = f", and {len(keys) - 3} more" if len(keys) > 3 else ""
    has = f"it has {', '.join(keys[:3])}{more}" if keys else "it is empty"
    names = " or ".join(" and ".join(group) for group in wanted)
    return Trouble(
        code="SEC-002",
        message=f"{what} are read from {names}; {has}",
        resource=holder.ref,
        field="data",
    )


# --- time -------------------------------------------------------------------------------------------


def validity_problems(certificates: Iterable[Certificate], now: datetime) -> tuple[Problem, ...]:
    """A warning for each certificate that is not valid at `now`. They are served all the same."""
    found = []
    for certificate in certificates:
        chain = read_chain(certificate.chain)
        if not isinstance(chain, Chain) or chain.not_before <= now <= chain.not_after:
            continue
        expired = now > chain.not_after
        message = (
            f"the certificate expired on {chain.not_after:%Y-%m-%d %H:%M} UTC"
            if expired
            else f"the certificate is not valid before {chain.not_before:%Y-%m-%d %H:%M} UTC"
        )
        found.append(
            Problem(
                severity=Severity.WARNING,
                code="SEC-004",
                resource=certificate.origin,
                field="data",
                message=message,
                hint="Clients that verify it will refuse to connect.",
            )
        )
    return tuple(found)


def next_validity(certificates: Iterable[Certificate], now: datetime) -> datetime | None:
    """When `validity_problems` says something else than at `now`; None: never."""
    chains = [chain for one in certificates if isinstance(chain := read_chain(one.chain), Chain)]
    ends = [at + timedelta(microseconds=1) for chain in chains for at in (chain.not_after,) if at >= now]
    return min([*ends, *(chain.not_before for chain in chains if chain.not_before > now)], default=None)
