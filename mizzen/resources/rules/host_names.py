"""Hosts as they meet: names of DNS know no case (RFC 4343), and a dot at the end only says that they are whole.

Clients' hosts come so to routes (`hcm`: lower case, without the dot), and so do the names that TLS clients ask for.
"""

from dataclasses import replace

from mizzen.resources.declaring.declare import Resource
from mizzen.resources.istio.gateway import Gateway
from mizzen.resources.istio.virtual_service import TLSRoute, VirtualService


def folded(host: str) -> str:
    """`host` in lower case and without a dot at its end; what stands before a slash is a namespace and stays.

    A single label keeps its dot: without it, it would be a Service of its namespace.
    """
    namespace, slash, name = host.rpartition("/")
    name = name.lower()
    whole = name.removesuffix(".")
    return f"{namespace}{slash}{whole if '.' in whole else name}"


def with_folded_hosts(resource: Resource) -> Resource:
    """The object with the hosts that requests are compared with folded; other kinds stay as they are."""
    match resource:
        case Gateway(spec=spec):
            if all(_all(one.hosts) == one.hosts for one in spec.servers):
                return resource
            servers = tuple(replace(one, hosts=_all(one.hosts)) for one in spec.servers)
            return replace(resource, spec=replace(spec, servers=servers))
        case VirtualService(spec=spec):
            if not spec.tls and _all(spec.hosts) == spec.hosts:
                return resource
            tls = tuple(_tls(one) for one in spec.tls)
            return replace(resource, spec=replace(spec, hosts=_all(spec.hosts), tls=tls))
        case _:
            return resource


def _tls(rule: TLSRoute) -> TLSRoute:
    return replace(rule, match=tuple(replace(one, sni_hosts=_all(one.sni_hosts)) for one in rule.match))


def _all(hosts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(folded, hosts))
