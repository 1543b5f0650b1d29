"""How the gateway speaks TLS to a backend, as its DestinationRule says.

Fail closed: where TLS is asked for and cannot be had, no connection is made. Istio would send plaintext.
"""

from collections.abc import Iterable

from mizzen.errors import Problem, ResourceRef
from mizzen.lazy import dataclass
from mizzen.model.backend import Protocol
from mizzen.model.tls import SYSTEM_ROOTS, ClientTls, TlsPolicy, Verification, is_beside_proxy
from mizzen.resolve.context import Context
from mizzen.resolve.services.endpoints import Instance
from mizzen.resolve.services.policies import Policy
from mizzen.resolve.services.services import MeshService
from mizzen.resolve.tls.ciphers import CURVES, known_ciphers
from mizzen.resolve.tls.identity import mesh_client, spiffe
from mizzen.resolve.tls.named_files import content_of, fault_of, pair_name, path_fault, roots_name
from mizzen.resolve.tls.pem import crl_fault, roots_fault
from mizzen.resolve.tls.secrets import (
    CONFIG_MAP,
    FILES_HINT,
    Trouble,
    ca_name,
    ca_of,
    certificate_of,
    is_ca,
    resource_name,
)
from mizzen.resources.istio.destination_rule import ClientTLSSettings

CODES = {
    "TLS-007": "A client certificate or its key is named by what is no file's path; no connection is made to the backend.",
    "TLS-008": "A file with CA certificates or a revocation list cannot be used; no connection is made to the backend.",
}

_PAIR = ("clientCertificate", "privateKey")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What is said inside of TLS, and to which name (Istio's "outbound_.8000_._.host")."""

    protocol: Protocol | None  # None: bytes
    sni: str


def client_tls(
    ctx: Context, service: MeshService, policy: Policy, instances: tuple[Instance, ...], spoken: Spoken
) -> ClientTls | None:
    """TLS towards a backend; None for plain connections. Credentials that are missing are reported."""
    settings = policy.tls
    if settings is None or settings.mode == "DISABLE":
        return None
    ref = policy.tls_ref or service.ref
    if settings.mode == "ISTIO_MUTUAL":
        return _mesh(ctx, settings, instances, spoken)
    if (unusable := _pair_paths(ctx, ref, settings)) is not None:
        return unusable
    if (unusable := _files(ctx, ref, settings)) is not None:
        return unusable
    names = settings.subject_alt_names
    # Anybody can have a certificate of a public authority: there the name decides, also one that is written.
    checks_sni = not names and (not settings.sni or _trusts_system(settings))
    return ClientTls(
        certificate=_certificate(ctx, ref, settings),
        verification=_verification(
            ctx, ref, settings, names or _own_names(ctx, service, instances, settings, spoken)
        ),
        sni=settings.sni,
        check_san_of_sni=checks_sni and not settings.insecure_skip_verify,
        alpn=("h2",) if spoken.protocol is Protocol.HTTP2 else (),
        policy=_policy(ctx),
    )


def mesh_tls(
    ctx: Context, service: MeshService, policy: Policy, instances: tuple[Instance, ...], spoken: Spoken
) -> ClientTls | None:
    """The mesh's mutual TLS for endpoints that speak it, where no rule says anything of TLS."""
    if policy.tls is not None or not takes_mesh_tls(ctx, service) or not any(one.mesh for one in instances):
        return None
    return _mesh(ctx, None, tuple(one for one in instances if one.mesh), spoken)


def takes_mesh_tls(ctx: Context, service: MeshService) -> bool:
    """Is automatic mutual TLS for this service at all? Not towards what is outside of the mesh."""
    return ctx.mesh.enable_auto_mtls and not service.external


def _mesh(
    ctx: Context, settings: ClientTLSSettings | None, instances: tuple[Instance, ...], spoken: Spoken
) -> ClientTls:
    """Verified against the identities that the endpoints are known to have."""
    names = (settings.subject_alt_names if settings else ()) or _identities(ctx, instances)
    return mesh_client(names, (settings.sni if settings else "") or spoken.sni, spoken.protocol)


def _identities(ctx: Context, instances: Iterable[Instance]) -> tuple[str, ...]:
    names = set()
    for one in instances:
        if one.service_account:
            namespace, _, account = one.service_account.partition("/")
            names.add(spiffe(ctx.mesh.trust_domain, namespace, account))
    return tuple(sorted(names))


def _unusable(ctx: Context, ref: ResourceRef, code: str, at: str, why: str, hint: str) -> ClientTls:
    message = f"{why}: requests to this backend fail"
    ctx.report(Problem(code=code, resource=ref, field=at, message=message, hint=hint))
    return ClientTls(certificate=None, verification=None, unusable=why)


def _trusts_system(settings: ClientTLSSettings) -> bool:
    """Nobody named a CA: the machine's trust store, as in Istio."""
    named = settings.credential_name or settings.ca_certificates not in ("", "system")
    return not named and not settings.insecure_skip_verify


def _certificate(ctx: Context, ref: ResourceRef, settings: ClientTLSSettings) -> str | None:
    if settings.mode != "MUTUAL":
        return None
    fields = ("credentialName", "credentialName")
    if settings.credential_name:
        name = resource_name(settings.credential_name)
    else:
        name = pair_name(ctx, settings.client_certificate, settings.private_key)
        fields = _PAIR
    if not is_beside_proxy(name) and isinstance(found := certificate_of(ctx, name), Trouble):
        ctx.report(found.problem(ref, f"{settings.at}.{fields[found.part]}"))
    return name


def _verification(
    ctx: Context, ref: ResourceRef, settings: ClientTLSSettings, names: tuple[str, ...]
) -> Verification | None:
    if settings.insecure_skip_verify:
        return None
    revoked = content_of(ctx, settings.ca_crl)
    return Verification(
        ca=_ca(ctx, ref, settings),
        subject_alt_names=names,
        crl=revoked,
        crl_file="" if revoked else settings.ca_crl,
    )


def _pair_paths(ctx: Context, ref: ResourceRef, settings: ClientTLSSettings) -> ClientTls | None:
    """No connection where the certificate and key can be no files, whatever stands in them."""
    if settings.mode != "MUTUAL" or settings.credential_name:
        return None
    for key, path in zip(_PAIR, (settings.client_certificate, settings.private_key), strict=True):
        if why := path_fault(path):
            return _unusable(ctx, ref, "TLS-007", f"{settings.at}.{key}", why, FILES_HINT)
    return None


def _files(ctx: Context, ref: ResourceRef, settings: ClientTLSSettings) -> ClientTls | None:
    """No connection where a file cannot be used. One that could be read before is used as it was, with a problem."""
    if settings.insecure_skip_verify:
        return None
    roots = "" if settings.credential_name or _trusts_system(settings) else settings.ca_certificates
    for key, path, judge in (
        ("caCertificates", roots, roots_fault),
        ("caCrl", settings.ca_crl, crl_fault),
    ):
        why, usable = fault_of(ctx, path, judge) if path else ("", True)
        hint = "Name a regular file in PEM, of at most 1 MB, by its absolute path."
        if not usable:
            return _unusable(ctx, ref, "TLS-008", f"{settings.at}.{key}", why, hint)
        if why:
            at = f"{settings.at}.{key}"
            message = f"{why}; what it held before stays in force"
            ctx.report(Problem(code="TLS-008", resource=ref, field=at, message=message, hint=hint))
    return None


def _ca(ctx: Context, ref: ResourceRef, settings: ClientTLSSettings) -> str | None:
    """The SDS name of the CA."""
    if settings.credential_name:
        name = resource_name(settings.credential_name)
        ca = name if is_ca(name) or name.startswith(CONFIG_MAP) else ca_name(name)
        if isinstance(found := ca_of(ctx, ca), Trouble):
            ctx.report(found.problem(ref, f"{settings.at}.credentialName"))
        return ca
    return SYSTEM_ROOTS if _trusts_system(settings) else roots_name(ctx, settings.ca_certificates)


def _own_names(
    ctx: Context,
    service: MeshService,
    instances: Iterable[Instance],
    settings: ClientTLSSettings,
    spoken: Spoken,
) -> tuple[str, ...]:
    """What a ServiceEntry says its endpoints' certificates are for: names, and identities of the mesh.

    Without any, and without a request that would say one: the service's own name, where the authority is public.
    """
    names = {name for entry in service.entries for name in entry.spec.subject_alt_names}
    if service.entries:
        names |= set(_identities(ctx, instances))
    if not names and not settings.sni and spoken.protocol is None and _trusts_system(settings):
        names = set() if service.host.startswith("*") else {service.host}
    return tuple(sorted(names))


def _policy(ctx: Context) -> TlsPolicy:
    mesh = ctx.mesh.tls_defaults
    if mesh is None:
        return TlsPolicy()
    return TlsPolicy(
        ciphers=known_ciphers(mesh.cipher_suites),
        curves=tuple(dict.fromkeys(curve for curve in mesh.ecdh_curves if curve in CURVES)),
    )
