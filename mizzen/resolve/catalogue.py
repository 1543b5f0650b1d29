"""Every problem that resolving can find: code -> one sentence. Each module says its own next to its use."""

from collections.abc import Mapping
from types import MappingProxyType

from mizzen.resolve import edge, listeners, mirrors, proxies, secrets, servers, tls

CATALOGUE: Mapping[str, str] = MappingProxyType(
    {
        code: sentence
        for module in (edge, listeners, mirrors, proxies, secrets, servers, tls)
        for code, sentence in module.CODES.items()
    }
)
