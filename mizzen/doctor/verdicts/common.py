"""What several verdicts need."""

from collections.abc import Iterable

from mizzen.doctor.links import Link, Name
from mizzen.doctor.measured import OverTcp, Reply, Visit, Walk, Where


def fine(link: Name, said: str, remedy: str = "") -> Link:
    return Link(link, True, said, remedy)


def broken(link: Name, said: str, remedy: str) -> Link:
    return Link(link, False, said, remedy)


def unlooked(link: Name, because: str) -> Link:
    return Link(link, None, f"not looked at, because {because}")


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.001 else "under 1 ms"


def listed(texts: Iterable[str]) -> str:
    """Each text once, in order."""
    return ", ".join(dict.fromkeys(texts))


def is_out_of_reach(walk: Walk, where: Where, reply: Reply) -> bool:
    """Whether it is this machine that cannot come there: it has no IPv6 at all. Who names an address wants to know of it."""
    if reply is Reply.UNLOOKED:
        return True
    if reply is not Reply.UNREACHABLE or ":" not in where.address or walk.names.is_given:
        return False
    return not any(":" in one.where.address and one.reply is Reply.ANSWERED for one in walk.tcp)


def reached(walk: Walk) -> tuple[OverTcp, ...]:
    """The addresses that took a TCP connection."""
    return tuple(one for one in walk.tcp if one.reply is Reply.ANSWERED)


def pages(walk: Walk) -> tuple[OverTcp, ...]:
    """The addresses that answered a request."""
    return tuple(one for one in walk.tcp if one.page is not None and one.page.status)


def wants_certificate(walk: Walk) -> bool:
    """Whether nothing is answered over TCP to this client because it shows no certificate."""
    return not walk.has_certificate and not pages(walk) and any(one.asks for one in walk.tcp)


def first_connected(visits: Iterable[Visit]) -> Visit | None:
    return next((one for one in visits if one.connected), None)


def without_tcp(walk: Walk) -> str:
    """Why it is right that nothing is served over TCP; "" where it is not.

    A record with no-default-alpn and h3 alone says so (RFC 9460, section 7.1.1).
    """
    if walk.http3_only:
        return "of --http3-only"
    alone = any("h3" in one.alpn and one.no_default_alpn and len(one.alpn) == 1 for one in walk.names.records)
    if alone and not reached(walk) and first_connected(walk.quic):
        return "the HTTPS record names HTTP/3 alone (no-default-alpn), and nothing answers over TCP"
    return ""


def not_over_tcp(walk: Walk) -> str:
    """Why nothing that stands on TCP was looked at, where no address took a connection."""
    return without_tcp(walk) or "no address took a TCP connection"


def no_quic(walk: Walk) -> str:
    """Why nothing behind the QUIC handshake was looked at; "" where there was one."""
    return "" if first_connected(walk.quic) else "there was no QUIC handshake"


def replied(where: Where, reply: Reply, detail: str = "") -> str:
    """What an address did, in words."""
    words = {
        Reply.ANSWERED: "answers",
        Reply.REFUSED: "refuses (nobody listens there)",
        Reply.SILENT: "is silent",
        Reply.UNREACHABLE: f"cannot be reached ({detail or 'no route'})",
        Reply.UNLOOKED: "was not looked at: this machine has no address of its family",
    }
    return f"{where} {words[reply]}"
