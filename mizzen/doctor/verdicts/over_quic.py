"""The verdicts on the way over UDP: the port, the handshake, how large datagrams may be."""

from collections.abc import Sequence

from mizzen.doctor.links import Link, Name
from mizzen.doctor.measured import Reply, Udp, Visit, Walk, Where
from mizzen.doctor.verdicts.common import (
    broken,
    fine,
    is_out_of_reach,
    listed,
    milliseconds,
    no_quic,
    replied,
    unlooked,
)

VERSION_1 = 1
# What any client sends sooner or later: Chromium begins with 1,250 bytes, others with up to 1,350.
NEEDED = 1350
_LONGEST_REASON = 120


def udp(walk: Walk) -> Link:
    """The port answers, on every address."""
    pairs = _pairs(walk)
    if not pairs:
        return unlooked(Name.UDP, "no address is known")
    here = [(port, visit) for port, visit in pairs if not is_out_of_reach(walk, port.where, port.reply)]
    good = [_answered(port, visit) for port, visit in here if _is_open(port, visit)]
    bad = [(port, visit) for port, visit in here if not _is_open(port, visit)]
    if not bad and good:
        return fine(Name.UDP, listed(good))
    said = [_closed(port) for port, _ in bad] + [f"{one}: fine" for one in good]
    if not said:
        return unlooked(Name.UDP, "none of the addresses can be reached from here")
    return broken(Name.UDP, listed(said), _udp_remedy(bad[0][0], some=bool(good)))


def _pairs(walk: Walk) -> list[tuple[Udp, Visit]]:
    return list(zip(walk.udp, walk.quic, strict=True))


def _is_open(port: Udp, visit: Visit) -> bool:
    if visit.connected or visit.close_code is not None or port.small_only or port.is_quic:
        return True
    return port.reply is Reply.SILENT and bool(visit.datagrams)


def _answered(port: Udp, visit: Visit) -> str:
    if port.small_only and not visit.connected:
        return f"{port.where} answers, but datagrams of 1,200 bytes get lost"
    seconds = port.seconds if port.reply is Reply.ANSWERED else visit.seconds or 0.0
    return f"{port.where} answers in {milliseconds(seconds)}"


def _closed(port: Udp) -> str:
    if port.reply is Reply.ANSWERED:
        return f"{port.where} answers with {port.detail}: something else has the port"
    return f"UDP {replied(port.where, port.reply, port.detail)}"


def _udp_remedy(port: Udp, *, some: bool) -> str:
    number = port.where.port
    where = f" at {port.where.address}" if some else ""
    if port.reply is Reply.REFUSED:
        return (
            f"nothing listens on UDP {number}{where}: see that the Service and the load balancer have the port for UDP and lead it "
            "to the gateway's QUIC listener, and that Envoy took the listener (`mizzen http3 status`, `mizzen proxy-status`)"
        )
    if port.reply is Reply.UNREACHABLE:
        return f"mend the route to it, or the firewall on the way (of this machine, too) for UDP {number}"
    if port.reply is Reply.ANSWERED:
        return f"lead UDP {number} to the gateway's QUIC listener"
    return (
        f"let UDP {number} in{where}: firewalls, security groups and load balancers (one that takes only TCP?) on the way to the "
        "gateway; TCP alone is not enough"
    )


def quic(walk: Walk) -> Link:
    """A handshake on every address whose port answers."""
    pairs = [(port, visit) for port, visit in _pairs(walk) if _is_open(port, visit)]
    if not pairs:
        return unlooked(Name.QUIC, "the UDP port does not answer" if walk.udp else "no address is known")
    failed = [(port, visit) for port, visit in pairs if not visit.connected]
    good = [_shaken(port, visit) for port, visit in pairs if visit.connected]
    if not failed:
        return _idle(walk, listed(good))
    if all(port.small_only for port, _ in failed):
        return unlooked(Name.QUIC, "datagrams of 1,200 bytes do not come through (mtu)")
    port, visit = next((port, visit) for port, visit in failed if not port.small_only)
    why, remedy = _failure(walk, port, visit)
    return broken(Name.QUIC, listed([f"{visit.where} {why}", *(f"{one}: fine" for one in good)]), remedy)


def _idle(walk: Walk, said: str) -> Link:
    """Whether a connection that was quiet for less than the server's idle timeout is still there."""
    visit = walk.idle
    if visit is None or visit.awake is None:
        return fine(Name.QUIC, said)
    if visit.awake:
        return fine(Name.QUIC, f"{said}, a connection answers after {walk.quiet:g} s without a word")
    said += f", a connection does not answer after {walk.quiet:g} s without a word"
    if 0 < visit.idle_timeout <= walk.quiet:
        return fine(Name.QUIC, f"{said}, as the idle timeout says")
    return broken(
        Name.QUIC,
        said,
        "something on the way forgets UDP flows (NAT, firewall, balancer): raise its UDP timeout, let the balancer route by connection "
        "id (QUIC-LB), or lower the idle timeout below it, so that clients know",
    )


def _shaken(port: Udp, visit: Visit) -> str:
    offered = ", ".join(_version(one) for one in sorted(port.versions) if not _is_reserved(one))
    of = f" of {offered}" if offered not in ("", "1") else ""
    retry = "after a Retry, " if visit.retried else ""
    idle = f"idle timeout {visit.idle_timeout:g} s" if visit.idle_timeout else "no idle timeout"
    return f"{visit.where} version {_version(visit.version)}{of} {retry}in {milliseconds(visit.seconds or 0.0)}, {idle}"


def _is_reserved(version: int) -> bool:
    """0x?a?a?a?a: to make clients practise (RFC 9000, section 15)."""
    return version & 0x0F0F0F0F == 0x0A0A0A0A


def _version(number: int) -> str:
    return {1: "1", 0x6B3343CF: "2"}.get(number, hex(number))


def _reason(visit: Visit) -> str:
    """The first sentence of what a server says; its TLS library's stack does not help."""
    text = visit.close_reason.partition(". ")[0][:_LONGEST_REASON]
    return f" ({text})" if text else ""


def _failure(walk: Walk, port: Udp, visit: Visit) -> tuple[str, str]:
    """Why there is no handshake, and what to do."""
    if port.is_quic and VERSION_1 not in port.versions:
        names = ", ".join(_version(one) for one in port.versions if not _is_reserved(one)) or "none"
        return (
            f"does not take version 1 (it names {names}): new connections are refused",
            "see whether the listener rejects new connections (reject_new_connections, shedding, a withdrawal) or speaks old drafts only",
        )
    if visit.close_code is not None:
        return (
            f"closes the handshake for {walk.target.host} with code {visit.close_code:#x}{_reason(visit)}",
            f"see whether the QUIC listener has a chain for {walk.target.host}: `mizzen http3 status` says which servers are mirrored, and why "
            "others are not",
        )
    return (
        f"answers, but not the handshake for {walk.target.host}",
        f"see whether the QUIC listener has a chain for {walk.target.host} (Envoy is silent for names that it does not know), whether "
        "it has its Secret, and whether an old listener still reads the port (a drain)",
    )


def mtu(walk: Walk) -> Link:
    """Datagrams of the size that QUIC needs, and of those that clients send."""
    if any(port.small_only and not visit.connected for port, visit in _pairs(walk)):
        return broken(
            Name.MTU,
            "short datagrams pass, those of 1,200 bytes get lost: QUIC cannot work on this path (RFC 9000, section 14)",
            "raise the MTU of the path to 1,280 at least (tunnels, VPNs), and let no firewall drop large or fragmented UDP",
        )
    if because := no_quic(walk):
        return unlooked(Name.MTU, because)
    if not walk.mtu or not any(visit.status for _, visit in walk.mtu):
        reason = "no request was answered over QUIC"
        return unlooked(Name.MTU, reason)
    by_address: dict[Where, list[tuple[int, Visit]]] = {}
    for size, visit in walk.mtu:
        by_address.setdefault(visit.where, []).append((size, visit))
    looked = [_path(walk, where, sized, named=len(by_address) > 1) for where, sized in by_address.items()]
    said = "; ".join(text for text, _ in looked)
    smallest = min((size for _, lost in looked for size in lost), default=0)
    if smallest and smallest <= NEEDED:
        remedy = (
            "raise the MTU of the path (tunnels, overlays, VPNs), and let no firewall or balancer drop large or fragmented UDP: "
            "requests that fill a datagram get lost"
        )
        return broken(Name.MTU, said, remedy)
    return fine(
        Name.MTU,
        said,
        "the path takes a little less than Ethernet: clients find that out" if smallest else "",
    )


def _path(
    walk: Walk, where: Where, sized: Sequence[tuple[int, Visit]], *, named: bool
) -> tuple[str, list[int]]:
    """What passes on the way to one address, and the sizes that get lost."""
    visit = next(one for one in walk.quic if one.where == where)
    largest = max([one.largest for _, one in sized] + [visit.largest])
    passed = [size for size, one in sized if one.status]
    own = [size for size, one in sized if "too long" in one.error.lower()]
    lost = [size for size, one in sized if not one.status and size not in own]
    said = f"{f'{where}: ' if named else ''}datagrams of {_sizes(passed)} bytes come through"
    if own:
        said += f", this machine's own network takes none of {_sizes(own)}"
    if lost:
        said += f", those of {_sizes(lost)} are lost"
    return f"{said}, the largest from the server had {largest:,}", lost


def _sizes(sizes: list[int]) -> str:
    return ", ".join(f"{size:,}" for size in sizes) or "no size"
