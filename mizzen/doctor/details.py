"""What is looked at where a QUIC handshake works: the same answer, clients without a certificate, sessions that resume,
early data, another port, larger datagrams."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime
from typing import Any

from mizzen.doctor import quic, tcp
from mizzen.doctor.asking import NOWHERE, Client
from mizzen.doctor.measured import Early, OverTcp, Parity, Visit, Walk, Where
from mizzen.doctor.verdicts.answers import differing
from mizzen.probe.client import Answer, Protocol, fetch

RESUMPTIONS = 8
# Where none of them resumed: with a key for each worker, one of many does by chance.
MORE_RESUMPTIONS = 24
# UDP payloads: the least that QUIC needs (RFC 9000, section 14), what Chromium begins with, what a tunnel leaves, and what
# Ethernet takes of IPv6.
SIZES = (1200, 1252, 1350, 1452)
_NOBODY = ("", "")

Start = Callable[..., "Future[Any]"]


def measured(found: Walk, client: Client, start: Start) -> Walk:
    """`found` with all that can be measured beyond the handshake, at the first address where that works."""
    visit = next((one for one in found.quic if one.connected), None)
    if visit is None:
        return found
    at = visit.where
    over_tcp = next((one for one in found.tcp if one.page is not None), None)
    if over_tcp and over_tcp.page:
        client = replace(client, slowness=over_tcp.page.timings.first_byte.total_seconds())
    parity = start(_parity, client, over_tcp.where if over_tcp else None, found)
    pairs = _comebacks(client, at, start, RESUMPTIONS) if visit.tickets else []
    migration = start(_migration, client, at)
    quiet = client.options.quiet
    idle = start(quic.visit, at, client.plan(quiet=quiet)) if quiet else None
    sizes = [(size, start(_sized, client, where, size)) for where in _families(found) for size in SIZES]
    compared = start(_compared, client, over_tcp, at)
    resumed = _results(pairs)
    if resumed and all(one.connected and not one.resumed for one in resumed):
        resumed += _results(_comebacks(client, at, start, MORE_RESUMPTIONS))
    h3, distrust, again = compared.result()
    return replace(
        found,
        h3=h3,
        distrust_h3=distrust,
        again=again,
        parity=parity.result(),
        resumed=resumed,
        early=_early(client, at, visit, resumed),
        migration=migration.result(),
        quiet=quiet,
        idle=idle.result() if idle else None,
        mtu=tuple((size, one.result()) for size, one in sizes),
    )


def _compared(client: Client, over_tcp: OverTcp | None, at: Where) -> tuple[Answer, str, Answer | None]:
    """The answer over HTTP/3, why its certificate is not trusted, and another one over TCP.

    Where they differ all is asked anew: a clock may have ticked between them, or something been deployed.
    """
    h3, distrust = _answer(client, at)
    page = over_tcp.page if over_tcp else None
    if over_tcp is None or page is None:
        return h3, distrust, None
    request = client.request(over_tcp.where)
    request = tcp.trusting(request) if over_tcp.distrust else request
    again = page if page.error else fetch(request)
    if page.status and h3.status and differing(page, again, h3):
        h3, distrust = _answer(client, at)
        again = fetch(request)
    return h3, distrust, again


def _answer(client: Client, at: Where) -> tuple[Answer, str]:
    """By libcurl, which verifies the certificate as it did over TCP; and why it does not trust that."""
    request = client.request(at, Protocol.H3)
    answer = fetch(request)
    if answer.error and answer.error.code in tcp.DISTRUST:
        return fetch(tcp.trusting(request)), answer.error.text
    return answer, ""


def _migration(client: Client, at: Where) -> Visit:
    """Once more where it failed: a machine may be busy."""
    visit = quic.visit(at, client.plan(move=True))
    return visit if visit.moved else quic.visit(at, client.plan(move=True))


def _sized(client: Client, at: Where, size: int) -> Visit:
    plan = client.plan(datagram=size, padding=2 * size)
    visit = quic.visit(at, plan)
    return visit if visit.status or visit.error else quic.visit(at, plan)


def _comebacks(client: Client, at: Where, start: Start, count: int) -> "list[Future[Visit | None]]":
    return [start(_comeback, client, at) for _ in range(count)]


def _results(pairs: "Sequence[Future[Visit | None]]") -> tuple[Visit, ...]:
    return tuple(one for pair in pairs if (one := pair.result()) is not None)


def _comeback(client: Client, at: Where, method: str = "GET", path: str = "") -> Visit | None:
    """A visit, and a second one with its ticket; None where the first brought none home.

    Where the ticket says that 0-RTT data are taken, the second visit sends a request in them.
    """
    first = quic.Visitor(at, replace(client.plan(wait_for_tickets=True), headers=()))
    first.run()
    if not first.tickets:
        return None
    ticket = first.tickets[0]
    if ticket.max_early_data_size:
        return quic.visit(at, client.plan(ticket=ticket, early=True, method=method, path=path))
    return quic.visit(at, replace(client.plan(ticket=ticket), headers=()))


def _early(client: Client, at: Where, visit: Visit, resumed: Sequence[Visit]) -> Early:
    """What became of the GET of a visit that came back; where that was taken, the same with a POST of what nobody has."""
    if not visit.tickets_take_early:
        return Early(had_ticket=bool(visit.tickets))
    get = next((one for one in resumed if one.early), None) or next(iter(resumed), None)
    post = None
    if get is not None and get.early:
        for _ in range(RESUMPTIONS):  # each worker may have a key of its own
            post = _comeback(client, at, "POST", NOWHERE)
            if post is None or post.early or not post.connected:
                break
    return Early(get=get, post=post, had_ticket=True)


def _families(found: Walk) -> tuple[Where, ...]:
    """The first address of each family where a handshake works: paths differ by family."""
    firsts: dict[bool, Where] = {}
    for visit in found.quic:
        if visit.connected:
            firsts.setdefault(":" in visit.where.address, visit.where)
    return tuple(firsts.values())


def _parity(client: Client, over_tcp: Where | None, found: Walk) -> Parity:
    bare = [visit for visit in found.quic if visit.connected]
    at = bare[0].where
    resumed = None
    if client.options.certificate_pem:
        bare = [quic.visit(visit.where, client.plan(certificate=_NOBODY)) for visit in bare]
        resumed = _without(client, at)
    seen = None
    if over_tcp:
        seen = tcp.uncertified(tcp.trusting(client.request(over_tcp, certificate=_NOBODY)))
    asks = bool(bare[0].asked_for_certificate or (seen and seen.asks))
    stranger = _stranger(client, over_tcp, at, found.now) if asks else (None, None)
    return Parity(
        tcp_status=seen.status if seen else 0,
        tcp_asks=seen.asks if seen else None,
        tcp_error=seen.error if seen else "",
        quic=bare[0],
        others=tuple(bare[1:]),
        resumed=resumed,
        stranger_tcp=stranger[0],
        stranger_quic=stranger[1],
    )


def _without(client: Client, at: Where) -> Visit | None:
    """Who had a certificate, and comes back with the ticket alone."""
    first = quic.Visitor(at, client.plan(wait_for_tickets=True))
    first.run()
    if not first.tickets:
        return None
    return quic.visit(at, client.plan(certificate=_NOBODY, ticket=first.tickets[0]))


def _stranger(client: Client, over_tcp: Where | None, at: Where, now: datetime) -> tuple[bool | None, bool]:
    """Whether a certificate that nobody issued is let in, over TCP and over QUIC."""
    from mizzen.demo import certificates

    pair = certificates.client("nobody", certificates.authority("nobody", now), now)
    own = (pair.certificate.decode(), pair.key.decode())
    over_quic = quic.visit(at, client.plan(certificate=own))
    if over_tcp is None:
        return None, bool(over_quic.status)
    return bool(tcp.uncertified(tcp.trusting(client.request(over_tcp, certificate=own))).status), bool(
        over_quic.status
    )
