"""One QUIC connection with one request, by aioquic without its event loop: what the server did, in figures.

Nothing is verified here: that a certificate is wrong is a measurement too. What aioquic has no name for is read from its
private attributes, in this module alone.
"""

import logging
import select
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import closing

from aioquic.h3.connection import H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, HandshakeCompleted
from aioquic.tls import SessionTicket
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from mizzen.doctor.measured import Visit, Where
from mizzen.doctor.sockets import connected, failure
from mizzen.lazy import dataclass

_PAUSE = 0.03  # seconds: a server that says nothing for so long amid its handshake waits for the client
_FIRST_RTT = 0.15  # a lost first packet is sent again after three times that
_IDLE = 30.0  # seconds, beyond those that it is quiet
_LINGER = 0.05  # for tickets, which come after the handshake

Headers = Sequence[tuple[str, str]]

# aioquic tells of what it sees on the wire; here that is measured, and nobody else listens.
logging.getLogger("quic").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a visit does."""

    sni: str
    patience: float  # seconds for the handshake
    answer_patience: float = 0.0  # for an answer after it; 0: the same
    headers: Headers = ()  # the request with its pseudo-headers; (): none is made
    certificate_pem: str = ""  # the client's, with its chain
    key_pem: str = ""
    ticket: SessionTicket | None = None
    early: bool = False  # send the request before the handshake is done
    move: bool = False  # ask again from another port
    quiet: float = 0.0  # seconds without a word after the answer, and then ask again
    datagram: int = 1200  # bytes of the largest datagram that is sent
    hold: bool = False  # see how far the server's handshake gets before it hears of the client again
    wait_for_tickets: bool = False
    alpn: str = "h3"


class Visitor:
    """Makes the connection of a plan. `visit` is what came of it, `tickets` what a later one can come back with."""

    def __init__(self, where: Where, plan: Plan) -> None:
        self.where, self._plan = where, plan
        self.tickets: list[SessionTicket] = []
        self._quic = QuicConnection(
            configuration=_configuration(plan), session_ticket_handler=self.tickets.append
        )
        self._peer = (where.address, where.port)
        self._sizes: list[int] = []
        self._refused = False
        self._error = ""
        self._seconds: float | None = None
        self._stalled_at = 0
        self._closed: ConnectionTerminated | None = None
        self._leaving = False
        self._answers: dict[int, _Answer] = {}
        self._moved: bool | None = None
        self._awake: bool | None = None
        self._begun = self._deadline = 0.0

    def run(self) -> Visit:
        """Make the visit; blocks for the plan's patience, and for that of each answer."""
        self._begun = time.monotonic()
        self._deadline = self._begun + self._plan.patience
        try:
            self._socket = connected(self.where, socket.SOCK_DGRAM)
            with closing(self._socket):
                self._converse()
        except ConnectionRefusedError:
            self._refused = True
        except OSError as error:
            self._error = failure(error)
        return self._visit()

    def _converse(self) -> None:
        plan = self._plan
        self._quic.connect(self._peer, now=self._begun)
        http = H3Connection(self._quic) if plan.early else None
        first = self._ask(http) if http else None
        if plan.hold:
            self._hold()
        if not self._until(lambda: self._seconds is not None):
            return
        self._http = http or H3Connection(self._quic)
        if first is None:
            first = self._ask(self._http)
        if first is not None:
            self._await(first)
        if plan.wait_for_tickets and not self.tickets:
            self._until(lambda: bool(self.tickets), _LINGER * 4)
        if first is not None and first.status:
            if plan.quiet:
                self._rest()
            if plan.move:
                self._move()
        self._leave()

    def _ask(self, http: H3Connection) -> "_Answer | None":
        if not self._plan.headers:
            return None
        stream = self._quic.get_next_available_stream_id()
        head = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self._plan.headers]
        http.send_headers(stream, head, end_stream=True)
        self._http = http
        self._answers[stream] = answer = _Answer()
        return answer

    def _await(self, answer: "_Answer") -> bool:
        """Until its status has come: what is answered may be long, or never end."""
        self._deadline = time.monotonic() + (self._plan.answer_patience or self._plan.patience)
        return self._until(lambda: answer.status >= 200)

    def _rest(self) -> None:
        """Nothing is sent but what is owed, and then another request: do all on the way remember the connection?"""
        self._deadline = time.monotonic() + self._plan.quiet
        self._until(lambda: False)
        again = self._ask(self._http) if self._closed is None else None
        self._awake = bool(again and self._await(again))

    def _move(self) -> None:
        """Another socket, and so another port: what a NAT does to a client that was quiet, or a phone that changes networks."""
        new = connected(self.where, socket.SOCK_DGRAM)
        self._socket.close()
        self._socket = new
        with closing(new):
            second = self._ask(self._http)
            self._moved = bool(second and self._await(second))
            self._leave()

    def _leave(self) -> None:
        if self._closed is None and self._socket.fileno() >= 0:
            self._leaving = True
            self._quic.close(error_code=0x100)  # H3_NO_ERROR
            self._send()

    # --- the wire -----------------------------------------------------------------------------------

    def _hold(self) -> None:
        """Read without a word until the handshake is whole, or the server has stopped in the midst of it."""
        self._send()
        while self._seconds is None and self._closed is None:
            left = self._deadline - time.monotonic()
            wait = min(left, _PAUSE if self._sizes else _FIRST_RTT * 3)
            if not self._receive(max(wait, 0.0)):
                break
        if self._sizes and self._seconds is None and self._closed is None:
            self._stalled_at = sum(self._sizes)

    def _until(self, done: Callable[[], bool], patience: float | None = None) -> bool:
        deadline = self._deadline
        if patience is not None:
            deadline = min(deadline, time.monotonic() + patience)
        while not done():
            if self._closed is not None:
                return False
            self._send()
            now = time.monotonic()
            if now >= deadline:
                return False
            timer = self._quic.get_timer()
            wait = min(deadline, timer if timer is not None else deadline) - now
            if not self._receive(max(wait, 0.0)):
                now = time.monotonic()
                if timer is not None and now >= timer:
                    self._quic.handle_timer(now)
                    self._take_events()
        return True

    def _send(self) -> None:
        for data, _ in self._quic.datagrams_to_send(time.monotonic()):
            self._socket.send(data)

    def _receive(self, seconds: float) -> bool:
        if not select.select([self._socket], [], [], seconds)[0]:
            return False
        data = self._socket.recv(65_535)
        self._sizes.append(len(data))
        self._quic.receive_datagram(data, self._peer, time.monotonic())
        self._take_events()
        return True

    def _take_events(self) -> None:
        while (event := self._quic.next_event()) is not None:
            if isinstance(event, HandshakeCompleted):
                self._seconds = time.monotonic() - self._begun
            elif isinstance(event, ConnectionTerminated):
                self._closed = event
            elif self._answers:
                for http_event in self._http.handle_event(event):
                    if isinstance(http_event, HeadersReceived):
                        self._answers.setdefault(http_event.stream_id, _Answer()).take(http_event)

    def _visit(self) -> Visit:
        tls = self._quic.tls if hasattr(self._quic, "tls") else None
        first = next(iter(self._answers.values()), _Answer())
        closed = None if self._leaving else self._closed
        return Visit(
            where=self.where,
            refused=self._refused,
            error=self._error,
            seconds=self._seconds,
            datagrams=len(self._sizes),
            largest=max(self._sizes, default=0),
            stalled_at=self._stalled_at,
            version=self._quic._version or 0,
            retried=bool(self._quic._retry_count),
            idle_timeout=self._quic._remote_max_idle_timeout or 0.0,
            chain=_chain(tls),
            asked_for_certificate=bool(tls and tls._certificate_request),
            resumed=bool(tls and tls.session_resumed),
            early=bool(tls and tls.early_data_accepted),
            tickets=len(self.tickets),
            tickets_take_early=any(one.max_early_data_size for one in self.tickets),
            close_code=closed.error_code if closed else None,
            close_reason=closed.reason_phrase if closed else "",
            status=first.status,
            headers=tuple(first.headers),
            moved=self._moved,
            awake=self._awake,
        )


class _Answer:
    """What has come of one request."""

    def __init__(self) -> None:
        self.headers: list[tuple[str, str]] = []
        self.status = 0

    def take(self, event: HeadersReceived) -> None:
        if self.status < 200:
            pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers]
            self.status = int(dict(pairs).get(":status", 0))
            self.headers = [pair for pair in pairs if not pair[0].startswith(":")]


def visit(where: Where, plan: Plan) -> Visit:
    """One visit; what it brought home is not kept."""
    return Visitor(where, plan).run()


def request(authority: str, path: str, *, method: str = "GET", more: Headers = ()) -> Headers:
    """A request with its pseudo-headers."""
    pseudo = ((":method", method), (":scheme", "https"), (":authority", authority), (":path", path))
    return (*pseudo, ("user-agent", "mizzen-doctor"), ("accept", "*/*"), *more)


def _configuration(plan: Plan) -> QuicConfiguration:
    configuration = QuicConfiguration(
        alpn_protocols=[plan.alpn],
        server_name=plan.sni,
        idle_timeout=plan.quiet + _IDLE,
        verify_mode=ssl.CERT_NONE,
        session_ticket=plan.ticket,
        max_datagram_size=plan.datagram,
        initial_rtt=_FIRST_RTT,
    )
    if plan.certificate_pem:
        certificates = x509.load_pem_x509_certificates(plan.certificate_pem.encode())
        configuration.certificate, *configuration.certificate_chain = certificates
        configuration.private_key = load_pem_private_key(plan.key_pem.encode(), None)
    return configuration


def _chain(tls: object) -> tuple[bytes, ...]:
    leaf: x509.Certificate | None = getattr(tls, "_peer_certificate", None)
    if leaf is None:
        return ()
    rest: list[x509.Certificate] = getattr(tls, "_peer_certificate_chain", [])
    return tuple(one.public_bytes(Encoding.DER) for one in (leaf, *rest))
