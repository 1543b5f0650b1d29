"""HTTPS records as a zone file (RFC 1035, section 5; RFC 9460, section 2.1): absolute names, no SOA, to be included."""

from collections.abc import Iterable, Iterator

from mizzen.dns.justified import Justified, Listed
from mizzen.errors import printable

PROVEN = "HTTPS records (RFC 9460) of the HTTP/3 mirrors that are announced now."
ONCE_PROVEN = "HTTPS records (RFC 9460) as they are justified once each HTTP/3 mirror has been proven by a real request."


def zone_file(found: Justified, *, is_proven: bool) -> str:
    """The text. `is_proven`: the mirrors are announced; else they are what files say."""
    return "".join(f"{line}\n" for line in _lines(found, PROVEN if is_proven else ONCE_PROVEN))


def _lines(found: Justified, title: str) -> Iterator[str]:
    yield comment(title)
    for one in found.listed:
        yield from beside(one)
        yield str(one.record)
    yield from without(found)


def beside(one: Listed) -> Iterator[str]:
    """What is told of a record, as comments."""
    for served in one.because:
        yield comment(served.called)
    for note in one.notes:
        yield comment(f"  {note}")


def without(found: Justified, sign: str = ";") -> Iterator[str]:
    """Hosts that have no record, as comments."""
    if found.left_out:
        yield comment("Without a record:", sign)
    yield from dict.fromkeys(
        comment(f"  {one.host}: {one.reason} [{one.served.called}]", sign) for one in found.left_out
    )


def comment(text: str, sign: str = ";") -> str:
    """A line that name servers and nsupdate pass over, whatever a user wrote into it. `sign`: # in YAML."""
    return f"{sign} {printable(text)}"


def remarks(found: Justified, *, is_proven: bool) -> str:
    """All that is told beside the records, as comments of YAML."""
    notes = [f"{one.record.name}: {note}" for one in found.listed for note in one.notes]
    title = comment(PROVEN if is_proven else ONCE_PROVEN, "#")
    return texts((title, *(comment(note, "#") for note in notes), *without(found, "#")))


def texts(lines: Iterable[str]) -> str:
    """Lines as one text."""
    return "".join(f"{line}\n" for line in lines)
