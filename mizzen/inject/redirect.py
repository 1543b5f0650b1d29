"""The rules by which a Pod's TCP connections go through its sidecar: Istio's, in the nat table. UDP is left alone.

(istio-iptables; the mesh has no HTTP/3 of its own, so QUIC between Pods passes by the sidecars.)
"""

from collections.abc import Iterable, Iterator

from mizzen.inject.container import USER
from mizzen.lazy import dataclass

_CHAINS = ("ISTIO_INBOUND", "ISTIO_IN_REDIRECT", "ISTIO_OUTPUT", "ISTIO_REDIRECT")
_PASSED_ON_FROM = "127.0.0.6"  # whence a sidecar asks its own application
ALL = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirection:
    """What is redirected. Ports and ranges are lists as Istio's annotations have them: "*" for all, "" for none."""

    outbound_port: int = 15001
    inbound_port: int = 15006
    user: int = USER
    include_ranges: tuple[str, ...] = (ALL,)
    exclude_ranges: tuple[str, ...] = ()
    inbound_ports: tuple[str, ...] = (ALL,)
    exclude_inbound_ports: tuple[str, ...] = ("15090", "15021", "15020")
    outbound_ports: tuple[str, ...] = ()  # beside the ranges
    exclude_outbound_ports: tuple[str, ...] = ()
    exclude_interfaces: tuple[str, ...] = ()


def rules(what: Redirection, *, ipv6: bool = False) -> str:
    """For iptables-restore (or ip6tables-restore) --noflush; applied twice it changes nothing."""
    lines = ["*nat", *(f":{chain} - [0:0]" for chain in _CHAINS)]
    lines += [f"-F {chain}" for chain in _CHAINS]
    lines += _inbound(what)
    lines += _outbound(what, ipv6)
    return "\n".join([*lines, "COMMIT", ""])


def jumps() -> tuple[tuple[str, ...], ...]:
    """The rules of the built-in chains that lead here: (chain, rule ...); to be added where they are not there yet."""
    return (
        ("PREROUTING", "-p", "tcp", "-j", "ISTIO_INBOUND"),
        ("OUTPUT", "-p", "tcp", "-j", "ISTIO_OUTPUT"),
    )


def _inbound(what: Redirection) -> Iterator[str]:
    for interface in what.exclude_interfaces:
        yield f"-A ISTIO_INBOUND -i {interface} -j RETURN"
    if ALL in what.inbound_ports:
        for port in _unique(("15008", *what.exclude_inbound_ports)):
            yield f"-A ISTIO_INBOUND -p tcp --dport {port} -j RETURN"
        yield "-A ISTIO_INBOUND -p tcp -j ISTIO_IN_REDIRECT"
    else:
        for port in _unique(what.inbound_ports):
            yield f"-A ISTIO_INBOUND -p tcp --dport {port} -j ISTIO_IN_REDIRECT"
    yield f"-A ISTIO_IN_REDIRECT -p tcp -j REDIRECT --to-ports {what.inbound_port}"


def _outbound(what: Redirection, ipv6: bool) -> Iterator[str]:
    add = "-A ISTIO_OUTPUT"
    passed_on, loopback = ("::6/128", "::1/128") if ipv6 else (f"{_PASSED_ON_FROM}/32", "127.0.0.1/32")
    for interface in what.exclude_interfaces:
        yield f"{add} -o {interface} -j RETURN"
    yield f"{add} -s {passed_on} -o lo -j RETURN"
    for port in _unique(what.exclude_outbound_ports):
        yield f"{add} -p tcp --dport {port} -j RETURN"
    for owner in ("uid", "gid"):
        ours = f"-m owner --{owner}-owner {what.user}"
        others = f"-m owner ! --{owner}-owner {what.user}"
        # The application that asks its own Service comes back to its own sidecar.
        yield f"{add} ! -d {loopback} -o lo -p tcp ! --dport 15008 {ours} -j ISTIO_IN_REDIRECT"
        yield f"{add} -o lo {others} -j RETURN"
        yield f"{add} {ours} -j RETURN"
    yield f"{add} -d {loopback} -j RETURN"
    for port in _unique(what.outbound_ports):
        yield f"{add} -p tcp --dport {port} -j ISTIO_REDIRECT"
    for cidr in _of_family(what.exclude_ranges, ipv6):
        yield f"{add} -d {cidr} -j RETURN"
    if ALL in what.include_ranges:
        yield f"{add} -j ISTIO_REDIRECT"
    else:
        for cidr in _of_family(what.include_ranges, ipv6):
            yield f"{add} -d {cidr} -j ISTIO_REDIRECT"
    yield f"-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports {what.outbound_port}"


def _of_family(ranges: Iterable[str], ipv6: bool) -> Iterator[str]:
    return (one for one in _unique(ranges) if one != ALL and (":" in one) == ipv6)


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
