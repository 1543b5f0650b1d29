"""Names that many parts of resolving spell alike."""

from mizzen.resources.formats.checks import is_ip

DOMAIN = "cluster.local"


def backend_name(port: int, subset: str, host: str) -> str:
    """Istio's name of a backend: "outbound|8000|v1|httpbin.httpbin.svc.cluster.local"."""
    return f"outbound|{port}|{subset}|{host}"


def sni_name(port: int, subset: str, host: str) -> str:
    """The SNI by which a proxy of the mesh asks for a backend: "outbound_.8000_._.httpbin...."."""
    return f"outbound_.{port}_.{subset}_.{host}"


def host_of(backend: str) -> str:
    """The host in either name of a backend."""
    return backend.split("_.", 3)[-1] if backend.startswith("outbound_.") else backend.rpartition("|")[2]


def service_host(name: str, namespace: str) -> str:
    """The host of a Kubernetes Service."""
    return f"{name}.{namespace}.svc.{DOMAIN}"


def service_key(host: str) -> tuple[str, str]:
    """(namespace, name) of the Kubernetes Service whose host that is."""
    name, namespace, *_ = host.split(".")
    return namespace, name


def expand_host(host: str, namespace: str) -> str:
    """A host without a dot is a Service of `namespace`; "*" and IP addresses are what they are."""
    if not host or "." in host or host == "*" or is_ip(host):
        return host
    return service_host(host, namespace)
