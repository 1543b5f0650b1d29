"""values.gateways.istio-ingressgateway: what charts take, laid below the component of the same gateway.

As Istio's installer does it: the values are those of every gateway of their kind, and a component says more of one.
"""

from dataclasses import replace
from typing import Any

from mizzen.resources.istio.operator import (
    GatewayComponent,
    GatewayService,
    GatewayValues,
    HorizontalPodAutoscalerSpec,
    IstioOperatorSpec,
    KubernetesResources,
    OperatorEnvVar,
)


def with_values(component: GatewayComponent, values: GatewayValues) -> GatewayComponent:
    """The component, and what it does not say from the values."""
    return replace(
        component,
        name=component.name or values.name,
        namespace=component.namespace or values.namespace,
        enabled=values.enabled if component.enabled is None else component.enabled,
        label={**values.labels, **component.label},
        k8s=_kubernetes(component.k8s, values),
    )


def namespace_of(spec: IstioOperatorSpec) -> str:
    """Where the control plane is, and gateways that name no namespace; "" where nobody says so."""
    return spec.namespace or spec.values.global_.istio_namespace


def _kubernetes(said: KubernetesResources, values: GatewayValues) -> KubernetesResources:
    own = {one.name for one in said.env}
    env = (OperatorEnvVar(name=name, value=value) for name, value in values.env.items() if name not in own)
    has_resources = said.resources.requests or said.resources.limits
    volumes = [one for one in values.secret_volumes if one.name and one.secret_name and one.mount_path]
    return replace(
        said,
        service=_service(said.service, values),
        env=(*env, *said.env),
        resources=said.resources if has_resources else values.resources,
        replica_count=_replicas(said, values),
        hpa_spec=said.hpa_spec or _autoscaler(said, values),
        pod_annotations={**values.pod_annotations, **said.pod_annotations},
        service_annotations={**values.service_annotations, **said.service_annotations},
        node_selector={**values.node_selector, **said.node_selector},
        affinity=said.affinity or values.affinity,
        tolerations=said.tolerations or values.tolerations,
        strategy=said.strategy or _strategy(values),
        volumes=(
            *(
                {"name": one.name, "secret": {"secretName": one.secret_name, "optional": True}}
                for one in volumes
            ),
            *said.volumes,
        ),
        volume_mounts=(
            *({"name": one.name, "mountPath": one.mount_path, "readOnly": True} for one in volumes),
            *said.volume_mounts,
        ),
    )


def _service(said: GatewayService, values: GatewayValues) -> GatewayService:
    return replace(
        said,
        ports=said.ports or values.ports,
        type=said.type or values.type,
        external_traffic_policy=said.external_traffic_policy or values.external_traffic_policy,
        external_ips=said.external_ips or values.external_ips,
        load_balancer_ip=said.load_balancer_ip or values.load_balancer_ip,
        load_balancer_class=said.load_balancer_class or values.load_balancer_class,
        load_balancer_source_ranges=said.load_balancer_source_ranges or values.load_balancer_source_ranges,
        ip_families=said.ip_families or values.ip_families,
        ip_family_policy=said.ip_family_policy or values.ip_family_policy,
    )


def _replicas(said: KubernetesResources, values: GatewayValues) -> int | None:
    """How many Pods, where no autoscaler says so."""
    if said.replica_count is not None or said.hpa_spec is not None or values.autoscale_enabled is not False:
        return said.replica_count
    return 1 if values.replica_count is None else values.replica_count


def _autoscaler(said: KubernetesResources, values: GatewayValues) -> HorizontalPodAutoscalerSpec | None:
    percent = values.cpu.target_average_utilization
    asked = (values.autoscale_min, values.autoscale_max, percent)
    if said.replica_count is not None or values.autoscale_enabled is False or asked == (None, None, None):
        return None
    target = {"type": "Utilization", "averageUtilization": percent}
    metrics = ({"type": "Resource", "resource": {"name": "cpu", "target": target}},) if percent else ()
    return HorizontalPodAutoscalerSpec(
        min_replicas=values.autoscale_min, max_replicas=values.autoscale_max, metrics=metrics
    )


def _strategy(values: GatewayValues) -> dict[str, Any]:
    surge, unavailable = values.rolling_max_surge, values.rolling_max_unavailable
    if surge is None and unavailable is None:
        return {}
    rolling = {
        "maxSurge": "100%" if surge is None else surge,
        "maxUnavailable": "25%" if unavailable is None else unavailable,
    }
    return {"type": "RollingUpdate", "rollingUpdate": rolling}
