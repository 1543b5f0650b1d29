"""istioctl's tables, from resources as plain JSON values. Pure.

Columns are as wide as their widest cell and a padding; the last one is not padded (Go's tabwriter, which
istioctl uses). Ours has one column more in the table of listeners: TRANSPORT tells TCP from QUIC.
"""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography import x509

Json = dict[str, Any]
Rows = list[tuple[str, ...]]

HTTP_PLAIN = ["http/1.0", "http/1.1", "h2c"]
HCM = "envoy.filters.network.http_connection_manager"
TCP_PROXY = "envoy.filters.network.tcp_proxy"
MAX_DOMAINS = 2


def table(header: Sequence[str], rows: Rows, padding: int) -> str:
    """Text of the table, a line feed after every line."""
    everything = [tuple(header), *rows]
    widths = [max(len(row[i]) for row in everything) + padding for i in range(len(header) - 1)]
    lines = [
        "".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True))
        for row in everything
    ]
    return "".join(line.rstrip() + "\n" for line in lines)


# --- listeners --------------------------------------------------------------------------------------

LISTENERS = ("ADDRESS", "PORT", "TRANSPORT", "MATCH", "DESTINATION")
REFUSING_CHAIN = "refuse-unknown"  # the default chain of QUIC listeners: no user asked for it
REFUSING_NAMES = "refuse-not-mirrored"  # hosts without a mirror, below a wildcard that has one


def address(listener: Json) -> tuple[str, int, str]:
    """(address, port, "TCP" | "QUIC" | "UNIX") of a listener."""
    where = listener.get("address", {})
    if "pipe" in where:
        return where["pipe"].get("path", ""), 0, "UNIX"
    socket = where.get("socketAddress", {})
    udp = socket.get("protocol") == "UDP"
    return socket.get("address", ""), int(socket.get("portValue", 0)), "QUIC" if udp else "TCP"


def listener_rows(listeners: Sequence[Json]) -> Rows:
    """A row for each filter chain, sorted as istioctl does, TCP before QUIC."""
    found = []
    for listener in listeners:
        where, port, transport = address(listener)
        chains = [
            (destination(chain), match(chain.get("filterChainMatch", {})))
            for chain in [*listener.get("filterChains", []), listener.get("defaultFilterChain")]
            if chain and chain.get("name") != REFUSING_CHAIN
        ]
        rank = 0 if transport == "TCP" else 1
        for target, matched in sorted(chains, reverse=True):
            found.append(((port, where, rank), (where, str(port), transport, matched, target)))
    found.sort(key=lambda item: item[0])
    return [row for _, row in found]


def match(criteria: Json) -> str:
    """Which connections a chain takes."""
    parts = []
    if names := criteria.get("serverNames"):
        parts.append("SNI: " + ",".join(names))
    if transport := criteria.get("transportProtocol"):
        parts.append(f"Trans: {transport}")
    if protocols := criteria.get("applicationProtocols"):
        parts.append("App: " + ("HTTP" if protocols == HTTP_PLAIN else ",".join(protocols)))
    port = f":{criteria['destinationPort']}" if "destinationPort" in criteria else ""
    if ranges := criteria.get("prefixRanges"):
        texts = [f"{one['addressPrefix']}/{one.get('prefixLen', 0)}{port}" for one in ranges]
        parts.append("Addr: " + ",".join(texts))
    elif port:
        parts.append(f"Addr: *{port}")
    return "; ".join(parts) or "ALL"


def destination(chain: Json) -> str:
    """What a chain does with a connection."""
    if chain.get("name") == REFUSING_NAMES:
        return "Refused: no HTTP/3 mirror"
    for one in chain.get("filters", []):
        config = one.get("typedConfig", {})
        if one.get("name") == HCM:
            if "rds" in config:
                return f"Route: {config['rds'].get('routeConfigName', '')}"
            if "scopedRoutes" in config:
                return f"Route: {config['scopedRoutes'].get('name', '')}"
            if "routeConfig" in config:
                return inline_route(config["routeConfig"])
            return "HTTP"
        if one.get("name") == TCP_PROXY:
            if "weightedClusters" in config:
                weighted = config["weightedClusters"].get("clusters", [])
                return "Cluster: " + ", ".join(
                    f"{c.get('name', '')} ({c.get('weight', 0)})" for c in weighted
                )
            return _cluster(config.get("cluster", ""))
    return "Non-HTTP/Non-TCP"


def _cluster(name: str) -> str:
    return name if "Cluster" in name else f"Cluster: {name}"


def inline_route(config: Json) -> str:
    hosts = config.get("virtualHosts", [])
    if len(hosts) == 1 and hosts[0].get("domains") == ["*"] and len(hosts[0].get("routes", [])) == 1:
        only = hosts[0]["routes"][0]
        if only.get("match", {}).get("prefix") == "/" and "cluster" in only.get("route", {}):
            return _cluster(only["route"]["cluster"])
    texts = []
    for host in hosts:
        domains = "/".join(domain for domain in host.get("domains", []) if domain != "*")
        matches = ", ".join(path_match(route.get("match", {})) for route in host.get("routes", []))
        texts.append(f"{domains} {matches}" if domains else matches)
    return "Inline Route: " + "; ".join(texts)


# --- routes -----------------------------------------------------------------------------------------

ROUTES = ("NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE")


def route_rows(routes: Sequence[Json]) -> Rows:
    """A row for each route of each virtual host."""
    found: Rows = []
    for config in sorted(routes, key=_route_order):
        name = config.get("name", "")
        for host in config.get("virtualHosts", []):
            shown = domains_text(host.get("domains", []))
            label = host.get("name", "")
            if not host.get("routes"):
                found.append((name, label, shown, "/*", "404"))
            for route in host.get("routes", []):
                found.append((name, label, shown, route_match(route.get("match", {})), answered_by(route)))
    return found


def answered_by(route: Json) -> str:
    """The VirtualService of a route; the status of an answer that none asked for (421: a host of another server)."""
    return origin(route) or str(route.get("directResponse", {}).get("status", ""))


def _route_order(config: Json) -> tuple[int, int]:
    name = config.get("name", "")
    return (0, int(name)) if name.isdigit() else (1, 0)


def domains_text(domains: Sequence[str]) -> str:
    """At most two, and how many more there are."""
    shown = [domain for domain in domains if ":" not in domain] if len(domains) > 1 else list(domains)
    if len(shown) > MAX_DOMAINS:
        return f"{', '.join(shown[:MAX_DOMAINS])} + {len(shown) - MAX_DOMAINS} more..."
    return ", ".join(shown)


def path_match(criteria: Json) -> str:
    if "prefix" in criteria:
        return f"{criteria['prefix']}*"
    if "path" in criteria:
        return str(criteria["path"])
    if "safeRegex" in criteria:
        return f"regex {criteria['safeRegex'].get('regex', '')}"
    if "pathSeparatedPrefix" in criteria:
        return f"PathPrefix:{criteria['pathSeparatedPrefix']}"
    return ""


def route_match(criteria: Json) -> str:
    """The path, and whether headers or query parameters must match too."""
    parts = [path_match(criteria)]
    for header in criteria.get("headers", []):
        name = header.get("name", "")
        if name == ":method":
            parts.append(f"method {next(iter(header.get('stringMatch', {}).values()), '')}")
        else:
            parts.append(f"header {name}")
    parts += [f"query {query.get('name', '')}" for query in criteria.get("queryParameters", [])]
    return " ".join(parts)


def origin(resource: Json) -> str:
    """NAME.NAMESPACE of the object that a resource was made from, out of its metadata."""
    path = resource.get("metadata", {}).get("filterMetadata", {}).get("istio", {}).get("config", "")
    parts = path.split("/")
    return f"{parts[-1]}.{parts[-3]}" if len(parts) >= 4 else ""


# --- clusters and endpoints -------------------------------------------------------------------------

CLUSTERS = ("SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE")
ENDPOINTS = ("ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER")
EDS_HEALTH = {"": "HEALTHY", "UNKNOWN": "HEALTHY"}


def cluster_parts(name: str) -> tuple[str, str, str, str]:
    """(fqdn, port, subset, direction) of a cluster's name; a name of another shape is all fqdn."""
    parts = name.split("|")
    if len(parts) < 4:
        return name, "-", "-", "-"
    return parts[3], parts[1], parts[2] or "-", parts[0]


def cluster_rows(clusters: Sequence[Json]) -> Rows:
    found = []
    for cluster in clusters:
        fqdn, port, subset, direction = cluster_parts(cluster.get("name", ""))
        kind = cluster.get("type") or cluster.get("clusterType", {}).get("name") or "STATIC"
        number = int(port) if port.isdigit() else 0
        row = (fqdn, port, subset, direction, kind, origin(cluster))
        found.append(((fqdn, subset, number, direction), row))
    found.sort(key=lambda item: item[0])
    return [row for _, row in found]


def endpoint_rows(hosts: Sequence[Json]) -> Rows:
    found = []
    for host in hosts:
        where = host.get("address", {})
        socket = where.get("socketAddress", {})
        port = int(socket.get("portValue", 0))
        text = (
            f"{socket.get('address')}:{port}" if socket else f"unix://{where.get('pipe', {}).get('path', '')}"
        )
        health = host.get("healthStatus", {})
        status = health.get("edsHealthStatus", "")
        failed = health.get("failedOutlierCheck", False)
        row = (text, EDS_HEALTH.get(status, status), "FAILED" if failed else "OK", host["cluster"])
        found.append(((socket.get("address", text), port, host["cluster"]), row))
    found.sort(key=lambda item: item[0])
    return [row for _, row in found]


# --- secrets and extensions -------------------------------------------------------------------------

SECRETS = ("RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE")
EXTENSIONS = ("ECDS NAME", "TYPE")


# Istio's words for the first two.
_KINDS = {
    "tlsCertificate": "Cert Chain",
    "validationContext": "CA",
    "sessionTicketKeys": "Session Ticket Keys",
    "genericSecret": "Generic",
}
_CERTIFICATES = frozenset({"Cert Chain", "CA"})


def secret_rows(secrets: Sequence[tuple[Json, str]], now: datetime) -> Rows:
    """A row for each secret; VALID CERT says whether `now` lies within the certificate's life (-: it is none)."""
    found: Rows = []
    for secret, status in secrets:
        chain = secret.get("tlsCertificate", {}).get("certificateChain", {}).get("inlineBytes", "")
        trusted = secret.get("validationContext", {}).get("trustedCa", {}).get("inlineBytes", "")
        kind = next((name for part, name in _KINDS.items() if part in secret), "CA")
        validity = _validity(chain or trusted, now) if kind in _CERTIFICATES else ("-", "", "", "")
        found.append((secret.get("name", ""), kind, status, *validity))
    return found


def _validity(encoded: str, now: datetime) -> tuple[str, str, str, str]:
    try:
        certificate = x509.load_pem_x509_certificate(base64.b64decode(encoded))
    except (ValueError, binascii.Error):
        return "false", "", "", ""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    valid = "true" if begin <= now <= end else "false"
    return valid, f"{certificate.serial_number:032x}", _time(end), _time(begin)


def _time(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def extension_rows(extensions: Sequence[Json]) -> Rows:
    return [
        (one.get("name", ""), one.get("typedConfig", {}).get("@type", "").rsplit("/", 1)[-1])
        for one in extensions
    ]
