"""Every problem that resolving can find: code -> one sentence. Each module says its own next to its use."""

from collections.abc import Mapping
from types import MappingProxyType

from mizzen.resolve import http3_policies, unix, with_errors
from mizzen.resolve.access import closing, patches, plugins, policy_checks, tokens
from mizzen.resolve.checks import claims, for_nobody, references, selectors
from mizzen.resolve.gateways import server_tls, servers
from mizzen.resolve.ingress import conversion
from mizzen.resolve.listeners import (
    access_logs,
    bindings,
    collectors,
    connection_ids,
    early_data,
    edge,
    listeners,
    mirrors,
    shared_certificates,
    telemetry,
    tracing,
)
from mizzen.resolve.proxies import declared
from mizzen.resolve.routes import delegates, dynamic_names, rules, tables
from mizzen.resolve.services import backends, client_tls, endpoints, policies, services, upstream_http3
from mizzen.resolve.sidecars import outbound, workload_ports
from mizzen.resolve.tls import secrets

_MODULES = (
    access_logs,
    backends,
    bindings,
    claims,
    client_tls,
    closing,
    collectors,
    connection_ids,
    conversion,
    delegates,
    dynamic_names,
    early_data,
    edge,
    endpoints,
    for_nobody,
    http3_policies,
    listeners,
    mirrors,
    outbound,
    patches,
    plugins,
    policies,
    policy_checks,
    declared,
    references,
    rules,
    tables,
    secrets,
    selectors,
    servers,
    services,
    shared_certificates,
    server_tls,
    telemetry,
    tokens,
    tracing,
    unix,
    upstream_http3,
    with_errors,
    workload_ports,
)

CATALOGUE: Mapping[str, str] = MappingProxyType(
    {code: sentence for module in _MODULES for code, sentence in module.CODES.items()}
)
