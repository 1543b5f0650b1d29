"""Gateways: each with its Deployment, Service, ServiceAccount and the right to read Secrets beside it."""

from typing import Any

from mizzen.inject.container import (
    AGENT_PORT,
    PROMETHEUS_PORT,
    STATUS_PORT,
    Manifest,
    proxy_container,
    proxy_volumes,
)
from mizzen.inject.proxy_config import variables
from mizzen.install.profiles import EGRESS as EGRESS_NAME
from mizzen.install.profiles import INGRESS as INGRESS_NAME
from mizzen.install.rbac import role, rule
from mizzen.install.site import EGRESS, INGRESS, Site, environment, plain
from mizzen.install.workload import (
    Workload,
    around,
    container_ports,
    deployment,
    network_policy,
    service,
)
from mizzen.lazy import dataclass
from mizzen.resources.istio.gateway_values import with_values
from mizzen.resources.istio.operator import CHART_PORTS, GatewayComponent
from mizzen.resources.kubernetes.core import ServicePort

_EGRESS_PORTS = tuple(port for port in CHART_PORTS if port.port != STATUS_PORT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A gateway that is wanted, under its full name."""

    component: str
    name: str
    namespace: str
    said: GatewayComponent
    ports: tuple[ServicePort, ...]


def gateways(site: Site) -> tuple[Installed, ...]:
    """The gateways that are wanted: ingress first, each in the order in which it is declared."""
    components, values = site.operator.spec.components, site.operator.spec.values.gateways
    kinds = (
        (INGRESS, INGRESS_NAME, components.ingress_gateways, values.ingress, CHART_PORTS),
        (EGRESS, EGRESS_NAME, components.egress_gateways, values.egress, _EGRESS_PORTS),
    )
    return tuple(
        Installed(
            component=component,
            name=said.name or usual_name,
            namespace=said.namespace or site.namespace,
            said=said,
            ports=said.k8s.service.ports or ports,
        )
        for component, usual_name, listed, below, ports in kinds
        for said in (with_values(one, below) for one in listed)
        if said.enabled is not False
    )


def gateway_access(site: Site, gateway: Installed) -> tuple[Manifest, ...]:
    """Its ServiceAccount, which may read the Secrets of its namespace: the control plane asks that of it."""
    where: Any = {"component": gateway.component, "namespace": gateway.namespace, "app": gateway.name}
    rules = [rule("", ("secrets",), ("get", "list", "watch"))]
    account = account_of(gateway)
    return (
        site.manifest("ServiceAccount", account, **where),
        *role(
            site,
            gateway.component,
            f"{gateway.name}-sds",
            gateway.namespace,
            rules,
            account,
            gateway.namespace,
            gateway.name,
        ),
    )


def account_of(gateway: Installed) -> str:
    """The ServiceAccount, and so the identity, of a gateway."""
    return f"{gateway.name}-service-account"


def gateway_workload(site: Site, gateway: Installed) -> tuple[Manifest, ...]:
    """Deployment, Service and what stands around them."""
    workload = _workload(site, gateway)
    kind = "LoadBalancer" if gateway.component == INGRESS else "ClusterIP"
    found = [deployment(workload), service(workload, gateway.ports, kind), *around(workload)]
    if site.operator.spec.values.global_.network_policy.enabled:
        opened = [(port["containerPort"], port["protocol"]) for port in workload.container["ports"]]
        every = dict.fromkeys([*opened, *((port, "TCP") for port in (STATUS_PORT, AGENT_PORT))])
        found.append(network_policy(workload, tuple(every)))
    return tuple(found)


def _workload(site: Site, gateway: Installed) -> Workload:
    said, namespace = gateway.said, gateway.namespace
    role_label = "ingressgateway" if gateway.component == INGRESS else "egressgateway"
    selector = {"app": gateway.name, "istio": role_label, **said.label}
    settings = site.proxy_settings(
        hub=said.hub,
        tag=said.tag,
        resources=plain(said.k8s.resources),
        pull=said.k8s.image_pull_policy,
    )
    container = proxy_container(
        "router",
        settings,
        workload=gateway.name,
        owner=f"kubernetes://apis/apps/v1/namespaces/{namespace}/deployments/{gateway.name}",
        env={
            "ISTIO_META_UNPRIVILEGED_POD": "true",
            **variables(site.default_config),
            **environment(said.k8s.env),
        },
        ports=container_ports(gateway.ports, taken=frozenset({(PROMETHEUS_PORT, "TCP")})),
    )
    files = (f"{role_label}-certs", f"{role_label}-ca-certs")
    container["volumeMounts"] += [
        {"name": name, "mountPath": f"/etc/istio/{name}", "readOnly": True} for name in files
    ]
    return Workload(
        site=site,
        component=gateway.component,
        app=gateway.name,
        name=gateway.name,
        namespace=namespace,
        account=account_of(gateway),
        selector=selector,
        pod_labels={
            "istio.io/rev": site.revision,
            "service.istio.io/canonical-name": gateway.name,
            "service.istio.io/canonical-revision": "latest",
            "sidecar.istio.io/inject": "false",
        },
        annotations={
            "prometheus.io/path": "/stats/prometheus",
            "prometheus.io/port": str(AGENT_PORT),
            "prometheus.io/scrape": "true",
        },
        container=container,
        volumes=(*proxy_volumes(), *map(_certificates, files)),
        k8s=said.k8s,
        needs_api=False,
    )


def _certificates(name: str) -> Manifest:
    """Istio's Secret for certificates in files, where there is one."""
    return {"name": name, "secret": {"secretName": f"istio-{name}", "optional": True}}
