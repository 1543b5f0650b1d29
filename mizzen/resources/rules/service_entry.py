"""What is refused and warned of in a ServiceEntry and a WorkloadEntry."""

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.formats import checks
from mizzen.resources.istio.service_entry import ServiceEntry, ServiceEntrySpec
from mizzen.resources.istio.workload_entry import WorkloadEntry, WorkloadEntrySpec
from mizzen.resources.rules import shared_rules
from mizzen.resources.yaml.places import child

_HTTP = frozenset({"http", "http2", "grpc", "grpc-web", "http_proxy"})
_TLS = frozenset({"https", "tls"})
_PROTOCOLS = _HTTP | _TLS | {"", "tcp", "udp", "mongo", "redis", "mysql"}
_DNS = ("DNS", "DNS_ROUND_ROBIN")
_DYNAMIC = frozenset({"http", "tls", "grpc", "http2"})
_UNIX = "unix://"
_MOST_PLACES = 50_000
_AUTO_ALLOCATE = "networking.istio.io/enable-autoallocate-ip"


def validate_service_entry(entry: ServiceEntry, found: Findings) -> None:
    spec = entry.spec
    _selector(spec, found)
    _hosts(spec, found)
    _addresses(spec, found)
    _ports(spec, found)
    _size(spec, found)
    match spec.resolution:
        case "NONE":
            if spec.endpoints:
                found.error(
                    "VAL-002",
                    f"{spec.at}.endpoints",
                    "resolution NONE takes no endpoints",
                    "Set the resolution to STATIC or DNS.",
                )
        case "STATIC":
            for endpoint in spec.endpoints:
                _static_endpoint(endpoint, spec, found)
        case "DNS" | "DNS_ROUND_ROBIN":
            _dns(spec, found)
        case "DYNAMIC_DNS":
            _dynamic(spec, found)
    _mixed_protocols(spec, found)
    _needs_address(entry, found)
    shared_rules.export_to(entry, spec.export_to, found, nobody=True)


def _selector(spec: ServiceEntrySpec, found: Findings) -> None:
    selector = spec.workload_selector
    if selector is None:
        return
    shared_rules.selector(selector.labels, f"{selector.at}.labels", found)
    if spec.endpoints:
        found.error("VAL-002", f"{spec.at}.endpoints", "endpoints and a workloadSelector exclude each other")
    if not selector.labels:
        found.warning("VAL-104", selector.at, "without labels, every workload of the namespace is selected")
    if spec.resolution == "NONE":
        found.warning("VAL-103", selector.at, "with resolution NONE, nothing that is selected is used")


def _hosts(spec: ServiceEntrySpec, found: Findings) -> None:
    if not spec.hosts:
        found.error("VAL-001", f"{spec.at}.hosts", "a ServiceEntry needs at least one host")
    for index, host in enumerate(spec.hosts):
        at = f"{spec.at}.hosts[{index}]"
        if host == "*":
            found.error("VAL-004", at, 'the host cannot be "*"')
        elif wrong := checks.wildcard_domain(host):
            found.error("VAL-004", at, wrong)
        elif "*" in host and not host.startswith("*.") and spec.resolution != "DYNAMIC_DNS":
            found.warning("VAL-104", at, f'"{host}": an asterisk before part of a label may match nothing')


def _addresses(spec: ServiceEntrySpec, found: Findings) -> None:
    for index, address in enumerate(spec.addresses):
        at = f"{spec.at}.addresses[{index}]"
        if wrong := checks.subnet(address):
            found.error("VAL-013", at, wrong)
        elif "/" in address and spec.resolution not in ("NONE", "STATIC"):
            found.error("VAL-002", at, f"resolution {spec.resolution} takes no ranges of addresses")


def _ports(spec: ServiceEntrySpec, found: Findings) -> None:
    names: set[str] = set()
    numbers: set[int] = set()
    for port in spec.ports:
        if port.name in names:
            found.error("VAL-008", f"{port.at}.name", f'the port name "{port.name}" stands twice')
        if port.number in numbers:
            found.error("VAL-008", f"{port.at}.number", f"the port {port.number} stands twice")
        names.add(port.name)
        numbers.add(port.number)
        if wrong := checks.dns_label(port.name):
            found.error("VAL-007", f"{port.at}.name", wrong)
        if port.protocol.lower() not in _PROTOCOLS:
            found.error("VAL-012", f"{port.at}.protocol", f'"{port.protocol}" is no protocol that is known')
        shared_rules.port(port.number, f"{port.at}.number", found)
        if port.target_port:
            shared_rules.port(port.target_port, f"{port.at}.targetPort", found)


def _size(spec: ServiceEntrySpec, found: Findings) -> None:
    """A few lines of each multiply: 10 kB of YAML would be a million endpoints, and everybody's changes would wait."""
    places = len(spec.hosts) * len(spec.ports) * max(1, len(spec.endpoints))
    if places > _MOST_PLACES:
        found.error(
            "VAL-003",
            spec.at,
            f"hosts, ports and endpoints make {places} together; at most {_MOST_PLACES} are allowed",
            "Write several ServiceEntries.",
        )


def _endpoint_ports(endpoint: WorkloadEntrySpec, spec: ServiceEntrySpec | None, found: Findings) -> None:
    known = {port.name for port in spec.ports} if spec else set()
    for name, number in endpoint.ports.items():
        at = child(f"{endpoint.at}.ports", name)
        if wrong := checks.dns_label(name):
            found.error("VAL-007", at, wrong)
        elif spec and name not in known:
            found.error("VAL-001", at, f'the ServiceEntry has no port called "{name}"')
        shared_rules.port(number, at, found)
    shared_rules.labels(endpoint.labels, f"{endpoint.at}.labels", found)


def _address_missing(endpoint: WorkloadEntrySpec, found: Findings) -> bool:
    if endpoint.address:
        return False
    if endpoint.network:
        found.warning("VAL-104", f"{endpoint.at}.address", "without an address, only its network is known")
    else:
        found.error("VAL-001", f"{endpoint.at}.address", "an endpoint needs an address")
    return True


def _unix(endpoint: WorkloadEntrySpec, found: Findings) -> None:
    if wrong := checks.unix_path(endpoint.address):
        found.error("VAL-013", f"{endpoint.at}.address", wrong)
    if endpoint.ports:
        found.error("VAL-002", f"{endpoint.at}.ports", "a Unix socket has no ports")


def _static_endpoint(endpoint: WorkloadEntrySpec, spec: ServiceEntrySpec, found: Findings) -> None:
    at = f"{endpoint.at}.address"
    if _address_missing(endpoint, found):
        pass
    elif endpoint.address.startswith(_UNIX):
        _unix(endpoint, found)
        if len(spec.ports) != 1:
            found.error("VAL-002", at, "a Unix socket serves exactly one port of the ServiceEntry")
    elif not checks.is_ip(endpoint.address):
        found.error(
            "VAL-013",
            at,
            f'resolution STATIC takes IP addresses, not "{endpoint.address}"',
            "Write the address, or set the resolution to DNS.",
        )
    _endpoint_ports(endpoint, spec, found)


def _dns(spec: ServiceEntrySpec, found: Findings) -> None:
    if not spec.endpoints:
        for index, host in enumerate(spec.hosts):
            if checks.fqdn(host) and not checks.wildcard_domain(host):
                found.error(
                    "VAL-004",
                    f"{spec.at}.hosts[{index}]",
                    f'"{host}" cannot be looked up in DNS',
                    "Add endpoints, or write a host without asterisk.",
                )
    if spec.resolution == "DNS_ROUND_ROBIN" and len(spec.endpoints) > 1:
        found.error(
            "VAL-002", f"{spec.at}.endpoints", "resolution DNS_ROUND_ROBIN takes one endpoint at most"
        )
    for endpoint in spec.endpoints:
        named = not _address_missing(endpoint, found) and not checks.is_ip(endpoint.address)
        if named and (wrong := checks.fqdn(endpoint.address)):
            found.error("VAL-013", f"{endpoint.at}.address", wrong)
        _endpoint_ports(endpoint, spec, found)


def _dynamic(spec: ServiceEntrySpec, found: Findings) -> None:
    for index, host in enumerate(spec.hosts):
        if not host.startswith("*"):
            found.error(
                "VAL-004", f"{spec.at}.hosts[{index}]", "resolution DYNAMIC_DNS takes wildcard hosts only"
            )
    for key, given in (("addresses", spec.addresses), ("endpoints", spec.endpoints)):
        if given:
            found.error("VAL-002", f"{spec.at}.{key}", f"resolution DYNAMIC_DNS takes no {key}")
    for port in spec.ports:
        if port.protocol.lower() not in _DYNAMIC:
            found.error(
                "VAL-012",
                f"{port.at}.protocol",
                "resolution DYNAMIC_DNS takes the protocols HTTP, HTTP2, GRPC and TLS only",
            )


def _mixed_protocols(spec: ServiceEntrySpec, found: Findings) -> None:
    if spec.resolution == "NONE" or len(spec.hosts) < 2:
        return
    for port in spec.ports:
        if port.protocol.lower() not in _HTTP | _TLS:
            found.error(
                "VAL-002",
                f"{port.at}.protocol",
                "several hosts can share a port only if requests tell which is meant (HTTP or TLS)",
            )


def _needs_address(entry: ServiceEntry, found: Findings) -> None:
    spec = entry.spec
    allocated = spec.resolution != "NONE" and entry.meta.labels.get(_AUTO_ALLOCATE) != "false"
    if spec.addresses:
        return
    if allocated:
        for port in spec.ports:
            if port.protocol.lower() in ("", "tcp") and not found.has_error(f"{port.at}.protocol"):
                found.info(
                    "VAL-104",
                    f"{port.at}.protocol",
                    "without addresses, sidecars tell its connections from others only where addresses are allocated",
                    "A gateway does not need them.",
                )
        return
    for port in spec.ports:
        if port.protocol.lower() not in _HTTP | _TLS:
            found.warning(
                "VAL-104",
                f"{port.at}.protocol",
                "without addresses, a sidecar cannot tell connections to this port from others",
            )


def validate_workload_entry(entry: WorkloadEntry, found: Findings) -> None:
    spec = entry.spec
    if _address_missing(spec, found):
        pass
    elif spec.address.startswith(_UNIX):
        _unix(spec, found)
    elif not checks.is_ip(spec.address) and (wrong := checks.fqdn(spec.address)):
        found.error("VAL-013", f"{spec.at}.address", wrong)
    _endpoint_ports(spec, None, found)
