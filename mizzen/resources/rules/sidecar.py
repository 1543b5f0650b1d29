"""What is refused in a Sidecar: what its listeners cannot be bound to."""

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.formats import checks
from mizzen.resources.istio.sidecar import Sidecar, SidecarPort
from mizzen.resources.rules import shared_rules


def validate_sidecar(sidecar: Sidecar, found: Findings) -> None:
    for ingress in sidecar.spec.ingress:
        _listener(ingress.port, ingress.bind, ingress.at, found)
    for egress in sidecar.spec.egress:
        _listener(egress.port, egress.bind, egress.at, found)


def _listener(port: SidecarPort | None, bind: str, at: str, found: Findings) -> None:
    if bind and not checks.is_ip(bind):
        found.error("VAL-013", f"{at}.bind", f'"{bind}" is not an IP address')
    if port is not None:
        shared_rules.port(port.number, f"{port.at}.number", found)
