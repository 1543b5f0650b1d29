"""What is refused in the block `dns` of an HTTP3Policy."""

import re
from datetime import timedelta

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.formats import checks
from mizzen.resources.mizzen.dns import DnsSettings

LONGEST_TTL = timedelta(days=1)
_OWNER = re.compile(r"[A-Za-z0-9][-A-Za-z0-9._/]{0,99}")
_SERVER = re.compile(
    r"\[(?P<six>[^]]*)](?::(?P<port>[0-9]{1,5}))?|(?P<name>[^:]*)(?::(?P<other>[0-9]{1,5}))?"
)


def validate_dns(dns: DnsSettings, found: Findings) -> None:
    def wrong(field: str, message: str, hint: str = "", code: str = "VAL-013") -> None:
        found.error(code, f"{dns.at}.{field}", message, hint)

    if bool(dns.server) != bool(dns.zone):
        lacking, there = ("zone", "server") if dns.server else ("server", "zone")
        wrong(lacking, f"{there} is nothing without {lacking}", f"Say {lacking} too.", "VAL-001")
    if dns.server and dns.external_dns:
        wrong("externalDns", "server and externalDns exclude each other", "Let one of them write.", "VAL-002")
    if dns.tsig_secret and not dns.server:
        wrong("tsigSecret", "there is no server that it could be shown to", "Say server and zone.", "VAL-002")
    if dns.server and server_of(dns.server) is None:
        hint = "Write 10.0.0.53, 10.0.0.53:53, [2001:db8::53]:53 or a name."
        wrong("server", f'"{dns.server}" is no address of a name server', hint)
    if dns.zone and (why := checks.fqdn(dns.zone)):
        wrong("zone", why, code="VAL-004")
    if dns.target_name and (why := checks.fqdn(dns.target_name)):
        wrong("targetName", why, code="VAL-004")
    if dns.owner and not is_owner(dns.owner):
        wrong("owner", "an owner is up to 100 letters, digits, dots, dashes, underscores and slashes")
    for number, address in enumerate(dns.addresses):
        if not checks.is_ip(address):
            wrong(f"addresses[{number}]", f'"{address}" is not an IP address')
    if dns.ttl is not None and (dns.ttl % timedelta(seconds=1) or not timedelta(0) < dns.ttl <= LONGEST_TTL):
        wrong("ttl", "a TTL is a whole number of seconds, 1s to 24h", code="VAL-009")


def is_owner(text: str) -> bool:
    """May an installation be called so, in the registration of its records?"""
    return _OWNER.fullmatch(text) is not None


def server_of(text: str) -> tuple[str, int] | None:
    """Address (or name) and port of a name server; None: that is none."""
    if checks.is_ip(text):
        return text, 53
    match = _SERVER.fullmatch(text)
    if match is None:
        return None
    address, port = match["six"] or match["name"] or "", int(match["port"] or match["other"] or 53)
    good = (
        checks.is_ip(address)
        if match["six"] is not None
        else not checks.fqdn(address) or checks.is_ip(address)
    )
    return (address, port) if good and not checks.port(port) else None
