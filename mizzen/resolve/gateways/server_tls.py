"""How a server of a Gateway ends TLS: its certificates, its demands on clients, its policy.

Fail closed: a server whose TLS cannot be set up has no chain at all. One whose Secret is missing keeps its
chain (the Secret may come any moment); until then its handshakes fail.
"""

from collections.abc import Iterator
from dataclasses import replace

from mizzen.errors import Problem, Severity
from mizzen.model.tls import ClientAuth, ServerTls, TlsPolicy, Verification, is_beside_proxy
from mizzen.resolve.context import Context
from mizzen.resolve.gateways.servers import MergedServer
from mizzen.resolve.tls.ciphers import CURVES, known_ciphers
from mizzen.resolve.tls.identity import mesh_server
from mizzen.resolve.tls.named_files import pair_name, path_fault, paths_of, roots_name
from mizzen.resolve.tls.pem import Chain, read_chain
from mizzen.resolve.tls.secrets import (
    CA_SUFFIX,
    FILES_HINT,
    Trouble,
    ca_name,
    ca_of,
    certificate_of,
    is_ca,
    resource_name,
)
from mizzen.resources.istio.gateway import ServerTlsSettings

CODES = {
    "TLS-002": "A file with a certificate or key cannot be used; what the gateway has of it stays in force.",
    "TLS-003": "None of the ECDH curves is one that Envoy knows; the server takes no part.",
    "TLS-004": "An ECDH curve that Envoy does not know is left out.",
    "TLS-009": "A server's demand on client certificates would not be checked; the server takes no part.",
    "TLS-005": "No certificate of a server is for one of its hosts.",
}

_CLIENT_AUTH = {"MUTUAL": ClientAuth.REQUIRED, "OPTIONAL_MUTUAL": ClientAuth.OPTIONAL}
_ALPN = ("h2", "http/1.1")
_VERSIONS = {"TLSV1_0": "1.0", "TLSV1_1": "1.1", "TLSV1_2": "1.2", "TLSV1_3": "1.3"}


def server_tls(ctx: Context, server: MergedServer) -> ServerTls | None:
    """TLS of a server that ends it (kinds "https" and "tls"), or None and a problem when it cannot be."""
    settings = server.server.tls
    if settings is None:
        return None
    at = settings.at or f"{server.at}.tls"
    if unchecked := _unchecked(settings):
        field, message, hint = unchecked
        _refuse(ctx, server, "TLS-009", f"{at}.{field}", f"{message}: the server takes no part", hint)
        return None
    if settings.mode == "ISTIO_MUTUAL":
        return _mesh(ctx, settings)
    policy = _policy(ctx, server, settings, at)
    if policy is None:
        return None
    certificates = _certificates(ctx, server, settings, at)
    return ServerTls(
        certificates=certificates,
        client_auth=_CLIENT_AUTH.get(settings.mode, ClientAuth.NONE),
        verification=_verification(ctx, server, settings, at, certificates[0]),
        alpn=_ALPN,
        policy=policy,
    )


def _unchecked(settings: ServerTlsSettings) -> tuple[str, str, str] | None:
    """(field, what is wrong, what to do) where a demand on clients would not be checked. Istio leaves it out."""
    pins = {
        "verifyCertificateSpki": settings.verify_certificate_spki,
        "verifyCertificateHash": settings.verify_certificate_hash,
    }
    if settings.mode == "SIMPLE":
        for field, values in pins.items():
            if values:
                return (
                    field,
                    "mode SIMPLE asks clients for no certificate that could be checked",
                    "Use mode MUTUAL.",
                )
    if settings.ca_crl and settings.mode == "ISTIO_MUTUAL":
        return (
            "caCrl",
            "revoked certificates would be let in: the mesh's own authority has no revocation list",
            "Use mode MUTUAL with the certificates in files, or remove caCrl.",
        )
    if settings.ca_crl and settings.mode != "SIMPLE" and _credentials(settings):
        return (
            "caCrl",
            "revoked certificates would be let in: with a credential, no file is read",
            "Put the CRL into the Secret, as ca.crl.",
        )
    return None


def _mesh(ctx: Context, settings: ServerTlsSettings) -> ServerTls:
    """The mesh's own certificate and roots, and what is demanded of clients beside."""
    found = mesh_server(ctx, _ALPN)
    assert found.verification is not None
    names = settings.subject_alt_names
    return replace(
        found,
        verification=replace(
            found.verification,
            subject_alt_names=names,
            subject_alt_name_prefixes=() if names else found.verification.subject_alt_name_prefixes,
            spki_pins=settings.verify_certificate_spki,
            certificate_hashes=settings.verify_certificate_hash,
        ),
    )


def _refuse(ctx: Context, server: MergedServer, code: str, at: str, message: str, hint: str) -> None:
    ctx.report(Problem(code=code, resource=server.ref, field=at, message=message, hint=hint))


def _credentials(settings: ServerTlsSettings) -> tuple[str, ...]:
    return settings.credential_names or ((settings.credential_name,) if settings.credential_name else ())


# --- certificates -----------------------------------------------------------------------------------


def _certificates(
    ctx: Context, server: MergedServer, settings: ServerTlsSettings, at: str
) -> tuple[str, ...]:
    """SDS names of the certificates, in the user's order; those that are not there are reported."""
    names: list[str] = []
    chains: list[Chain] = []
    for name, fields in _sources(ctx, settings, at):
        names.append(name)
        if is_beside_proxy(name):
            _judge_paths(ctx, server, name, fields)
            continue
        found = certificate_of(ctx, name)
        if isinstance(found, Trouble):
            ctx.report(found.problem(server.ref, fields[found.part]))
        elif isinstance(chain := read_chain(found.chain), Chain):
            chains.append(chain)
    if len(chains) == len(names):
        _report_uncovered(ctx, server, chains)
    return tuple(dict.fromkeys(names))


def _sources(ctx: Context, settings: ServerTlsSettings, at: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """The SDS name of each certificate, and the fields that say where its chain and its key are."""
    for index, credential in enumerate(_credentials(settings)):
        field = f"{at}.credentialNames[{index}]" if settings.credential_names else f"{at}.credentialName"
        yield resource_name(credential), (field, field)
    if _credentials(settings):
        return
    pairs = [(pair.at, pair.server_certificate, pair.private_key) for pair in settings.tls_certificates]
    for place, chain, key in pairs or [(at, settings.server_certificate, settings.private_key)]:
        yield pair_name(ctx, chain, key), (f"{place}.serverCertificate", f"{place}.privateKey")


def _judge_paths(ctx: Context, server: MergedServer, name: str, fields: tuple[str, ...]) -> None:
    """Of files that are beside the proxy, only what can be no path is known here."""
    for path, field in zip(paths_of(name), fields, strict=False):
        if why := path_fault(path):
            _refuse(ctx, server, "TLS-002", field, f"{why}: handshakes fail", FILES_HINT)


def _report_uncovered(ctx: Context, server: MergedServer, chains: list[Chain]) -> None:
    """Hosts that no certificate is for: clients that verify names refuse them."""
    covered = {name for chain in chains for name in chain.names}
    for index, host in enumerate(server.server.hosts):
        name = host.rpartition("/")[2].lower()
        wildcard = "*." + name.partition(".")[2]
        if name == "*" or name in covered or wildcard in covered:
            continue
        if name.startswith("*.") and any(one.endswith(name[1:]) for one in covered):
            continue  # for some of the hosts, at least
        ctx.report(
            Problem(
                severity=Severity.WARNING,
                code="TLS-005",
                resource=server.ref,
                field=f"{server.at}.hosts[{index}]",
                message=f"no certificate of this server is for {name}",
                hint=f"The certificate is for {', '.join(sorted(covered)) or 'no name'}.",
            )
        )


def _verification(
    ctx: Context, server: MergedServer, settings: ServerTlsSettings, at: str, certificate: str
) -> Verification | None:
    """How client certificates are judged; None where no client is asked for one."""
    if settings.mode not in _CLIENT_AUTH:
        return None
    if settings.ca_cert_credential_name:
        field = f"{at}.caCertCredentialName"
        name = resource_name(settings.ca_cert_credential_name)
        # A key pair and a CA of one Secret need two names.
        ca = name if is_ca(name) else name + CA_SUFFIX
    elif not _credentials(settings):
        return _in_files(ctx, server, settings, at)
    else:
        field = f"{at}.credentialNames[0]" if settings.credential_names else f"{at}.credentialName"
        ca = ca_name(certificate)
    found = ca_of(ctx, ca)
    if isinstance(found, Trouble):
        ctx.report(found.problem(server.ref, field))
    return _demands(settings, ca)


def _in_files(ctx: Context, server: MergedServer, settings: ServerTlsSettings, at: str) -> Verification:
    """Both in one secret, so that another revocation list changes no listener."""
    roots = settings.ca_certificates or next(
        (pair.ca_certificates for pair in settings.tls_certificates if pair.ca_certificates), ""
    )
    fields = (f"{at}.caCertificates", f"{at}.caCrl")
    ca = roots_name(ctx, roots, settings.ca_crl)
    if is_beside_proxy(ca):
        _judge_paths(ctx, server, ca, fields)
    elif isinstance(found := ca_of(ctx, ca), Trouble):
        ctx.report(found.problem(server.ref, fields[found.part]))
    return _demands(settings, ca)


def _demands(settings: ServerTlsSettings, ca: str) -> Verification:
    return Verification(
        ca=ca,
        subject_alt_names=settings.subject_alt_names,
        spki_pins=settings.verify_certificate_spki,
        certificate_hashes=settings.verify_certificate_hash,
        accept_untrusted=bool(settings.insecure_skip_verify),
    )


# --- policy -----------------------------------------------------------------------------------------


def _policy(ctx: Context, server: MergedServer, settings: ServerTlsSettings, at: str) -> TlsPolicy | None:
    """The server's own restrictions over the mesh's `tlsDefaults`, field by field."""
    mesh = ctx.mesh.tls_defaults
    mesh_minimum = mesh.min_protocol_version if mesh else "TLS_AUTO"
    minimum = _VERSIONS.get(settings.min_protocol_version, "")
    if not minimum and mesh_minimum != "TLS_AUTO":
        minimum = "1.3" if mesh_minimum == "TLSV1_3" else "1.2"  # the mesh's is never below 1.2
    wanted = settings.ecdh_curves or (mesh.ecdh_curves if mesh else ())
    curves = tuple(dict.fromkeys(curve for curve in wanted if curve in CURVES))
    unknown = [curve for curve in wanted if curve not in CURVES]
    if wanted and not curves:
        _refuse(
            ctx,
            server,
            "TLS-003",
            f"{at}.ecdhCurves",
            f"Envoy knows none of the curves {', '.join(wanted)}",
            f"It knows {', '.join(sorted(CURVES))}.",
        )
        return None
    if unknown:
        ctx.report(
            Problem(
                severity=Severity.WARNING,
                code="TLS-004",
                resource=server.ref,
                field=f"{at}.ecdhCurves",
                message=f"Envoy does not know {', '.join(unknown)}: left out",
                hint=f"It knows {', '.join(sorted(CURVES))}.",
            )
        )
    return TlsPolicy(
        min_version=minimum,
        max_version=_VERSIONS.get(settings.max_protocol_version, ""),
        ciphers=known_ciphers(settings.cipher_suites) or known_ciphers(mesh.cipher_suites if mesh else ()),
        curves=curves,
    )
