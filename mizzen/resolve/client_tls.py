"""How the gateway speaks TLS to a backend, as its DestinationRule says.

Fail closed: where TLS is asked for and cannot be had, no connection is made. Istio would send plaintext.
"""

from collections.abc import Iterable

from mizzen.errors import Problem, ResourceRef
from mizzen.model.tls import ClientTls, TlsPolicy, Verification
from mizzen.resolve.context import Context
from mizzen.resolve.endpoints import Instance
from mizzen.resolve.policies import Policy
from mizzen.resolve.secrets import (
    CONFIG_MAP,
    FILE_ROOT,
    Trouble,
    ca_name,
    ca_of,
    certificate_of,
    is_ca,
    resource_name,
)
from mizzen.resolve.services import MeshService
from mizzen.resolve.tls import CURVES, known_ciphers
from mizzen.resources.destination_rule import ClientTLSSettings

CODES = {
    "TLS-006": "ISTIO_MUTUAL towards a backend needs the mesh's own certificates, which are not issued.",
    "TLS-007": "A client certificate in files is not read; no connection is made to the backend.",
}

NO_MESH = "ISTIO_MUTUAL needs certificates of the mesh"
NO_FILES = "the client certificate is named as files"


def client_tls(
    ctx: Context, service: MeshService, policy: Policy, instances: Iterable[Instance], *, http2: bool
) -> ClientTls | None:
    """TLS towards a backend; None for plain connections. Credentials that are missing are reported."""
    settings = policy.tls
    if settings is None or settings.mode == "DISABLE":
        return None
    ref = policy.tls_ref or service.ref
    if settings.mode == "ISTIO_MUTUAL":
        return _unusable(
            ctx,
            ref,
            "TLS-006",
            f"{settings.at}.mode",
            NO_MESH,
            "Use MUTUAL with a Secret in credentialName, or SIMPLE.",
        )
    if settings.mode == "MUTUAL" and not settings.credential_name:
        return _unusable(
            ctx,
            ref,
            "TLS-007",
            f"{settings.at}.clientCertificate",
            NO_FILES,
            "Put certificate and key into a Secret, and name it in credentialName.",
        )
    names = settings.subject_alt_names
    return ClientTls(
        certificate=_certificate(ctx, ref, settings),
        verification=_verification(ctx, ref, settings, names or _own_names(ctx, service, instances)),
        system_ca=_trusts_system(settings),
        sni=settings.sni,
        check_san_of_sni=not settings.sni and not names and not settings.insecure_skip_verify,
        alpn=("h2",) if http2 else (),
        policy=_policy(ctx),
    )


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
    name = resource_name(settings.credential_name)
    if isinstance(found := certificate_of(ctx, name), Trouble):
        ctx.report(found.problem(ref, f"{settings.at}.credentialName"))
    return name


def _verification(
    ctx: Context, ref: ResourceRef, settings: ClientTLSSettings, names: tuple[str, ...]
) -> Verification | None:
    if settings.insecure_skip_verify:
        return None
    return Verification(ca=_ca(ctx, ref, settings), subject_alt_names=names, crl_file=settings.ca_crl)


def _ca(ctx: Context, ref: ResourceRef, settings: ClientTLSSettings) -> str | None:
    """The SDS name of the CA; None for the machine's trust store."""
    if settings.credential_name:
        name = resource_name(settings.credential_name)
        ca = name if is_ca(name) or name.startswith(CONFIG_MAP) else ca_name(name)
        if isinstance(found := ca_of(ctx, ca), Trouble):
            ctx.report(found.problem(ref, f"{settings.at}.credentialName"))
        return ca
    return None if _trusts_system(settings) else FILE_ROOT + settings.ca_certificates


def _own_names(ctx: Context, service: MeshService, instances: Iterable[Instance]) -> tuple[str, ...]:
    """What a ServiceEntry says its endpoints' certificates are for: names, and identities of the mesh."""
    if not service.entries:
        return ()
    names = {name for entry in service.entries for name in entry.spec.subject_alt_names}
    for one in instances:
        if one.service_account:
            namespace, _, account = one.service_account.partition("/")
            names.add(f"spiffe://{ctx.mesh.trust_domain}/ns/{namespace}/sa/{account}")
    return tuple(sorted(names))


def _policy(ctx: Context) -> TlsPolicy:
    mesh = ctx.mesh.tls_defaults
    if mesh is None:
        return TlsPolicy()
    return TlsPolicy(
        ciphers=known_ciphers(mesh.cipher_suites),
        curves=tuple(dict.fromkeys(curve for curve in mesh.ecdh_curves if curve in CURVES)),
    )
