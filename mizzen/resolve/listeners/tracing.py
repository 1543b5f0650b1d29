"""Who collects spans: a provider of the mesh, the Zipkin of the proxy's configuration, or nobody."""

from mizzen.model.backend import Backend, Discovery, Endpoint, EndpointGroup, Protocol
from mizzen.model.listener import TraceHeaders, Tracer
from mizzen.resolve.context import Context, step
from mizzen.resources.formats.checks import port_text
from mizzen.resources.istio.mesh import ExtensionProvider

# The cluster of spans in Istio's bootstrap.
ZIPKIN = "zipkin"
_ZIPKIN_PORT = 9411
_SAMPLED = 1.0  # percent: Istio's default


@step
def tracing(ctx: Context) -> tuple[Tracer | None, tuple[Backend, ...]]:
    """The tracer of every listener of a proxy, and the backend that spans go to; none where nobody collects them.

    Whoever says how much is sampled gets a tracer all the same: only a tracer tells backends to sample some of the requests.
    """
    if not ctx.mesh.enable_tracing:
        return None, ()
    service = f"{ctx.proxy.labels.get('app', ctx.proxy.name)}.{ctx.proxy.namespace}"
    provider = _provider(ctx)
    if provider is not None and provider.opentelemetry is not None:
        wanted = provider.opentelemetry
        backend = _backend(ctx, wanted.service, wanted.port, Protocol.HTTP2)
        return Tracer(kind="opentelemetry", backend=backend.name, service=service), (backend,)
    if provider is not None and provider.zipkin is not None:
        backend = _backend(ctx, provider.zipkin.service, provider.zipkin.port, Protocol.UNKNOWN)
    else:
        settings = ctx.proxy.config.tracing
        host, _, port = (settings.zipkin.address if settings and settings.zipkin else "").rpartition(":")
        if not host and _sampling(ctx) is None:
            return None, ()
        number = int(port) if not port_text(port) else _ZIPKIN_PORT
        backend = _backend(ctx, host, number, Protocol.UNKNOWN)
    return Tracer(kind="zipkin", backend=backend.name, service=service), (backend,)


def trace_headers(ctx: Context) -> TraceHeaders | None:
    """What becomes of B3 headers at a proxy whose spans nobody collects: they are made and passed on all the same, as in
    the meshes that people know. None where a tracer does it, or where the mesh's tracing is off."""
    return TraceHeaders.MAKE if ctx.mesh.enable_tracing and tracing(ctx)[0] is None else None


def trace_percent(ctx: Context) -> float:
    """The share of requests that are sampled."""
    said = _sampling(ctx)
    return _SAMPLED if said is None else said


def _sampling(ctx: Context) -> float | None:
    """What somebody said of that; None: nobody did."""
    settings = ctx.proxy.config.tracing
    own = settings.sampling if settings else None
    return ctx.switches.trace_sampling if own is None else own


def _provider(ctx: Context) -> ExtensionProvider | None:
    wanted = ctx.mesh.default_providers.tracing[:1]
    return next((one for one in ctx.mesh.extension_providers if one.name in wanted), None)


def _backend(ctx: Context, host: str, port: int, protocol: Protocol) -> Backend:
    groups = (EndpointGroup(endpoints=(Endpoint(address=host, port=port),)),) if host else ()
    return Backend(
        name=ZIPKIN if protocol is Protocol.UNKNOWN else "opentelemetry",
        discovery=Discovery.DNS if host else Discovery.NONE,
        service=None,
        groups=groups,
        protocol=protocol,
        origin=ctx.proxy.origin,
    )
