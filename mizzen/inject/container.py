"""The proxy's container and its volumes: the same for gateways and sidecars, named as Istio names them."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from mizzen.lazy import dataclass

Manifest = dict[str, Any]

PROXY = "istio-proxy"
USER = 1337  # whose connections the redirection leaves alone
RUN_DIR = "/run/mizzen"  # sockets, keys and logs: in memory, gone with the Pod
OWN_DIR = f"{RUN_DIR}/own"  # the mount itself belongs to root
TOKEN = "/var/run/secrets/tokens/istio-token"
ROOTS = "/var/run/secrets/istio/root-cert.pem"
POD_INFO = "/etc/istio/pod"
ROOTS_CONFIG_MAP = "istio-ca-root-cert"
SESSION_TICKETS = "mizzen-session-tickets"  # the Secret
DNS_CONFIG_MAP = "mizzen-dns"  # where the control plane notes down what it wrote into DNS
PROMISES_CONFIG_MAP = (
    "mizzen-announcements"  # what clients were told of HTTP/3; of another revision with its name
)
TOKEN_AUDIENCE = "istio-ca"
STATUS_PORT, AGENT_PORT, PROMETHEUS_PORT = 15021, 15020, 15090


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySettings:
    """What the installation says about every proxy."""

    image: str  # HUB/mizzen:TAG
    pilot: str  # HOST:PORT of the control plane ("istiod.istio-system.svc:15012")
    trust_domain: str = "cluster.local"
    pull_policy: str = ""
    resources: Mapping[str, Any] = field(default_factory=dict)  # {}: Istio's
    log_level: str = "warning"


def proxy_container(
    kind: str,
    settings: ProxySettings,
    *,
    workload: str,
    owner: str = "",
    env: Mapping[str, Any] | None = None,
    ports: tuple[Manifest, ...] = (),
) -> Manifest:
    """The container of a "router" or "sidecar".

    `workload`: the name of what the Pod is of (a Deployment's). `env`: more variables, or others: a text, or
    where Kubernetes shall take it from (`valueFrom`).
    """
    variables: dict[str, Any] = {
        "POD_NAME": _of_pod("metadata.name"),
        "POD_NAMESPACE": _of_pod("metadata.namespace"),
        "INSTANCE_IP": _of_pod("status.podIP"),
        "SERVICE_ACCOUNT": _of_pod("spec.serviceAccountName"),
        "HOST_IP": _of_pod("status.hostIP"),
        "ISTIO_META_NODE_NAME": _of_pod("spec.nodeName"),
        "CA_ADDR": settings.pilot,
        "TRUST_DOMAIN": settings.trust_domain,
        "MIZZEN_RUN_DIR": OWN_DIR,
        "ISTIO_META_WORKLOAD_NAME": workload,
        **({"ISTIO_META_OWNER": owner} if owner else {}),
        **(env or {}),
    }
    return {
        "name": PROXY,
        "image": settings.image,
        **({"imagePullPolicy": settings.pull_policy} if settings.pull_policy else {}),
        "args": ["proxy", kind],
        "env": [
            {"name": name, **({"value": value} if isinstance(value, str) else {"valueFrom": value})}
            for name, value in variables.items()
        ],
        "ports": [*ports, {"name": "http-envoy-prom", "containerPort": PROMETHEUS_PORT, "protocol": "TCP"}],
        "readinessProbe": {
            "httpGet": {"path": "/healthz/ready", "port": STATUS_PORT},
            "periodSeconds": 2,
            "timeoutSeconds": 3,
            "failureThreshold": 30,
        },
        "resources": dict(settings.resources)
        or {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"cpu": "2000m", "memory": "1024Mi"},
        },
        "securityContext": unprivileged(),
        "volumeMounts": [
            {"name": "istio-envoy", "mountPath": RUN_DIR},
            {"name": "istio-token", "mountPath": TOKEN.rpartition("/")[0]},
            {"name": "istiod-ca-cert", "mountPath": ROOTS.rpartition("/")[0]},
            {"name": "istio-podinfo", "mountPath": POD_INFO},
        ],
    }


def unprivileged() -> Manifest:
    """The security context of a container that needs nothing: Pod Security's level "restricted"."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "runAsGroup": USER,
        "runAsNonRoot": True,
        "runAsUser": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def proxy_volumes() -> list[Manifest]:
    """What `proxy_container` mounts."""
    return [
        {"name": "istio-envoy", "emptyDir": {"medium": "Memory"}},
        {
            "name": "istio-token",
            "projected": {
                "sources": [
                    {
                        "serviceAccountToken": {
                            "audience": TOKEN_AUDIENCE,
                            "expirationSeconds": 43200,
                            "path": TOKEN.rpartition("/")[2],
                        }
                    }
                ]
            },
        },
        {"name": "istiod-ca-cert", "configMap": {"name": ROOTS_CONFIG_MAP}},
        {
            "name": "istio-podinfo",
            "downwardAPI": {
                "items": [
                    {"path": name, "fieldRef": {"fieldPath": f"metadata.{name}"}}
                    for name in ("labels", "annotations")
                ]
            },
        },
    ]


def _of_pod(path: str) -> Manifest:
    return {"fieldRef": {"fieldPath": path}}
