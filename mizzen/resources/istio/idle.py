"""Settings of Istio that do nothing here: those that nobody misses are told once, without a warning.

Istio's own charts and profiles write many of them. Of what would be missed there is a warning; the tables MISSED_... say
what stands in its place.
"""

from collections.abc import Mapping

Idle = Mapping[str, str]  # field, as in YAML -> why

_ONE_CLUSTER = "there is one cluster, and one network"
_OWN = "mizzen says it itself"
_AMBIENT = "there is no ambient mode"
_METRICS = "Envoy's own metrics are served, all of them, at port 15090"

Missed = Mapping[str, tuple[str, str]]  # field, as in YAML -> why, and what to do

MISSED_IN_MESH_CONFIG: Missed = {
    "caCertificates": (
        "workloads trust the mesh's own authority, and nobody else",
        "Put further roots into root-cert.pem of the authority's own files (the Secret cacerts).",
    ),
    "ca": (
        "the mesh has its own authority",
        "Give it a certificate and key of yours (the Secret cacerts).",
    ),
    "verifyCertificateAtClient": (
        "the certificates of servers are always verified",
        "A DestinationRule may say insecureSkipVerify for a host.",
    ),
}
MISSED_IN_PROXY_CONFIG: Missed = {
    "caCertificatesPem": (
        "a proxy trusts the roots of the mesh's authority",
        "Put further roots into root-cert.pem of the authority's own files (the Secret cacerts).",
    ),
}
MESH_CONFIG: Idle = {
    "enablePrometheusMerge": "metrics of applications stay theirs",
    "serviceSettings": _ONE_CLUSTER,
    "hboneConfig": _AMBIENT,
    "configSources": "the control plane reads what it is told to at its start",
    "proxyInboundListenPort": "sidecars take redirected connections at 15006",
    "proxyListenPort": "sidecars take redirected connections at 15001",
    "certificates": "webhooks have a certificate of the control plane's own",
}
PROXY_CONFIG: Idle = {
    **dict.fromkeys(
        ("configPath", "binaryPath", "serviceCluster", "customConfigFile", "proxyBootstrapTemplatePath"), _OWN
    ),
    **dict.fromkeys(("proxyAdminPort", "controlPlaneAuthPolicy", "discoveryRefreshDelay"), _OWN),
    **dict.fromkeys(("statNameLength", "proxyStatsMatcher", "extraStatTags"), _METRICS),
    "holdApplicationUntilProxyStarts": "native sidecars start before applications",
    "meshId": _ONE_CLUSTER,
    "readinessProbe": "the Pod says it",
    "sds": "certificates always come by SDS",
    "image": "there is one image",
    "fileFlushInterval": "access logs are written once a second",
    "fileFlushMinSizeKb": "access logs are written once a second",
}
# Istio checks them, and makes nothing of them yet (pilot/pkg/networking/core/connection_settings.go).
CONNECTION_SETTINGS: Idle = {
    "clusterPerConnectionBufferLimitBytes": "nor has it one in Istio yet",
    "listenerConnectionLimit": "nor has it one in Istio yet; globalDownstreamConnectionLimit has",
}
PROXY_HEADERS: Idle = {
    "metadataExchangeHeaders": "proxies of mizzen send no such headers",
}
GLOBAL_VALUES: Idle = {
    **dict.fromkeys(("meshID", "network", "multiCluster", "meshNetworks", "externalIstiod"), _ONE_CLUSTER),
    "configValidation": "objects are always validated",
    "omitSidecarInjectorConfigMap": _OWN,
    "istiod": "analysis is a command: mizzen analyze",
    "pilotCertProvider": "the control plane is its own authority",
    "jwtPolicy": "tokens are those of third parties, with an audience",
    "defaultPodDisruptionBudget": "there is a budget where there are two Pods or more",
    "mountMtlsCerts": "certificates always come by SDS",
    "operatorManageWebhooks": _OWN,
    "useMCP": "there is no MCP",
}
VALUES: Idle = {
    **dict.fromkeys(("cni", "istio_cni"), "the redirection is made by an init container"),
    **dict.fromkeys(("ztunnel", "ambient"), _AMBIENT),
    "telemetry": "metrics of Istio's own Envoy are made by nobody else",
    "base": "the base has no settings",
    "defaultRevision": "the installation without a revision is the default one",
    "compatibilityVersion": "there is one behaviour",
    "istiodRemote": _ONE_CLUSTER,
    "profile": _OWN,
}
