"""What is refused in an Ingress: what Kubernetes would refuse, where no Kubernetes has seen it."""

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.formats import checks
from mizzen.resources.kubernetes.ingress import HTTPIngressPath, Ingress, IngressBackend

_WHOLE_PATHS = ("Exact", "Prefix")


def validate_ingress(ingress: Ingress, found: Findings) -> None:
    spec = ingress.spec
    for tls in spec.tls:
        for index, host in enumerate(tls.hosts):
            _host(host, f"{tls.at}.hosts[{index}]", found)
    for rule in spec.rules:
        if rule.host:
            _host(rule.host, f"{rule.at}.host", found)
        for path in rule.http.paths if rule.http else ():
            _path(path, found)
            _backend(path.backend, found)
    if spec.default_backend is not None:
        _backend(spec.default_backend, found)


def _host(host: str, at: str, found: Findings) -> None:
    """A name, or one whose first label is an asterisk."""
    name = host.removeprefix("*.")
    if checks.is_ip(name):
        found.error("VAL-004", at, f'"{host}" is an address; an Ingress has names')
    elif wrong := checks.fqdn(name):
        found.error("VAL-004", at, wrong)


def _path(path: HTTPIngressPath, found: Findings) -> None:
    at = f"{path.at}.path"
    if path.path_type in _WHOLE_PATHS and not path.path.startswith("/"):
        found.error("VAL-013", at, f'"{path.path}" does not begin with a slash, as a path does')
    elif wrong := checks.plain(path.path):
        found.error("VAL-013", at, wrong)


def _backend(backend: IngressBackend, found: Findings) -> None:
    if backend.service is not None and backend.resource is not None:
        found.error("VAL-002", backend.at, "a backend is a service or a resource, not both")
    if backend.service is None and backend.resource is None:
        found.error("VAL-001", backend.at, "a backend needs a service")
    if backend.service is None:
        return
    port = backend.service.port
    if (port.number is None) is not bool(port.name):
        found.error("VAL-002", f"{backend.service.at}.port", "a port has a name or a number, one of the two")
    if wrong := checks.dns_label(backend.service.name):
        found.error("VAL-007", f"{backend.service.at}.name", wrong)
