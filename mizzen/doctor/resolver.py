"""What the DNS says of a host: addresses as a client gets them, and HTTPS records (RFC 9460)."""

import ipaddress
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any

from mizzen.doctor.measured import ServiceRecord
from mizzen.lazy import dataclass

_HTTPS = 443
_MOST_ALIASES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Of a name, in the order in which a client takes them."""

    addresses: tuple[str, ...] = ()
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """HTTPS records of a name, and why it is not known whether there are any."""

    query: str
    records: tuple[ServiceRecord, ...] = ()
    error: str = ""


def addresses(host: str, nameservers: Sequence[str], patience: float) -> Addresses:
    """A and AAAA of a name: as the system says (with /etc/hosts), or as `nameservers` ("ADDRESS[:PORT]") do."""
    begun = time.monotonic()
    found = _ask_servers(host, nameservers, patience) if nameservers else _ask_system(host, patience)
    return Addresses(addresses=found[0], error=found[1], seconds=time.monotonic() - begun)


def _ask_system(host: str, patience: float) -> tuple[tuple[str, ...], str]:
    outcome: list[tuple[tuple[str, ...], str]] = []

    def ask() -> None:
        try:
            listed = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            outcome.append((tuple(dict.fromkeys(str(one[4][0]) for one in listed)), ""))
        except OSError as error:
            outcome.append(((), error.strerror or str(error)))
        except UnicodeError:  # an alternative of somebody's alt-svc
            outcome.append(((), "that is no name of a host"))

    # The system's resolver knows no deadline: it is left behind.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(patience)
    return outcome[0] if outcome else ((), f"no answer within {patience:g} s")


def _ask_servers(host: str, nameservers: Sequence[str], patience: float) -> tuple[tuple[str, ...], str]:
    import dns.exception
    import dns.resolver

    found: list[str] = []
    error = ""
    for kind in ("AAAA", "A"):
        try:
            answer = _resolver(nameservers, patience / 2).resolve(host, kind, search=False)
            found += [str(one.address) for one in answer]
        except dns.resolver.NoAnswer:
            pass
        except (dns.exception.DNSException, OSError) as failed:
            error = _text(failed)
    return tuple(found), "" if found else error or "it has no A and no AAAA record"


def records(host: str, port: int, nameservers: Sequence[str], patience: float) -> Records:
    """The HTTPS records that concern an origin; aliases are followed.

    Another port than 443 has names of its own (RFC 9460, section 9.1). The records of the host's own name count there where
    they lead to that port.
    """
    if port == _HTTPS:
        return _records(host, nameservers, patience)
    own = _records(f"_{port}._https.{host}", nameservers, patience)
    if own.records or own.error:
        return own
    usual = _records(host, nameservers, patience)
    leading = tuple(one for one in usual.records if one.port == port)
    return Records(query=usual.query, records=leading) if leading else own


def _records(query: str, nameservers: Sequence[str], patience: float) -> Records:
    import dns.exception
    import dns.resolver

    name = query
    try:
        resolver = _resolver(nameservers, patience)
        for _ in range(_MOST_ALIASES):
            answer = resolver.resolve(name, "HTTPS", search=False)
            found = tuple(sorted(map(record, answer), key=lambda one: one.priority))
            if found[0].priority or not found[0].target:
                return Records(query=query, records=found)
            name = found[0].target
    except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN):
        return Records(query=query)
    except (dns.exception.DNSException, OSError) as failed:
        return Records(query=query, error=_text(failed))
    return Records(query=query, error="its aliases lead in a circle")


def record(rdata: Any) -> ServiceRecord:
    """dnspython's record as a value."""
    from dns.rdtypes.svcbbase import ParamKey

    params = rdata.params
    alpn = params.get(ParamKey.ALPN)
    port = params.get(ParamKey.PORT)
    hints = [params.get(key) for key in (ParamKey.IPV4HINT, ParamKey.IPV6HINT)]
    return ServiceRecord(
        priority=rdata.priority,
        target=rdata.target.to_text(omit_final_dot=True).strip("."),
        alpn=tuple(one.decode("latin-1") for one in alpn.ids) if alpn else (),
        no_default_alpn=ParamKey.NO_DEFAULT_ALPN in params,
        port=port.port if port else 0,
        hints=tuple(str(address) for one in hints if one for address in one.addresses),
        ech=ParamKey.ECH in params,
    )


def _resolver(nameservers: Sequence[str], patience: float) -> Any:
    import dns.resolver

    resolver = dns.resolver.Resolver(configure=not nameservers)
    resolver.lifetime = patience
    resolver.timeout = patience / 2
    if nameservers:
        # dnspython keeps one port for each server as its text has it.
        split = [server(one) for one in nameservers]
        resolver.nameservers = [address for address, _ in split]
        resolver.nameserver_ports = dict(split)
    return resolver


def server(text: str) -> tuple[str, int]:
    """Address and port of a DNS server: "1.1.1.1", "[::1]:5353". ValueError where the text is neither."""
    from mizzen.resources.rules.dns_settings import server_of

    found = server_of(text)
    if found is None:
        raise ValueError(f"{text!r} is no address of a DNS server")
    ipaddress.ip_address(found[0])
    return found


def _text(error: Exception) -> str:
    import dns.resolver

    if isinstance(error, dns.resolver.LifetimeTimeout):
        return "no DNS server answers"
    if isinstance(error, dns.resolver.NXDOMAIN):
        return "there is no such name"
    if isinstance(error, dns.resolver.NoNameservers):
        return "no DNS server gives an answer (SERVFAIL or REFUSED)"
    if isinstance(error, dns.resolver.NoResolverConfiguration):
        return "this machine has no /etc/resolv.conf"
    return str(error) or type(error).__name__
