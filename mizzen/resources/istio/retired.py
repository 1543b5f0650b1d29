"""Fields that Istio once had and has taken out of its API, and what is written in their place.

An API server drops them, so an object that has one takes part as if it were not there. From the history of the
`.proto` files of istio/api (networking/v1alpha3, mesh/v1alpha1); `reserved` there, where it is said at all.
"""

from collections.abc import Mapping

Retired = Mapping[str, str]  # field, as in YAML -> what to do instead

_EXPORT = {"configScope": "Write exportTo."}
_MIXER = "Mixer is gone: AuthorizationPolicy and Telemetry do what it did."
_SDS = "Certificates always come by SDS: remove it."
_AT_ONCE = "Routes are sent when they change: remove it."

HTTP_HEADERS: Retired = {
    "appendHeaders": "Write headers.request.add.",
    "appendRequestHeaders": "Write headers.request.add.",
    "removeRequestHeaders": "Write headers.request.remove.",
    "appendResponseHeaders": "Write headers.response.add.",
    "removeResponseHeaders": "Write headers.response.remove.",
}
HTTP_ROUTE: Retired = {
    **HTTP_HEADERS,
    "websocketUpgrade": "WebSockets pass without it: remove it.",
}
ABORT: Retired = {"percent": "Write percentage: {value: ...}."}
PORT_SELECTOR: Retired = {"name": "Write number."}
DESTINATION: Retired = {"name": "Write host."}
TLS_MATCH: Retired = {
    "sourceSubnet": "There is nothing in its place: an AuthorizationPolicy can judge addresses.",
    "destinationSubnet": "Write destinationSubnets.",
    "alpnProtocols": "There is nothing in its place: remove it.",
}
L4_MATCH: Retired = {"destinationSubnet": "Write destinationSubnets."}
VIRTUAL_SERVICE: Retired = _EXPORT
SERVICE_ENTRY: Retired = _EXPORT

DESTINATION_RULE: Retired = {
    **_EXPORT,
    "name": "Write host.",
    "inboundStatName": "Write inboundClusterStatName in meshConfig.",
    "outboundStatName": "Write outboundClusterStatName in meshConfig.",
}
LOAD_BALANCER: Retired = {"localityWeightSettings": "Write localityLbSetting.distribute."}
CONSISTENT_HASH: Retired = {
    "httpHeader": "Write httpHeaderName.",
    "sourceIp": "Write useSourceIp: true.",
}
OUTLIER_DETECTION: Retired = {
    "http": "Its fields stand in outlierDetection itself; consecutiveErrors is consecutive5xxErrors.",
    "consecutiveLocalOriginFailure": "Write consecutiveLocalOriginFailures.",
}

SERVER_TLS: Retired = {
    "sdsName": "Write credentialName.",
    "credentialStore": "Write credentialName.",
}

SIDECAR: Retired = {"localhost": "Write ingress with defaultEndpoint."}
INGRESS_LISTENER: Retired = {"localhostClientTls": "There is nothing in its place: remove it."}
EGRESS_LISTENER: Retired = {"localhostServerTls": "There is nothing in its place: remove it."}

# These may have guarded something: an object that has one is refused.
ENVOY_FILTER: Retired = {
    "filters": "Write configPatches.",
    "workloadLabels": "Write workloadSelector.labels.",
}
GUARDING_LISTENER: Retired = {"inboundTls": "A PeerAuthentication says what clients have to show."}

MESH_CONFIG: Retired = {
    **dict.fromkeys(
        (
            "mixerCheckServer",
            "mixerReportServer",
            "mixerCheck",
            "mixerReport",
            "mixerAddress",
            "disablePolicyChecks",
            "disableMixerHttpReports",
            "policyCheckFailOpen",
            "enableClientSidePolicyCheck",
            "sidecarToTelemetrySessionAffinity",
            "reportSessionAffinity",
            "disableReportBatch",
            "reportBatchMaxEntries",
            "reportBatchMaxTime",
            "thriftConfig",
        ),
        _MIXER,
    ),
    **dict.fromkeys(("sdsUdsPath", "sdsRefreshDelay", "sdsUseK8sSaJwt", "enableSdsTokenMount"), _SDS),
    "rdsRefreshDelay": _AT_ONCE,
    "authPolicy": "Write a PeerAuthentication: what it demanded is demanded no more.",
    "mtlsExcludedServices": "Write a PeerAuthentication or a DestinationRule with tls.mode DISABLE.",
    "rbacConfig": "Write AuthorizationPolicies: what it refused is refused no more.",
    "terminationDrainDuration": "Write it in defaultConfig.",
    "clusterLocalNamespaces": "Write serviceSettings.",
    "defaultServiceDependency": "Write Sidecars.",
    "defaultNetworkScope": "Write defaultServiceExportTo.",
    "galleyAddress": "Write configSources.",
    "egressProxyAddress": "There is nothing in its place: remove it.",
    "features": "There is nothing in its place: remove it.",
    "envoyAccesslogService": "Write enableEnvoyAccessLogService, and its address in defaultConfig.",
    "meshExternalTLS": "Write tlsDefaults.",
    "compliancePolicy": "It is a variable of the control plane (COMPLIANCE_POLICY): remove it.",
}
PROXY_CONFIG: Retired = {
    "connectTimeout": "Write connectTimeout in meshConfig.",
    "parentShutdownDuration": "Write terminationDrainDuration.",
    "envoyAccessLogServiceAddress": "Write envoyAccessLogService: {address: ...}.",
    "discoveryPlainAddress": "Write discoveryAddress.",
    "discoveryMtlsAddress": "Write discoveryAddress.",
}
# Of the API of installations (istio/api operator/v1alpha1), which went with version 1.8 and 1.24.
OPERATOR: Retired = {
    "addonComponents": "Istio installs no add-ons any more: apply those of its samples/addons.",
    "trafficManagement": "Write components.pilot.",
    "policy": _MIXER,
    "telemetry": _MIXER,
}
COMPONENTS: Retired = {
    **dict.fromkeys(("policy", "telemetry"), _MIXER),
    **dict.fromkeys(("galley", "citadel", "sidecarInjector", "nodeAgent"), "It is part of pilot: remove it."),
}
