"""Gateways that show one certificate on one port.

Clients reuse a connection for every host that its certificate is for (RFC 9113 section 9.1.1): also for hosts of the
other Gateway. They get 421 there, and open another connection. istioctl warns of it as IST0138.
"""

from collections.abc import Mapping

from mizzen.errors import Problem, Severity
from mizzen.model.tls import WORKLOAD, Certificate, ServerTls
from mizzen.resolve.context import Context
from mizzen.resolve.gateways.servers import MergedServer
from mizzen.resolve.listeners.listeners import tls_key
from mizzen.resolve.tls.secrets import certificate_of
from mizzen.resources.istio.gateway import ServerTlsSettings

CODES = {
    "GW-014": "Gateways share a certificate and a port: a connection to the one is reused for the other.",
}
_NAMED = 3  # Gateways that a message names


def check_shared_certificates(
    ctx: Context, servers: tuple[MergedServer, ...], tls: Mapping[str, ServerTls | None]
) -> None:
    """Report, once for all Gateways that share, at the youngest of them. `tls`: by `tls_key`."""
    content: dict[str, bytes | str] = {}  # SDS name -> the certificate; where there is none, its name
    sharing: dict[tuple[str, bytes | str], dict[str, MergedServer]] = {}
    for server in servers:
        ends = tls.get(tls_key(server))
        for name in ends.certificates if ends else ():
            if name == WORKLOAD:
                continue
            if name not in content:
                found = certificate_of(ctx, name)
                content[name] = found.chain if isinstance(found, Certificate) else name
            sharing.setdefault((server.listener_name, content[name]), {}).setdefault(server.key, server)
    # Of two certificates that the same Gateways share it is said once.
    groups = {(at, *group): tuple(group.values()) for (at, _), group in sharing.items() if len(group) > 1}
    for *others, last in groups.values():
        _report(ctx, last, others)


def _report(ctx: Context, server: MergedServer, others: list[MergedServer]) -> None:
    settings = server.server.tls
    named = ", ".join(f"{one.ref} ({one.at})" for one in others[:_NAMED])
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    shown, field = _named_as(settings) if settings else ("", "")
    ctx.report(
        Problem(
            severity=Severity.WARNING,
            code="GW-014",
            resource=server.ref,
            field=f"{server.at}.tls{field}",
            message=f"the certificate of {shown} is also that of {named}{more} on port {server.number}: "
            "clients that reuse a connection for a host of the other Gateway get 421, and must open another",
            hint="Give each Gateway a certificate for its own hosts alone, or put the hosts into one server.",
        )
    )


def _named_as(settings: ServerTlsSettings) -> tuple[str, str]:
    """How a server's certificates are named, and where."""
    if settings.credential_names:
        return ", ".join(settings.credential_names), ".credentialNames"
    if settings.credential_name:
        return settings.credential_name, ".credentialName"
    if settings.tls_certificates:
        return ", ".join(pair.server_certificate for pair in settings.tls_certificates), ".tlsCertificates"
    return settings.server_certificate, ".serverCertificate"
