"""What is refused and warned of in a Gateway."""

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.formats import checks
from mizzen.resources.istio.gateway import Gateway, Port, Server, ServerTlsSettings
from mizzen.resources.istio.mesh import TlsConfig
from mizzen.resources.mizzen.http3_policy import ANNOTATION, MODES
from mizzen.resources.rules import shared_rules
from mizzen.resources.yaml.places import child

HTTP_FAMILY = frozenset({"http", "http2", "grpc", "grpc-web", "http_proxy"})
_TLS_FAMILY = frozenset({"https", "tls"})
_PROTOCOLS = HTTP_FAMILY | _TLS_FAMILY | {"tcp", "udp", "mongo", "redis", "mysql"}
_PASSTHROUGH = ("PASSTHROUGH", "AUTO_PASSTHROUGH")
_MUTUAL = ("MUTUAL", "OPTIONAL_MUTUAL")
_CURVES = ("ECDHE-ECDSA", "ECDHE-RSA")
_SUITES = frozenset(
    {f"{curve}-{rest}" for curve in _CURVES for rest in ("AES128-GCM-SHA256", "AES256-GCM-SHA384")}
    | {f"{curve}-{rest}" for curve in _CURVES for rest in ("CHACHA20-POLY1305", "AES128-SHA", "AES256-SHA")}
    | {"AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA", "DES-CBC3-SHA", "ALL", ""}
)


def validate_gateway(gateway: Gateway, found: Findings) -> None:
    # What Kubernetes would refuse has been told before.
    if "." in gateway.name and (wrong := checks.dns_label(gateway.name)):
        found.error("META-001", "metadata.name", wrong, "The name of a Gateway has no dots in it.")
    if not gateway.spec.servers:
        found.error("VAL-001", "spec.servers", "a Gateway needs at least one server")
    said = gateway.meta.annotations.get(ANNOTATION, "on")
    if said not in MODES:
        at = child("metadata.annotations", ANNOTATION)
        found.warning(
            "VAL-103", at, f'"{said}" is not "on", "off" or "only": it counts as if it were not written'
        )
    names: dict[str, str] = {}
    for server in gateway.spec.servers:
        _server(server, found)
        name = server.port.name
        if name and name in names:
            found.error(
                "VAL-008",
                f"{server.port.at}.name",
                f'"{name}" is already the port name of {names[name]}',
                "Port names are unique within a Gateway: route tables are named after them.",
            )
        names.setdefault(name, server.at)


def _server(server: Server, found: Findings) -> None:
    if not server.hosts:
        found.error("VAL-001", f"{server.at}.hosts", "a server needs at least one host")
    for index, host in enumerate(server.hosts):
        if wrong := _host(host):
            found.error("VAL-004", f"{server.at}.hosts[{index}]", wrong)
    unix = shared_rules.bind(server.bind, f"{server.at}.bind", found)
    _port(server.port, found, unix=unix)
    if unix and server.port.number:
        found.error("VAL-002", f"{server.port.at}.number", "a server on a Unix socket has port number 0")
    _protocol_and_tls(server, found)


def _host(host: str) -> str:
    namespace, slash, name = host.rpartition("/")
    if slash and namespace not in ("*", ".") and checks.dns_label(namespace):
        return f'"{host}": what stands before the slash is a namespace, "*" or "."'
    if name == "*" or checks.is_ip(name):
        return ""
    if wrong := checks.wildcard_domain(name):
        return wrong
    if name.startswith("*") and not name.startswith("*."):
        return f'"{host}": an asterisk stands alone or is the whole first label ("*.example.com")'
    if "." not in name:
        return f'"{host}" is a short name: write the whole host name, or "*"'
    return ""


def _port(port: Port, found: Findings, *, unix: bool) -> None:
    if port.protocol.lower() not in _PROTOCOLS:
        wanted = ", ".join(sorted(_PROTOCOLS)).upper()
        found.error("VAL-012", f"{port.at}.protocol", f'"{port.protocol}" is no protocol; there are {wanted}')
    if not unix:
        shared_rules.port(port.number, f"{port.at}.number", found)
    if port.target_port:
        found.error("VAL-002", f"{port.at}.targetPort", "the targetPort of a Gateway's port cannot be set")
    if not port.name:
        found.error("VAL-001", f"{port.at}.name", "a port needs a name")


def _protocol_and_tls(server: Server, found: Findings) -> None:
    protocol, tls = server.port.protocol.lower(), server.tls
    if tls is None:
        if protocol in _TLS_FAMILY:
            found.error("VAL-001", f"{server.at}.tls", f"a server of protocol {protocol.upper()} needs tls")
        return
    if protocol in HTTP_FAMILY:
        _plain_http(tls, found)
    elif protocol not in _TLS_FAMILY and protocol in _PROTOCOLS:
        found.error("VAL-002", tls.at, f"a server of protocol {protocol.upper()} cannot have tls")
    if tls.https_redirect and protocol not in HTTP_FAMILY:
        found.warning("VAL-103", f"{tls.at}.httpsRedirect", "only plain HTTP servers can redirect to https")
    _tls(tls, found)


def _plain_http(tls: ServerTlsSettings, found: Findings) -> None:
    if tls.mode not in _PASSTHROUGH or tls.ca_certificates or tls.private_key or tls.server_certificate:
        found.error(
            "VAL-002",
            tls.at,
            "a plain HTTP server cannot end TLS",
            "Set the protocol to HTTPS; of tls, a plain server takes httpsRedirect alone.",
        )


def _tls(tls: ServerTlsSettings, found: Findings) -> None:
    given = _certificate_fields(tls)
    if tls.mode == "ISTIO_MUTUAL":
        for key in given:
            found.error("VAL-002", f"{tls.at}.{key}", f"mode ISTIO_MUTUAL takes the mesh's own, not {key}")
        return
    _sources(tls, found)
    if tls.mode in _PASSTHROUGH:
        for key in given:
            found.warning(
                "VAL-103", f"{tls.at}.{key}", f"mode {tls.mode} does not end TLS: {key} is not used"
            )
        if tls.ca_crl and (tls.credential_name or tls.credential_names):
            found.error("VAL-002", f"{tls.at}.caCrl", "with a credential, the CRL is part of the Secret")
    else:
        _credentials(tls, found)
    _versions(tls, found)
    suites(tls, found)
    _demands(tls, found)


def _certificate_fields(tls: ServerTlsSettings) -> tuple[str, ...]:
    fields = {
        "serverCertificate": tls.server_certificate,
        "privateKey": tls.private_key,
        "caCertificates": tls.ca_certificates,
        "tlsCertificates": tls.tls_certificates,
        "credentialName": tls.credential_name,
        "credentialNames": tls.credential_names,
    }
    return tuple(key for key, value in fields.items() if value)


def _sources(tls: ServerTlsSettings, found: Findings) -> None:
    sources = {
        "serverCertificate": bool(tls.server_certificate and tls.private_key),
        "credentialName": bool(tls.credential_name),
        "credentialNames": bool(tls.credential_names),
        "tlsCertificates": bool(tls.tls_certificates),
    }
    several = [key for key, present in sources.items() if present]
    if len(several) > 1:
        found.error("VAL-002", f"{tls.at}.{several[1]}", f"only one of {' and '.join(several)} can be given")
    for key, count in (
        ("credentialNames", len(tls.credential_names)),
        ("tlsCertificates", len(tls.tls_certificates)),
    ):
        if count > 2:
            found.error("VAL-003", f"{tls.at}.{key}", f"{key} takes one or two items, not {count}")


def _credentials(tls: ServerTlsSettings, found: Findings) -> None:
    if tls.credential_name or tls.credential_names:
        return
    if tls.ca_crl and tls.mode == "SIMPLE":
        found.error("VAL-002", f"{tls.at}.caCrl", "mode SIMPLE verifies no client: it has no use for a CRL")
    pairs = [(pair.at, pair.server_certificate, pair.private_key) for pair in tls.tls_certificates]
    for at, certificate, key in pairs or [(tls.at, tls.server_certificate, tls.private_key)]:
        if not certificate:
            found.error(
                "VAL-001",
                f"{at}.serverCertificate" if pairs else tls.at,
                f"mode {tls.mode} needs a server certificate",
                "Name a Secret in credentialName.",
            )
        if not key:
            found.error(
                "VAL-001",
                f"{at}.privateKey" if pairs else tls.at,
                f"mode {tls.mode} needs a private key",
                "Name a Secret in credentialName.",
            )
    if tls.mode in _MUTUAL and not tls.ca_certificates:
        found.error("VAL-001", f"{tls.at}.caCertificates", f"mode {tls.mode} needs caCertificates")


def _demands(tls: ServerTlsSettings, found: Findings) -> None:
    """What is demanded of clients' certificates: there must be one, and Envoy must be able to compare it."""
    if tls.mode == "SIMPLE" and tls.subject_alt_names:
        found.error(
            "VAL-002",
            f"{tls.at}.subjectAltNames",
            "mode SIMPLE asks clients for no certificate whose names could be compared",
            "Set the mode to MUTUAL, or remove subjectAltNames.",
        )
    for key, pins, wrong_with in (
        ("verifyCertificateSpki", tls.verify_certificate_spki, checks.certificate_spki),
        ("verifyCertificateHash", tls.verify_certificate_hash, checks.certificate_hash),
    ):
        for index, pin in enumerate(pins):
            if wrong := wrong_with(pin):
                found.error("VAL-011", f"{tls.at}.{key}[{index}]", wrong)


def _versions(tls: ServerTlsSettings, found: Findings) -> None:
    if tls.min_protocol_version in ("TLSV1_0", "TLSV1_1") and not tls.cipher_suites:
        found.warning(
            "VAL-103",
            f"{tls.at}.minProtocolVersion",
            "below TLS 1.2 no cipher suite is offered unless cipherSuites names some",
        )


def suites(tls: ServerTlsSettings | TlsConfig, found: Findings) -> None:
    """Of a server, or of all (meshConfig): what Envoy does not know is left out."""
    seen: set[str] = set()
    for index, suite in enumerate(tls.cipher_suites):
        at = f"{tls.at}.cipherSuites[{index}]"
        if suite not in _SUITES and suite[:1].isalnum():
            found.warning("VAL-103", at, f'"{suite}" is no cipher suite of Envoy: it is left out')
        elif suite in seen:
            found.warning("VAL-103", at, f'"{suite}" stands twice')
        seen.add(suite)
