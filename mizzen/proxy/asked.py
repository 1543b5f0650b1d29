"""What an Envoy is to be started with, as its configuration asks for it. Pure."""

import re

from mizzen.pipeline import GatewayBuild
from mizzen.resolve.context import Proxy
from mizzen.status import ProxyValue


def proxy_value(build: GatewayBuild) -> ProxyValue:
    """What the supervisor must know to run a gateway's Envoy."""
    proxy = build.proxy
    config = proxy.config
    wanted, drain, leaving = config.concurrency, config.drain_duration, config.termination_drain_duration
    return ProxyValue(
        kind=proxy.kind,
        name=proxy.name,
        namespace=proxy.namespace,
        labels=dict(proxy.labels),
        concurrency=wanted if wanted is not None and wanted > 0 else None,
        drain_seconds=max(1, round(drain.total_seconds())) if drain is not None else None,
        leaving_seconds=leaving.total_seconds() if leaving is not None else None,
        max_connections=_most_connections(proxy),
        runtime=dict(config.runtime_values),
    )


def _most_connections(proxy: Proxy) -> int | None:
    """connectionSettings, else the variable ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS, as Istio's agent has it."""
    settings = proxy.config.connection_settings
    said = settings.global_downstream_connection_limit if settings else None
    text = proxy.metadata.get("GLOBAL_DOWNSTREAM_MAX_CONNECTIONS", "")
    if said is None and re.fullmatch(r"[0-9]{1,10}", text):
        said = int(text)
    return min(said, 2**31 - 1) if said is not None and said > 0 else None
