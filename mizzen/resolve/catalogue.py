"""Every problem that resolving can find: code -> one sentence. Each module says its own next to its use."""

from collections.abc import Mapping
from types import MappingProxyType

from mizzen.resolve import (
    authorization,
    backends,
    client_tls,
    closing,
    delegates,
    edge,
    endpoints,
    listeners,
    mirrors,
    outbound,
    policies,
    proxies,
    references,
    routes,
    secrets,
    servers,
    services,
    shared_certificates,
    tls,
    tokens,
    unix,
    workloads,
)

_MODULES = (
    authorization,
    backends,
    client_tls,
    closing,
    delegates,
    edge,
    endpoints,
    listeners,
    mirrors,
    outbound,
    policies,
    proxies,
    references,
    routes,
    secrets,
    servers,
    services,
    shared_certificates,
    tls,
    tokens,
    unix,
    workloads,
)

CATALOGUE: Mapping[str, str] = MappingProxyType(
    {code: sentence for module in _MODULES for code, sentence in module.CODES.items()}
)
