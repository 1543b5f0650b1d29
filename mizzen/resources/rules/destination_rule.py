"""What is refused and warned of in a DestinationRule."""

from datetime import timedelta

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.formats import checks
from mizzen.resources.istio.destination_rule import (
    ClientTLSSettings,
    ConnectionPoolSettings,
    DestinationRule,
    HTTPSettings,
    OutlierDetection,
    PortTrafficPolicy,
    TcpKeepalive,
    TCPSettings,
    TrafficPolicy,
    TunnelSettings,
)
from mizzen.resources.rules import shared_rules
from mizzen.resources.rules.balancing import load_balancer
from mizzen.resources.yaml.places import child

HTTP3 = "mizzen.dev/http3"  # an annotation of ours
_LONGEST_KEEPALIVE = timedelta(seconds=32_767)


def validate_destination_rule(rule: DestinationRule, found: Findings) -> None:
    spec = rule.spec
    if not spec.host:
        found.error("FLD-003", f"{spec.at}.host", "host is missing")
    elif wrong := checks.wildcard_domain(spec.host):
        found.error("VAL-004", f"{spec.at}.host", wrong)
    if spec.traffic_policy:
        _policy(spec.traffic_policy, rule, found)
    names: set[str] = set()
    for subset in spec.subsets:
        at = f"{subset.at}.name"
        if wrong := checks.dns_label(subset.name):
            found.error("VAL-007", at, wrong)
        if subset.name in names:
            found.error("VAL-008", at, f'the subset "{subset.name}" stands twice')
        names.add(subset.name)
        shared_rules.labels(subset.labels, f"{subset.at}.labels", found)
        if subset.traffic_policy:
            _policy(subset.traffic_policy, rule, found)
    shared_rules.export_to(rule, spec.export_to, found)
    _workload_selector(rule, found)
    wanted = rule.meta.annotations.get(HTTP3, "false")
    if wanted not in ("true", "only", "false"):
        message = f'"{wanted}" is not "true", "only" or "false": requests go over TCP'
        found.warning("VAL-103", child("metadata.annotations", HTTP3), message)


def _workload_selector(rule: DestinationRule, found: Findings) -> None:
    selector = rule.spec.workload_selector
    if selector is None:
        return
    shared_rules.selector(selector.match_labels, f"{selector.at}.matchLabels", found)
    if not selector.match_labels:
        found.warning("VAL-104", selector.at, "without labels, every workload of the namespace is selected")
    for index, entry in enumerate(rule.spec.export_to):
        if entry not in (shared_rules.OWN, rule.namespace):
            found.error(
                "VAL-010",
                f"{rule.spec.at}.exportTo[{index}]",
                "a rule with a workloadSelector is for its own namespace alone",
                'Write ".", or leave exportTo out.',
            )


def _policy(policy: TrafficPolicy, rule: DestinationRule, found: Findings) -> None:
    blocks = (
        policy.load_balancer,
        policy.connection_pool,
        policy.outlier_detection,
        policy.tls,
        policy.port_level_settings or None,
        policy.tunnel,
        policy.proxy_protocol,
        policy.retry_budget,
    )
    if not any(block is not None for block in blocks):
        found.error("VAL-001", policy.at, "a trafficPolicy must say something", "Remove it, or fill it.")
    if policy.tunnel and policy.proxy_protocol:
        found.error("VAL-002", policy.tunnel.at, "tunnel and proxyProtocol exclude each other")
    _blocks(policy, rule, found)
    for setting in policy.port_level_settings:
        if setting.port is None:
            found.error("VAL-001", f"{setting.at}.port", "port is missing")
        else:
            shared_rules.port(setting.port.number, f"{setting.port.at}.number", found)
        if not (setting.connection_pool or setting.load_balancer or setting.outlier_detection or setting.tls):
            found.error("VAL-001", setting.at, "settings of a port must say something")
        _blocks(setting, rule, found)
    if policy.tunnel:
        _tunnel(policy.tunnel, found)


def _blocks(policy: TrafficPolicy | PortTrafficPolicy, rule: DestinationRule, found: Findings) -> None:
    if policy.outlier_detection:
        outliers(policy.outlier_detection, found)
    if policy.connection_pool:
        pool(policy.connection_pool, found)
    if policy.load_balancer:
        load_balancer(policy.load_balancer, found, watched=policy.outlier_detection is not None)
    if policy.tls:
        _tls(policy.tls, rule, found)


def outliers(settings: OutlierDetection, found: Findings) -> None:
    at = settings.at
    shared_rules.time(settings.interval, f"{at}.interval", found)
    shared_rules.time(settings.base_ejection_time, f"{at}.baseEjectionTime", found)
    if settings.consecutive_local_origin_failures and not settings.split_external_local_origin_errors:
        found.error(
            "VAL-002",
            f"{at}.consecutiveLocalOriginFailures",
            "local failures are counted apart only with splitExternalLocalOriginErrors",
            "Set splitExternalLocalOriginErrors to true.",
        )
    if settings.consecutive_errors:
        found.warning(
            "VAL-102",
            f"{at}.consecutiveErrors",
            "consecutiveErrors has no effect any more",
            "Use consecutive5xxErrors or consecutiveGatewayErrors.",
        )


def pool(settings: ConnectionPoolSettings, found: Findings) -> None:
    if settings.tcp is None and settings.http is None:
        found.error("VAL-001", settings.at, "a connectionPool must say something of tcp or http")
    if settings.http:
        _http_pool(settings.http, found)
    if settings.tcp:
        _tcp_pool(settings.tcp, found)


def _http_pool(http: HTTPSettings, found: Findings) -> None:
    for key, value in (
        ("http1MaxPendingRequests", http.http1_max_pending_requests),
        ("http2MaxRequests", http.http2_max_requests),
        ("maxRequestsPerConnection", http.max_requests_per_connection),
        ("maxRetries", http.max_retries),
        ("maxConcurrentStreams", http.max_concurrent_streams),
    ):
        _not_negative(value, f"{http.at}.{key}", found)
    shared_rules.time(http.idle_timeout, f"{http.at}.idleTimeout", found)
    if http.h2_upgrade_policy == "UPGRADE" and http.use_client_protocol:
        found.error("VAL-002", f"{http.at}.useClientProtocol", "h2UpgradePolicy UPGRADE excludes it")
    if ping := http.http2_keep_alive:
        for key, time in (("interval", ping.interval), ("timeout", ping.timeout)):
            if time is None:
                found.error("VAL-001", f"{ping.at}.{key}", f"{key} is missing")
            shared_rules.time(time, f"{ping.at}.{key}", found)


def _tcp_pool(tcp: TCPSettings, found: Findings) -> None:
    _not_negative(tcp.max_connections, f"{tcp.at}.maxConnections", found)
    shared_rules.time(tcp.connect_timeout, f"{tcp.at}.connectTimeout", found)
    shared_rules.time(tcp.max_connection_duration, f"{tcp.at}.maxConnectionDuration", found)
    if tcp.idle_timeout:  # zero is allowed: no timeout
        shared_rules.time(tcp.idle_timeout, f"{tcp.at}.idleTimeout", found)
    if tcp.tcp_keepalive:
        keepalive(tcp.tcp_keepalive, found)


def keepalive(settings: TcpKeepalive, found: Findings) -> None:
    """Times that the kernel takes (Linux, MAX_TCP_KEEPIDLE); with others every connection fails."""
    for key, time in (("time", settings.time), ("interval", settings.interval)):
        shared_rules.time(time, f"{settings.at}.{key}", found)
        if time is not None and time > _LONGEST_KEEPALIVE:
            longest = f"{_LONGEST_KEEPALIVE.total_seconds():.0f}s"
            found.error("VAL-009", f"{settings.at}.{key}", f"TCP keeps alive after at most {longest}")


def _not_negative(value: int, at: str, found: Findings) -> None:
    if value < 0:
        found.error("VAL-003", at, f"{value} is less than 0")


def _tls(tls: ClientTLSSettings, rule: DestinationRule, found: Findings) -> None:
    at = tls.at
    if wrong := checks.server_name(tls.sni):
        found.error("VAL-004", f"{at}.sni", wrong)
    files = {
        "clientCertificate": tls.client_certificate,
        "privateKey": tls.private_key,
        "caCertificates": tls.ca_certificates,
        "caCrl": tls.ca_crl,
    }
    if tls.insecure_skip_verify and tls.mode in ("SIMPLE", "MUTUAL"):
        verified = {"caCertificates": tls.ca_certificates, "subjectAltNames": tls.subject_alt_names}
        if tls.mode == "SIMPLE":
            verified |= {"credentialName": tls.credential_name}
        for key, value in verified.items():
            if value:
                found.error("VAL-002", f"{at}.{key}", f"insecureSkipVerify and {key} exclude each other")
    if tls.mode in ("SIMPLE", "MUTUAL") and tls.credential_name:
        for key, value in files.items():
            if value:
                found.error("VAL-002", f"{at}.{key}", f"credentialName and {key} exclude each other")
        _credential(tls, rule, found)
    elif tls.mode == "MUTUAL":
        for key in ("clientCertificate", "privateKey"):
            if not files[key]:
                found.error("VAL-001", f"{at}.{key}", f"mode MUTUAL needs {key}, or a credentialName")


def _credential(tls: ClientTLSSettings, rule: DestinationRule, found: Findings) -> None:
    scheme = "configmap://"
    if not tls.credential_name.startswith(scheme):
        return
    at = f"{tls.at}.credentialName"
    namespace, slash, name = tls.credential_name.removeprefix(scheme).rpartition("/")
    if not name or (slash and not namespace) or "/" in namespace:
        found.error("VAL-011", at, f'"{tls.credential_name}" is not configmap://NAMESPACE/NAME')
    elif namespace and namespace != rule.namespace:
        found.error("VAL-011", at, "the ConfigMap must be in the namespace of the rule")


def _tunnel(tunnel: TunnelSettings, found: Findings) -> None:
    if tunnel.protocol not in ("", "CONNECT", "POST"):
        found.error("VAL-012", f"{tunnel.at}.protocol", "a tunnel is made by CONNECT or POST")
    if not checks.is_ip(tunnel.target_host) and (wrong := checks.fqdn(tunnel.target_host)):
        found.error("VAL-004", f"{tunnel.at}.targetHost", wrong)
    shared_rules.port(tunnel.target_port, f"{tunnel.at}.targetPort", found)
