"""The verdict on names: addresses, and HTTPS records against what is served."""

from mizzen.doctor.alternatives import announced
from mizzen.doctor.links import Link, Name
from mizzen.doctor.measured import Reply, ServiceRecord, Walk
from mizzen.doctor.verdicts.common import broken, fine, first_connected, milliseconds, pages, replied

_RECORD_REMEDY = (
    "correct or remove the HTTPS record, and wait out its TTL (mizzen dns prints what is justified)"
)


def dns(walk: Walk) -> Link:
    """Addresses, and whether HTTPS records promise what is not there."""
    names, target = walk.names, walk.target
    if not names.addresses:
        return broken(
            Name.DNS,
            f"{target.host} has no address: {names.error or 'none was given'}",
            f"give {target.host} an A or AAAA record, or name the address with --resolve",
        )
    said = _addresses(walk)
    if names.query:
        said += f"; {_records(walk)}"
    faults = [fault for record in names.records for fault in _faults(walk, record)]
    faults += _hints(walk)
    if faults:
        return broken(Name.DNS, f"{said}; {'; '.join(dict.fromkeys(faults))}", _RECORD_REMEDY)
    return fine(Name.DNS, said, _advice(walk))


def _addresses(walk: Walk) -> str:
    names, target = walk.names, walk.target
    listed = ", ".join(names.addresses)
    if names.left_out:
        listed += f" and {names.left_out} more that were not looked at"
    if target.is_address and not names.seconds:
        return f"{listed} is an address: nothing to look up"
    if not names.seconds:
        return f"{listed}, as --resolve or --connect-to says"
    return f"{target.host} is {listed} ({milliseconds(names.seconds)})"


def _records(walk: Walk) -> str:
    names = walk.names
    if names.records_error:
        return f"HTTPS records could not be asked for: {names.records_error}"
    if not names.records:
        return f"no HTTPS record at {names.query}"
    return f"HTTPS record: {', '.join(map(record_text, names.records))}"


def record_text(record: ServiceRecord) -> str:
    """A record as a zone file has it."""
    words = [str(record.priority), record.target or "."]
    if record.alpn:
        words.append(f"alpn={','.join(record.alpn)}")
    if record.port:
        words.append(f"port={record.port}")
    words += [f"{'ipv6hint' if ':' in hint else 'ipv4hint'}={hint}" for hint in record.hints]
    return " ".join([*words, "ech=..."] if record.ech else words)


def _faults(walk: Walk, record: ServiceRecord) -> list[str]:
    """What a record promises in vain."""
    if "h3" not in record.alpn:
        return []
    port = record.port or walk.target.port
    spoken = [announced(one.page.all("alt-svc")) for one in pages(walk) if one.page]
    if any(one.clear for one in spoken):
        return ["the record still says h3, while the server withdraws it (alt-svc: clear)"]
    told = next((one.h3 for one in spoken if one.h3), None)
    if told is None:
        visits = walk.quic if port == walk.udp_port else walk.url_quic
        if first_connected(visits):
            return []
        return [f"the record says h3, but nothing speaks QUIC on UDP {port} and alt-svc names no h3"]
    if told.port != port and first_connected(walk.quic):
        return [f"the record leads to UDP {port}, but HTTP/3 is served on {told.port}"]
    return []


def _hints(walk: Walk) -> list[str]:
    """Hints that are none of the addresses, and where nobody answers."""
    has_ipv6 = any(":" in one.where.address and one.reply is Reply.ANSWERED for one in walk.tcp)
    return [
        f"the hint {replied(where, reply)}, and is none of the addresses"
        for where, reply in walk.names.hints
        if reply is not Reply.ANSWERED and (":" not in where.address or has_ipv6 or reply is Reply.REFUSED)
    ]


def _advice(walk: Walk) -> str:
    records = walk.names.records
    if records and records[0].priority and not any("h3" in one.alpn for one in records):
        return "add h3 to alpn of the HTTPS record: then clients begin with HTTP/3"
    return ""
