"""The client that is played: whom it asks for what, whom it trusts, what it shows of itself."""

from datetime import timedelta
from typing import Any

from mizzen.doctor.measured import Where
from mizzen.doctor.quic import Plan, request
from mizzen.doctor.target import Target
from mizzen.lazy import dataclass
from mizzen.probe.client import Protocol, Request

MOST_BODY = 4 << 20  # bytes of a body that are compared
NOWHERE = "/.well-known/mizzen-doctor-asks-for-what-nobody-has"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to look."""

    ca_pem: str = ""
    certificate_pem: str = ""
    key_pem: str = ""
    insecure: bool = False
    http3_only: bool = False  # nothing is asked over TCP
    family: str = ""  # "4" or "6": those addresses alone
    connect_timeout: float = 2.0  # seconds for a connection
    max_time: float = 5.0  # seconds for an answer
    quiet: float = 0.0  # seconds without a word on one connection, after which it is asked again
    nameservers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Client:
    """Makes the requests of one target."""

    target: Target
    options: Options
    slowness: float = 0.0  # seconds that the URL took over TCP until it was answered; 0: not known

    @property
    def answer_patience(self) -> float:
        """How long an answer over QUIC may take."""
        options = self.options
        return (
            min(options.max_time, options.connect_timeout + 2 * self.slowness)
            if self.slowness
            else options.max_time
        )

    def request(
        self, where: Where, protocol: Protocol = Protocol.H2, *, certificate: tuple[str, str] | None = None
    ) -> Request:
        """For libcurl. `certificate`: another one (PEM, key) than the client's own; ("", "") is none."""
        target, options = self.target, self.options
        own = (options.certificate_pem, options.key_pem) if certificate is None else certificate
        return Request(
            host=target.host,
            port=target.port,
            path=target.path,
            headers=(("Accept", "*/*"),),
            protocol=protocol,
            address=where.address,
            connect_port=where.port,
            ca_pem=options.ca_pem,
            client_cert_pem=own[0],
            client_key_pem=own[1],
            verify=not options.insecure,
            timeout=timedelta(seconds=options.max_time),
            max_body=MOST_BODY,
        )

    def plan(
        self,
        *,
        method: str = "GET",
        path: str = "",
        padding: int = 0,
        certificate: tuple[str, str] | None = None,
        **more: Any,
    ) -> Plan:
        """For QUIC: a request of the URL, or of `path`; `padding` bytes make it longer."""
        options = self.options
        own = (options.certificate_pem, options.key_pem) if certificate is None else certificate
        # "X" takes eight bits in HPACK's and QPACK's code (RFC 7541, appendix B): it stays as long as it is.
        pad = (("x-mizzen-doctor", "X" * padding),) if padding else ()
        return Plan(
            sni=self.target.host,
            patience=options.connect_timeout,
            answer_patience=self.answer_patience,
            headers=request(self.target.authority, path or self.target.path, method=method, more=pad),
            certificate_pem=own[0],
            key_pem=own[1],
            **more,
        )
