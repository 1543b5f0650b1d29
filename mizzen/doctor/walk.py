"""Measures everything of one URL, as much at once as goes. What fails is measured too; nothing here raises for a network."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import ParamSpec, TypeVar

from mizzen.doctor import details, quic, resolver, tcp, udp
from mizzen.doctor.alternatives import Alternative, announced
from mizzen.doctor.asking import NOWHERE, Client, Options
from mizzen.doctor.measured import Names, OverTcp, Udp, Visit, Walk, Where
from mizzen.doctor.sockets import dialled
from mizzen.doctor.target import Target

T = TypeVar("T")
P = ParamSpec("P")

MOST_ADDRESSES = 8  # of a name that are walked
_WHISPER = 1.0
_THREADS = 32
_VERSION_1 = 1


def walk(target: Target, options: Options, now: datetime) -> Walk:
    """Everything that can be measured of a URL; a broken host takes a few seconds."""
    with ThreadPoolExecutor(_THREADS) as pool:
        return _Walker(target, options, pool).walk(now)


class _Walker:
    def __init__(self, target: Target, options: Options, pool: ThreadPoolExecutor) -> None:
        self._target, self._options, self._pool = target, options, pool

    def walk(self, now: datetime) -> Walk:
        options, target = self._options, self._target
        records = self._records()
        names = self._addresses()
        dial = target.dial(target.host, target.port)
        wheres = [Where(address, dial.port) for address in names.addresses]
        over_tcp = [self._start(self._over_tcp, where) for where in wheres if not options.http3_only]
        own_udp = [self._over_udp(where) for where in wheres]
        tcp_seen = tuple(one.result() for one in over_tcp)
        own = [(one.result(), visit.result()) for one, visit in own_udp]
        names = self._with_records(names, records)
        told = _told(tcp_seen, names)
        elsewhere = self._elsewhere(told, names)
        seen = own if elsewhere is None else [(one.result(), visit.result()) for one, visit in elsewhere]
        whispered = [self._start(self._whispered, port, visit) for port, visit in seen]
        found = Walk(
            target=target,
            now=now,
            has_certificate=bool(options.certificate_pem),
            insecure=options.insecure,
            http3_only=options.http3_only,
            names=names,
            tcp=tcp_seen,
            udp_port=told.port if told else target.port,
            udp=tuple(one.result() for one in whispered),
            quic=tuple(one for _, one in seen),
            url_quic=() if elsewhere is None else tuple(one for _, one in own),
        )
        return details.measured(found, self._client(), self._start)

    def _start(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        return self._pool.submit(work, *args, **kwargs)

    # --- names --------------------------------------------------------------------------------------

    def _addresses(self) -> Names:
        target, options = self._target, self._options
        dial = target.dial(target.host, target.port)
        if dial.addresses is not None:
            return Names(addresses=self._wanted(dial.addresses), is_given=True)
        found = resolver.addresses(dial.host, options.nameservers, options.connect_timeout)
        wanted = self._wanted(found.addresses)
        error = found.error
        if found.addresses and not wanted:
            error = f"it has no IPv{options.family} address"
        return Names(
            addresses=wanted[:MOST_ADDRESSES],
            left_out=len(wanted[MOST_ADDRESSES:]),
            is_given=target.is_told(target.host, target.port),
            error=error,
            seconds=found.seconds,
        )

    def _wanted(self, addresses: Sequence[str]) -> tuple[str, ...]:
        family = self._options.family
        return tuple(one for one in addresses if not family or (":" in one) == (family == "6"))

    def _records(self) -> "Future[resolver.Records] | None":
        """Of a name: an address has none."""
        target, options = self._target, self._options
        if target.is_address:
            return None
        return self._start(
            resolver.records, target.host, target.port, options.nameservers, options.connect_timeout
        )

    def _with_records(self, names: Names, asked: "Future[resolver.Records] | None") -> Names:
        """With the HTTPS records, and what their hints do over TCP where they are none of the addresses."""
        if asked is None:
            return names
        records = asked.result()
        wheres = [
            Where(hint, one.port or self._target.port)
            for one in records.records
            for hint in one.hints
            if hint not in names.addresses and self._wanted((hint,))
        ][:MOST_ADDRESSES]
        replies = [self._start(dialled, where, self._options.connect_timeout) for where in wheres]
        return replace(
            names,
            query=records.query,
            records=records.records,
            records_error=records.error,
            hints=tuple((where, one.result()) for where, one in zip(wheres, replies, strict=True)),
        )

    # --- addresses ----------------------------------------------------------------------------------

    def _over_tcp(self, where: Where) -> OverTcp:
        page = self._client().request(where)
        return tcp.look(where, page, replace(page, path=NOWHERE), self._options.connect_timeout)

    def _over_udp(self, where: Where) -> "tuple[Future[Udp], Future[Visit]]":
        plan = self._client().plan(hold=True, wait_for_tickets=True)
        return self._start(udp.probe, where, self._options.connect_timeout), self._start(
            quic.visit, where, plan
        )

    def _elsewhere(
        self, told: Alternative | None, names: Names
    ) -> "list[tuple[Future[Udp], Future[Visit]]] | None":
        """Visits of the alternative that clients are told of; None where it is the URL's own host and port."""
        target = self._target
        if told is None or (told.port == target.port and told.host in ("", target.host)):
            return None
        host = told.host or target.host
        dial = target.dial(host, told.port)
        addresses = dial.addresses
        if addresses is None and host == target.host:
            addresses = names.addresses
        if addresses is None:
            found = resolver.addresses(dial.host, self._options.nameservers, self._options.connect_timeout)
            addresses = self._wanted(found.addresses)[:MOST_ADDRESSES]
        return [self._over_udp(Where(address, dial.port)) for address in addresses]

    def _whispered(self, port: Udp, visit: Visit) -> Udp:
        """Where a port speaks QUIC and yet no word of a handshake came: whether a handshake that ends with one short datagram,
        because of a protocol that nobody speaks, fares better. Then it is the large ones that get lost."""
        if not port.is_quic or visit.connected or visit.datagrams or _VERSION_1 not in port.versions:
            return port
        plan = replace(self._client().plan(), alpn="nobody", patience=_WHISPER, headers=())
        return replace(port, small_only=quic.visit(port.where, plan).datagrams > 0)

    def _client(self) -> Client:
        return Client(self._target, self._options)


def _told(seen: Sequence[OverTcp], names: Names) -> Alternative | None:
    """Where clients go for HTTP/3: what alt-svc says, else an HTTPS record; None: nobody tells them."""
    for one in seen:
        if one.page and one.page.status and (found := announced(one.page.all("alt-svc")).h3):
            return found
    for record in names.records:
        if "h3" in record.alpn and record.port:
            return Alternative(protocol="h3", host=record.target, port=record.port)
    return None
