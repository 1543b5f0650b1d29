"""What a sidecar opens towards the mesh: the ports of its workload, and where the application listens."""

from collections.abc import Iterable, Iterator

from mizzen.errors import Problem, ResourceRef
from mizzen.lazy import dataclass
from mizzen.resolve.context import Context
from mizzen.resolve.selecting import fits
from mizzen.resolve.services.services import MeshPort, MeshService, ServiceIndex, named_protocol
from mizzen.resolve.unix import UNIX, is_unix, permits
from mizzen.resources.formats.checks import is_ip, port_text, unix_path
from mizzen.resources.istio.sidecar import IngressListener, Sidecar

CODES = {
    "SC-001": "A port of a workload is where its sidecar would listen itself; the sidecar does not open it.",
    "SC-002": "Where an application listens is written in a way that cannot be read; the port is not opened.",
    "SC-003": "No Service or Sidecar says which ports a workload has; its sidecar opens none.",
}

_ANY = "0.0.0.0"
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundPort:
    """One port that a sidecar opens."""

    bind: str
    number: int
    protocol: str  # in Istio's words; "": nobody said
    # Where the application listens: an IP address, or the path of a Unix socket; "": where it was asked.
    target: str
    target_port: int  # 0 with a Unix socket
    operation: str  # what a trace calls it: "httpbin.httpbin.svc.cluster.local:8000"
    ref: ResourceRef
    at: str


def inbound_ports(ctx: Context, services: ServiceIndex) -> tuple[InboundPort, ...]:
    """The ports that a Sidecar lists; else those of every Service that selects the workload. By number."""
    if ctx.proxy.intercepted:
        return _by_number(_redirected(ctx, services))
    sidecar = sidecar_of(ctx)
    if sidecar is not None and sidecar.spec.ingress:
        found = list(_listed(ctx, sidecar, services))
    else:
        found = list(_served(ctx, services))
    if not found and not (sidecar is not None and sidecar.spec.ingress):
        ctx.report(
            Problem(
                code="SC-003",
                resource=ctx.proxy.origin,
                message=f"no Service selects {ctx.proxy.key}, and no Sidecar lists its ports",
                hint="Write a Service whose selector fits its labels, or a Sidecar with `ingress`.",
            )
        )
    return _by_number(found)


def _by_number(found: Iterable[InboundPort]) -> tuple[InboundPort, ...]:
    """Of two with one number the first counts."""
    by_number = {one.number: one for one in reversed(list(found))}
    return tuple(by_number[number] for number in sorted(by_number))


def _redirected(ctx: Context, services: ServiceIndex) -> Iterator[InboundPort]:
    """The ports of every Service that selects a Pod; the application is asked where it was asked."""
    for service in services.all:
        for port in service.ports:
            number = workload_port(ctx, service, port)
            if number is not None and port.protocol != "UDP":
                yield InboundPort(
                    bind=_ANY,
                    number=number,
                    protocol=port.protocol,
                    target="",
                    target_port=number,
                    operation=f"{service.host}:{port.number}",
                    ref=service.ref,
                    at="spec.ports",
                )


def sidecar_of(ctx: Context) -> Sidecar | None:
    """The Sidecar of a workload: one that selects it, else its namespace's, else the root namespace's."""
    own = [one for one in ctx.world.sidecars if one.namespace == ctx.proxy.namespace]
    labels = ctx.proxy.labels
    for one in own:
        selector = one.spec.workload_selector
        if selector and fits(selector.labels, labels):
            return one
    root = [one for one in ctx.world.sidecars if one.namespace == ctx.mesh.root_namespace]
    return next((one for one in (*own, *root) if one.spec.workload_selector is None), None)


# --- as a Sidecar lists them ------------------------------------------------------------------------


def _listed(ctx: Context, sidecar: Sidecar, services: ServiceIndex) -> Iterator[InboundPort]:
    for listener in sidecar.spec.ingress:
        target = _target(listener)
        if target is None:
            ctx.report(
                Problem(
                    code="SC-002",
                    resource=sidecar.ref,
                    field=f"{listener.at}.defaultEndpoint",
                    message=f"{listener.default_endpoint!r} is not where an application can listen",
                    hint="Write 127.0.0.1:PORT or unix:///PATH.",
                )
            )
            continue
        if is_unix(listener.default_endpoint) and not permits(
            ctx, listener.default_endpoint, sidecar.ref, f"{listener.at}.defaultEndpoint"
        ):
            continue
        number = listener.port.number
        bind = listener.bind or _address(ctx) or _ANY
        if _is_same(bind, number, target):
            yield from _itself(ctx, sidecar.ref, f"{listener.at}.defaultEndpoint", number)
            continue
        service, port = _service_of(ctx, services, number)
        operation = f"{service.host}:{port.number}" if service and port else f"{ctx.proxy.key}:{number}"
        yield InboundPort(
            bind=bind,
            number=number,
            protocol=named_protocol(listener.port.protocol.lower()),
            target=target[0],
            target_port=target[1],
            operation=operation,
            ref=sidecar.ref,
            at=listener.at,
        )


def _target(listener: IngressListener) -> tuple[str, int] | None:
    """Address and port of `defaultEndpoint`; without one, the same port on the loopback address."""
    text = listener.default_endpoint
    if not text:
        return _LOOPBACK, listener.port.number
    if is_unix(text):
        return (text.removeprefix(UNIX), 0) if not unix_path(text) else None
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    if port_text(port) or not is_ip(host):
        return None
    return (_LOOPBACK if host == _ANY else host), int(port)


def _service_of(
    ctx: Context, services: ServiceIndex, number: int
) -> tuple[MeshService | None, MeshPort | None]:
    """The service whose requests arrive at a port of the workload."""
    for service in services.all:
        for port in service.ports:
            if workload_port(ctx, service, port) == number:
                return service, port
    return None, None


# --- as Services say --------------------------------------------------------------------------------


def _served(ctx: Context, services: ServiceIndex) -> Iterator[InboundPort]:
    bind = _address(ctx)
    for service in services.all:
        for port in service.ports:
            number = workload_port(ctx, service, port)
            if number is None or port.protocol == "UDP":
                continue
            if _is_same(bind or _ANY, number, (_LOOPBACK, number)):
                yield from _itself(ctx, service.ref, "spec.ports", number)
                continue
            yield InboundPort(
                bind=bind,
                number=number,
                protocol=port.protocol,
                target=_LOOPBACK,
                target_port=number,
                operation=f"{service.host}:{port.number}",
                ref=service.ref,
                at="spec.ports",
            )


def workload_port(ctx: Context, service: MeshService, port: MeshPort) -> int | None:
    """The number under which a workload serves a port of a service; None when the service is not its."""
    proxy = ctx.proxy
    if service.namespace != proxy.namespace:
        return None
    selector = (
        service.kubernetes.spec.selector
        if service.kubernetes
        else next((e.spec.workload_selector.labels for e in service.entries if e.spec.workload_selector), {})
    )
    if not selector or not fits(selector, proxy.labels):
        return None
    if isinstance(port.target_port, str):
        return proxy.ports.get(port.target_port)
    return proxy.ports.get(port.name) or port.target_port or port.number


# --- addresses --------------------------------------------------------------------------------------


def _itself(ctx: Context, ref: ResourceRef, at: str, number: int) -> Iterator[InboundPort]:
    """Nothing, and a problem: nobody redirects connections on a plain machine, so two cannot share a port."""
    ctx.report(
        Problem(
            code="SC-001",
            resource=ref,
            field=at,
            message=f"the sidecar of {ctx.proxy.key} and its application cannot both listen on port {number}",
            hint="Write a Sidecar whose `ingress` opens one port and leads to another by `defaultEndpoint`.",
        )
    )
    yield from ()


def _is_same(bind: str, number: int, target: tuple[str, int]) -> bool:
    return target[1] == number and (bind in (_ANY, "::") or bind == target[0])


def _address(ctx: Context) -> str:
    """The workload's address where it is one that can be bound."""
    return ctx.proxy.address if is_ip(ctx.proxy.address) else ""
