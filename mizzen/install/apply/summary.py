"""What whoever has installed wants to know next: where each gateway is reached, and what keeps it from being."""

from collections.abc import Sequence

from mizzen.inject.container import Manifest
from mizzen.install.apply.objects import Objects, key_of
from mizzen.kube.client import Json


async def summary(objects: Objects, manifests: Sequence[Manifest]) -> list[str]:
    """One line for each Service of type LoadBalancer. Raises ClusterError."""
    found = []
    for manifest in manifests:
        if manifest["kind"] == "Service" and manifest["spec"].get("type") == "LoadBalancer":
            service = await objects.get(key_of(manifest))
            if service is not None:
                found.append(reached(service))
    return found


def reached(service: Json) -> str:
    """Where a Service of type LoadBalancer is reached."""
    name = f"{service['metadata']['name']}.{service['metadata']['namespace']}"
    status = service.get("status", {})
    ports = ", ".join(
        f"{one['port']}/{one.get('protocol', 'TCP')}" for one in service["spec"].get("ports") or ()
    )
    addresses = [
        one.get("ip") or one.get("hostname") for one in status.get("loadBalancer", {}).get("ingress") or ()
    ]
    text = f"  {name}: {', '.join(filter(None, addresses)) or 'no external address yet'}, ports {ports}"
    for condition in status.get("conditions") or ():
        if condition.get("type") == "LoadBalancerPortsError" and condition.get("status") == "True":
            why = condition.get("message") or condition.get("reason") or "no reason is given"
            text += f"\n  the load balancer refuses some of these ports: {why}"
    return text
