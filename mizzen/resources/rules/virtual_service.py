"""What is refused and warned of in a VirtualService as a whole, and in its tls and tcp rules."""

import re

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.formats import checks
from mizzen.resources.istio.virtual_service import (
    L4MatchAttributes,
    RouteDestination,
    TLSMatchAttributes,
    TLSRoute,
    VirtualService,
    VirtualServiceSpec,
)
from mizzen.resources.rules import shared_rules
from mizzen.resources.rules.host_names import folded
from mizzen.resources.rules.http import destination, validate_http, weights
from mizzen.resources.rules.http_surprises import surprises
from mizzen.resources.rules.unreachable import unreachable

MESH = "mesh"
# The server name under which a sidecar asks a gateway for a service of another network.
_OUTBOUND = re.compile(r"outbound_\.\d+_\.[^_]*_\.(?P<host>.+)")


def validate_virtual_service(service: VirtualService, found: Findings) -> None:
    spec = service.spec
    for_gateways = bool(spec.gateways) and MESH not in spec.gateways
    if not spec.hosts:
        for key, given in (("gateways", spec.gateways), ("tls", spec.tls), ("tcp", spec.tcp)):
            if given:
                found.error(
                    "VAL-002",
                    f"{spec.at}.{key}",
                    f"without hosts this is a delegate, which cannot have {key}",
                    "Add hosts.",
                )
    shared_rules.gateways(spec.gateways, f"{spec.at}.gateways", found, warn=True)
    _hosts(spec, found, for_gateways=for_gateways)
    if not (spec.http or spec.tls or spec.tcp):
        found.error("VAL-001", spec.at, "a VirtualService needs rules: http, tls or tcp")
    for rule in spec.http:
        validate_http(rule, found, delegate=not spec.hosts, for_gateways=for_gateways)
    for tls_rule in spec.tls:
        _tls(tls_rule, spec, found)
    for tcp_rule in spec.tcp:
        for match in tcp_rule.match:
            _layer4(match, found)
        _routes(tcp_rule.at, tcp_rule.route, found)
    shared_rules.export_to(service, spec.export_to, found)
    surprises(spec.http, found, delegate=not spec.hosts)
    if not found.refused:
        unreachable(spec, found)


def _hosts(spec: VirtualServiceSpec, found: Findings, *, for_gateways: bool) -> None:
    good = True
    for index, host in enumerate(spec.hosts):
        at = f"{spec.at}.hosts[{index}]"
        if host == "*" and not for_gateways:
            found.error("VAL-004", at, 'the host "*" is for gateways only', "Name gateways, without mesh.")
            good = False
        elif checks.is_ip(host) or (for_gateways and spec.tls and _OUTBOUND.fullmatch(host)):
            continue
        elif wrong := checks.wildcard_domain(host):
            found.error("VAL-004", at, wrong)
            good = False
    if not good:
        return
    for index, host in enumerate(spec.hosts):
        for other in spec.hosts[:index]:
            if checks.covers(other, host) or checks.covers(host, other):
                at = f"{spec.at}.hosts[{index}]"
                found.error(
                    "VAL-008", at, f'"{host}" and "{other}" are the same host, or one covers the other'
                )
                break


def _tls(rule: TLSRoute, spec: VirtualServiceSpec, found: Findings) -> None:
    if not rule.match:
        found.error("VAL-001", f"{rule.at}.match", "a tls rule needs a match with sniHosts")
    for match in rule.match:
        if not match.sni_hosts:
            found.error("VAL-001", f"{match.at}.sniHosts", "a match of tls needs sniHosts")
        for index, name in enumerate(match.sni_hosts):
            _sni(name, f"{match.at}.sniHosts[{index}]", spec, found)
        _layer4(match, found)
    _routes(rule.at, rule.route, found)


def _sni(name: str, at: str, spec: VirtualServiceSpec, found: Findings) -> None:
    if checks.is_ip(name):
        found.warning("VAL-104", at, f'"{name}" is an address: clients send names as SNI, not addresses')
    elif not _OUTBOUND.fullmatch(name) and (wrong := checks.wildcard_domain(name)):
        found.error("VAL-004", at, wrong)
    elif not any(checks.covers(folded(host), folded(name)) for host in spec.hosts):
        found.error(
            "VAL-004", at, f'"{name}" is not among the hosts of the VirtualService', "Add it to hosts."
        )


def _layer4(match: TLSMatchAttributes | L4MatchAttributes, found: Findings) -> None:
    shared_rules.subnets(match.destination_subnets, f"{match.at}.destinationSubnets", found)
    if match.port:
        shared_rules.port(match.port, f"{match.at}.port", found)
    shared_rules.labels(match.source_labels, f"{match.at}.sourceLabels", found)
    shared_rules.gateways(match.gateways, f"{match.at}.gateways", found, warn=True)


def _routes(at: str, routes: tuple[RouteDestination, ...], found: Findings) -> None:
    if not routes:
        found.error("VAL-001", f"{at}.route", "a rule needs a route")
    for route in routes:
        destination(route.destination, found)
    weights(((route.at, route.weight) for route in routes), f"{at}.route", found)
