"""UDP on Kubernetes: what the Service of a gateway says of its load balancer, and what becomes of client addresses."""

from collections.abc import Iterator

from mizzen.errors import Problem, Severity
from mizzen.resolve.context import ByService, Context
from mizzen.resolve.selecting import for_proxy
from mizzen.resources.kubernetes.core import Service
from mizzen.resources.world import World

_PORTS_ERROR = "LoadBalancerPortsError"  # Kubernetes: a condition of the Service
_OUTSIDE = frozenset({"LoadBalancer", "NodePort"})


def udp_refusal(ctx: Context, number: int) -> str:
    """Why no load balancer carries UDP at a port that clients dial; "" when one does, or nobody says otherwise."""
    if not isinstance(ctx.proxy.external_ports, ByService):
        return ""
    found = [refusal(ctx.world, service, number) for service in _services(ctx, number)]
    return found[0] if found and all(found) else ""


def refusal(world: World, service: Service, number: int) -> str:
    """Why the load balancer of a Service does not carry UDP at one of its ports; "" when nobody says so."""
    if service.spec.type != "LoadBalancer":
        return ""
    called = f"the load balancer of the Service {service.namespace}/{service.name}"
    for condition in service.status.conditions:
        if condition.type == _PORTS_ERROR and condition.status == "True":
            return f"{called} does not carry all ports: {condition.message or 'it does not say why'}"
    ingress = service.status.load_balancer.ingress
    for port in (port for one in ingress for port in one.ports):
        if port.port == number and port.protocol == "UDP" and port.error:
            return f"{called} does not carry {number}/UDP: {port.error}"
    if ingress:
        return ""
    for event in world.events:
        about = event.involved_object
        is_of_core = about.api_version in ("", "v1")  # Knative has Services too
        named = (about.kind, about.namespace, about.name)
        if is_of_core and named == ("Service", service.namespace, service.name):
            return f"{called} was refused: {event.message}"
    return ""


def _services(ctx: Context, number: int | None = None) -> Iterator[Service]:
    """The Services of the gateway that open a port for UDP."""
    hosts = {t.service for t in ctx.proxy.targets if t.udp and number in (None, t.port)}
    for service in ctx.world.services:
        if f"{service.name}.{service.namespace}.svc.cluster.local" in hosts:
            yield service


def judge_client_addresses(ctx: Context) -> None:
    """Tell of policies that look at client addresses where those are not to be seen.

    With `externalTrafficPolicy: Cluster`, Kubernetes' default, a node hands connections on under an address of
    its own, TCP and UDP alike.
    """
    if not isinstance(ctx.proxy.external_ports, ByService):
        return
    hiding = [
        one
        for one in _services(ctx)
        if one.spec.type in _OUTSIDE and one.spec.external_traffic_policy != "Local"
    ]
    if not hiding:
        return
    service = hiding[0]
    for policy in for_proxy(ctx, ctx.world.authorization_policies):
        for number, rule in enumerate(policy.spec.rules):
            for place, source in enumerate(one.source for one in rule.from_):
                if (
                    source.ip_blocks
                    or source.not_ip_blocks
                    or source.remote_ip_blocks
                    or source.not_remote_ip_blocks
                ):
                    ctx.report(
                        Problem(
                            severity=Severity.WARNING,
                            code="H3-009",
                            resource=policy.ref,
                            field=f"spec.rules[{number}].from[{place}].source",
                            message="it judges the addresses of clients, and the Service "
                            f"{service.namespace}/{service.name} hides them behind those of nodes",
                            hint="Set externalTrafficPolicy: Local in that Service (k8s.service of the gateway).",
                        )
                    )
