"""HTTPS records as commands for nsupdate (RFC 2136), for whoever updates a zone by hand.

Two requests for each name. The first removes what an earlier run has written, if the registration beside it says so; the
second writes, if there is nothing by then. So records of others stay, and the second one fails instead.
"""

from collections.abc import Iterator, Sequence

from mizzen.dns.justified import Justified, Listed, by_name, host_of
from mizzen.dns.record import Record, Unnameable
from mizzen.dns.registry import registry_name, word
from mizzen.dns.zone_file import ONCE_PROVEN, PROVEN, beside, comment, texts, without


def nsupdate(found: Justified, *, owner: str, is_proven: bool, server: str = "", zone: str = "") -> str:
    """The commands. `owner`: who registers the records as his; `server` ("10.0.0.53 53") and `zone` ("example.com.")
    where nsupdate shall not find out itself."""
    return texts(_lines(found, owner, PROVEN if is_proven else ONCE_PROVEN, server, zone))


def _lines(found: Justified, owner: str, title: str, server: str, zone: str) -> Iterator[str]:
    yield comment(title)
    yield comment(
        "Where nothing was written before, the first of the two requests for a name fails (NXRRSET)."
    )
    if server:
        yield f"server {server}"
    sources: dict[str, list[Listed]] = {}
    for one in found.listed:
        sources.setdefault(one.record.name, []).append(one)
    for name, records in by_name(found.listed).items():
        for one in sources[name]:
            yield from beside(one)
        try:
            yield from _commands(name, records, registry_name(name), owner, zone)
        except Unnameable as error:
            yield comment(f"  {name}: {error}")
    yield from without(found)


def _commands(
    name: str, records: Sequence[Record], registration: str, owner: str, zone: str
) -> Iterator[str]:
    into = [f"zone {zone}"] if zone else []
    host = f"{host_of(records[0])}."
    yield from into
    yield f'prereq yxrrset {registration} TXT "{word(owner)}"'
    yield f"update delete {name} HTTPS"
    yield f"update delete {registration} TXT"
    yield "send"
    yield from into
    # A name that is nobody's yet would hide what a wildcard answers for it, and an alias may have nothing beside it.
    yield f"prereq yxdomain {host}"
    yield f"prereq nxrrset {host} CNAME"
    yield f"prereq nxrrset {name} HTTPS"
    yield f"prereq nxrrset {registration} TXT"
    for record in records:
        yield f"update add {name} {record.ttl} HTTPS {record.rdata}"
    yield f'update add {registration} {records[0].ttl} TXT "{word(owner)}"'
    yield "send"
