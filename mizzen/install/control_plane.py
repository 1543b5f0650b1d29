"""The control plane: Deployment, Service, and the ConfigMaps that it reads."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import yaml

from mizzen.inject.container import OWN_DIR, RUN_DIR, Manifest, unprivileged
from mizzen.install.merging import merged
from mizzen.install.site import PILOT, Site, environment, plain
from mizzen.install.workload import Workload, around, deployment, network_policy, service
from mizzen.resources.kubernetes.core import ServicePort

# Name, port of the container.
_PORTS = (
    ("http-debug", 8080),
    ("grpc-xds", 15010),
    ("https-dns", 15012),
    ("https-join", 15013),
    ("http-monitoring", 15014),
    ("https-webhooks", 15017),
)
_SERVICE_PORTS = (
    ServicePort(name="grpc-xds", port=15010, target_port=15010),
    ServicePort(name="https-dns", port=15012, target_port=15012),
    ServicePort(name="https-join", port=15013, target_port=15013),
    ServicePort(name="https-webhook", port=443, target_port=15017),
    ServicePort(name="http-monitoring", port=15014, target_port=15014),
)
_RESOURCES = {"requests": {"cpu": "100m", "memory": "256Mi"}}


def config_maps(site: Site) -> tuple[Manifest, Manifest]:
    """The mesh's configuration, and what the injector is told."""
    usual = {
        "rootNamespace": site.namespace,
        "trustDomain": site.trust_domain,
        "defaultConfig": {"discoveryAddress": f"{site.pilot}.{site.namespace}.svc:15012"},
    }
    mesh = yaml.safe_dump(merged(usual, dict(site.mesh)), sort_keys=True, allow_unicode=True, width=1_000)
    values = site.operator.spec.values.global_
    told = {
        "global": {
            "hub": site.hub(),
            "tag": site.tag(),
            "imagePullPolicy": values.image_pull_policy,
            "imagePullSecrets": list(values.image_pull_secrets),
            "proxy": {"resources": plain(values.proxy.resources)},
        },
        "revision": site.revision,
    }
    return (
        site.manifest("ConfigMap", f"istio{site.suffix}", component=PILOT, data={"mesh": mesh}),
        site.manifest(
            "ConfigMap",
            f"istio-sidecar-injector{site.suffix}",
            component=PILOT,
            app="sidecar-injector",
            data={"values": json.dumps(told, indent=2, sort_keys=True) + "\n"},
        ),
    )


def control_plane(site: Site) -> tuple[Manifest, ...]:
    """Deployment, Service and what stands around them."""
    workload = _workload(site)
    ports = workload.k8s.service.ports or _SERVICE_PORTS
    found = [service(workload, ports, "ClusterIP"), deployment(workload), *around(workload)]
    if site.operator.spec.values.global_.network_policy.enabled:
        found.append(network_policy(workload, tuple((port, "TCP") for _, port in _PORTS)))
    return tuple(found)


def _workload(site: Site) -> Workload:
    said, values = site.operator.spec.components.pilot, site.operator.spec.values.pilot
    k8s = said.k8s
    marked = {"istio.io/rev": site.revision} if site.suffix else {"istio": "pilot"}
    if k8s.replica_count is None and values.replica_count is not None and values.autoscale_enabled is False:
        k8s = dataclasses.replace(k8s, replica_count=values.replica_count)
    k8s = dataclasses.replace(
        k8s,
        node_selector={**values.node_selector, **k8s.node_selector},
        tolerations=k8s.tolerations or values.tolerations,
        affinity=k8s.affinity or values.affinity,
        pod_annotations={**values.pod_annotations, **k8s.pod_annotations},
        pod_labels={**values.pod_labels, **k8s.pod_labels},
        service_annotations={**values.service_annotations, **k8s.service_annotations},
    )
    return Workload(
        site=site,
        component=PILOT,
        app="istiod",
        name=site.pilot,
        namespace=site.namespace,
        account=site.pilot,
        selector={"app": "istiod", **marked},
        pod_labels={
            "istio": f"istiod{site.suffix}" if site.suffix else "pilot",
            "istio.io/rev": site.revision,
            "sidecar.istio.io/inject": "false",
        },
        annotations={"prometheus.io/port": "15014", "prometheus.io/scrape": "true"},
        container=_container(site),
        volumes=({"name": "run", "emptyDir": {"medium": "Memory"}},),
        k8s=k8s,
        scaled=None if values.autoscale_enabled is False else _bounds(site),
        needs_api=True,
    )


def _bounds(site: Site) -> tuple[int, int]:
    values = site.operator.spec.values.pilot
    least = 1 if values.autoscale_min is None else values.autoscale_min
    return least, max(least, 5 if values.autoscale_max is None else values.autoscale_max)


def _container(site: Site) -> Manifest:
    said, values = site.operator.spec.components.pilot, site.operator.spec.values.pilot
    pull = said.k8s.image_pull_policy or site.pull_policy
    return {
        "name": "discovery",
        "image": site.image(said.hub, said.tag),
        **({"imagePullPolicy": pull} if pull else {}),
        "args": ["pilot", "--kubernetes"],
        "env": [
            {"name": name, **({"value": value} if isinstance(value, str) else {"valueFrom": value})}
            for name, value in _environment(site).items()
        ],
        "ports": [{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in _PORTS],
        "readinessProbe": {
            "httpGet": {"path": "/ready", "port": 8080},
            "initialDelaySeconds": 1,
            "periodSeconds": 3,
            "timeoutSeconds": 5,
        },
        "resources": plain(values.resources) or _RESOURCES,
        "securityContext": unprivileged(),
        "volumeMounts": [{"name": "run", "mountPath": RUN_DIR}],
    }


def _environment(site: Site) -> Mapping[str, Any]:
    values = site.operator.spec.values.pilot
    sampling = values.trace_sampling
    return {
        "REVISION": site.revision,
        "POD_NAME": _of_pod("metadata.name"),
        "POD_NAMESPACE": _of_pod("metadata.namespace"),
        "POD_IP": _of_pod("status.podIP"),
        "SERVICE_ACCOUNT": _of_pod("spec.serviceAccountName"),
        "MIZZEN_RUN_DIR": OWN_DIR,
        **({} if sampling is None else {"PILOT_TRACE_SAMPLING": f"{sampling:g}"}),
        **values.env,
        **environment(site.operator.spec.components.pilot.k8s.env),
    }


def _of_pod(path: str) -> Manifest:
    return {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}
