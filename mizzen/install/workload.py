"""A Deployment and what stands around it: Service, autoscaler, disruption budget, NetworkPolicy."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from mizzen.inject.container import Manifest
from mizzen.install.site import Site, plain
from mizzen.lazy import dataclass
from mizzen.resources.istio.operator import KubernetesResources
from mizzen.resources.kubernetes.core import ServicePort

_HANDLERS = frozenset({"httpGet", "tcpSocket", "exec", "grpc"})
_POD_SECURITY = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One Deployment, as the component that asks for it describes it."""

    site: Site
    component: str
    app: str
    name: str
    namespace: str
    account: str
    selector: Mapping[str, str]
    pod_labels: Mapping[str, str]  # beside those of the selector
    annotations: Mapping[str, str] = field(default_factory=dict)  # of the Pod
    container: Manifest
    volumes: tuple[Manifest, ...]
    k8s: KubernetesResources
    scaled: tuple[int, int] | None = (1, 5)  # least and most Pods; None: as many as replicaCount says
    needs_api: bool  # whether its ServiceAccount's token is mounted

    def manifest(self, kind: str, **body: Any) -> Manifest:
        """A manifest of this workload's name."""
        return self.site.manifest(
            kind,
            self.name,
            component=self.component,
            app=self.app,
            namespace=self.namespace,
            labels=self.selector,
            **body,
        )


def deployment(workload: Workload) -> Manifest:
    k8s = workload.k8s
    usual = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "100%", "maxUnavailable": "25%"}}
    template = {
        "metadata": {
            "labels": {**workload.pod_labels, **k8s.pod_labels, **workload.selector},
            **_given(annotations={**workload.annotations, **k8s.pod_annotations}),
        },
        "spec": _pod_spec(workload),
    }
    return workload.manifest(
        "Deployment",
        spec={
            **(
                {}
                if autoscaled(workload)
                else {"replicas": 1 if k8s.replica_count is None else k8s.replica_count}
            ),
            "selector": {"matchLabels": dict(workload.selector)},
            "strategy": dict(k8s.strategy) or usual,
            "template": template,
        },
    )


def _pod_spec(workload: Workload) -> Manifest:
    k8s, values = workload.k8s, workload.site.operator.spec.values.global_
    container = dict(workload.container)
    if k8s.resources.requests or k8s.resources.limits:
        container["resources"] = plain(k8s.resources)
    if k8s.readiness_probe:
        container["readinessProbe"] = _probe(container["readinessProbe"], k8s.readiness_probe)
    container["volumeMounts"] = [*container["volumeMounts"], *(dict(mount) for mount in k8s.volume_mounts)]
    return {
        "serviceAccountName": workload.account,
        "automountServiceAccountToken": workload.needs_api,
        "containers": [container],
        "securityContext": {**_POD_SECURITY, **k8s.security_context},
        "volumes": [*workload.volumes, *(dict(volume) for volume in k8s.volumes)],
        **_given(
            affinity=dict(k8s.affinity),
            imagePullSecrets=[{"name": name} for name in values.image_pull_secrets],
            nodeSelector=dict(k8s.node_selector),
            priorityClassName=k8s.priority_class_name or values.priority_class_name,
            tolerations=[dict(one) for one in k8s.tolerations],
        ),
    }


def _probe(usual: Mapping[str, Any], said: Mapping[str, Any]) -> Manifest:
    """`said` over the usual probe; a Pod may ask in one way only, so another one takes its place."""
    kept = {key: value for key, value in usual.items() if key not in _HANDLERS or not _HANDLERS & said.keys()}
    return {**kept, **said}


def _given(**fields: Any) -> Manifest:
    return {name: value for name, value in fields.items() if value}


def service(workload: Workload, ports: tuple[ServicePort, ...], kind: str) -> Manifest:
    """The Service of a workload. `kind`: its type where nobody says. Ports are keyed by number and protocol."""
    said = workload.k8s.service
    rest = plain(said)
    rest.pop("ports", None)
    rest.pop("selector", None)
    found = workload.manifest(
        "Service",
        annotations=workload.k8s.service_annotations,
        spec={
            "type": kind,
            **rest,
            "selector": dict(said.selector) or dict(workload.selector),
            "ports": [service_port(port) for port in ports],
        },
    )
    if not found["spec"]["ports"]:
        del found["spec"]["ports"]
    return found


def service_port(port: ServicePort) -> Manifest:
    """With its protocol always: an API server merges ports by number and protocol as they are written."""
    return {
        **({"name": port.name} if port.name else {}),
        "port": port.port,
        "protocol": port.protocol,
        "targetPort": port.port if port.target_port is None else port.target_port,
        **({"appProtocol": port.app_protocol} if port.app_protocol else {}),
        **({"nodePort": port.node_port} if port.node_port else {}),
    }


def container_ports(
    ports: tuple[ServicePort, ...], taken: frozenset[tuple[int, str]]
) -> tuple[Manifest, ...]:
    """What the container opens for the Service's ports, each number and protocol once; not those `taken`."""
    found: dict[tuple[int, str], Manifest] = {}
    for port in ports:
        if isinstance(port.target_port, str):  # a name, which this container gives to the port's own number
            number, named = port.port, {"name": port.target_port}
        else:
            number, named = port.target_port or port.port, {}
        if (number, port.protocol) not in taken:
            opened = {**named, "containerPort": number, "protocol": port.protocol}
            found.setdefault((number, port.protocol), opened)
    return tuple(found.values())


def autoscaled(workload: Workload) -> bool:
    """Whether an autoscaler says how many Pods there are; else replicaCount does."""
    if workload.k8s.hpa_spec is not None:
        return True
    return workload.scaled is not None and workload.k8s.replica_count is None


def around(workload: Workload) -> tuple[Manifest, ...]:
    """The autoscaler and the disruption budget, where there are any."""
    k8s = workload.k8s
    least = 1 if k8s.replica_count is None else k8s.replica_count
    found: list[Manifest] = []
    if autoscaled(workload):
        found.append(_autoscaler(workload))
        least = found[0]["spec"]["minReplicas"]
    budget = plain(k8s.pod_disruption_budget) if k8s.pod_disruption_budget else {}
    if budget or least > 1:  # a budget of one Pod out of one would keep nodes from being drained
        spec = {**(budget or {"minAvailable": 1}), "selector": {"matchLabels": dict(workload.selector)}}
        found.append(workload.manifest("PodDisruptionBudget", spec=spec))
    return tuple(found)


def _autoscaler(workload: Workload) -> Manifest:
    said = plain(workload.k8s.hpa_spec) if workload.k8s.hpa_spec else {}
    least, most = workload.scaled or (1, 5)
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    least = said.get("minReplicas", least)
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload.name},
        "metrics": [{"type": "Resource", "resource": cpu}],
        **said,
        "minReplicas": least,
        "maxReplicas": said.get("maxReplicas", max(least, most)),
    }
    return workload.manifest("HorizontalPodAutoscaler", spec=spec)


def network_policy(workload: Workload, ports: tuple[tuple[int, str], ...]) -> Manifest:
    """Who may come: anybody, at `ports` and nowhere else. Where it goes stays free."""
    return workload.manifest(
        "NetworkPolicy",
        spec={
            "podSelector": {"matchLabels": dict(workload.selector)},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"port": port, "protocol": protocol} for port, protocol in ports]}],
        },
    )
