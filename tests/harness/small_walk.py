"""What was measured of a healthy host, to be changed in one point by a test."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from mizzen.demo import certificates
from mizzen.doctor.measured import Early, Handshake, Names, OverTcp, Parity, Reply, Udp, Visit, Walk, Where
from mizzen.doctor.target import parse
from mizzen.probe.client import Answer, Failure, Protocol, Timings

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HERE = Where("192.0.2.1", 443)
OTHER = Where("2001:db8::1", 443)
AUTHORITY = certificates.authority("Test", NOW)
PAIR = certificates.server("shop.test", AUTHORITY, NOW)
PEM = PAIR.certificate.decode()
DER = x509.load_pem_x509_certificate(PAIR.certificate).public_bytes(Encoding.DER)
ALT_SVC = 'h3=":443"; ma=86400'
NO_TIME = Timings(
    connect=timedelta(),
    tls=timedelta(),
    first_byte=timedelta(milliseconds=4),
    total=timedelta(milliseconds=5),
)


def answer(
    status: int = 200,
    *,
    alt_svc: str = ALT_SVC,
    body: bytes = b"hello",
    protocol: Protocol = Protocol.H2,
    error: Failure | None = None,
    **headers: str,
) -> Answer:
    pairs = [("alt-svc", alt_svc)] if alt_svc else []
    return Answer(
        status=status,
        protocol=protocol,
        headers=(*pairs, ("content-type", "text/plain"), *headers.items()),
        body=body,
        timings=NO_TIME,
        chain=(PEM,),
        error=error,
    )


def failed(code: int, text: str, status: int = 0) -> Answer:
    return Answer(status=status, timings=NO_TIME, error=Failure(code, text))


def visit(where: Where = HERE, **more: Any) -> Visit:
    """One that went well."""
    usual: dict[str, Any] = {
        "seconds": 0.01,
        "datagrams": 4,
        "largest": 1200,
        "version": 1,
        "idle_timeout": 60.0,
        "chain": (DER,),
        "tickets": 2,
        "status": 200,
        "headers": (("alt-svc", ALT_SVC),),
    }
    return Visit(where=where, **{**usual, **more})


def no_visit(where: Where = HERE, **more: Any) -> Visit:
    return Visit(where=where, **more)


def over_tcp(where: Where = HERE, **more: Any) -> OverTcp:
    usual: dict[str, Any] = {
        "reply": Reply.ANSWERED,
        "seconds": 0.002,
        "handshake": Handshake(version="TLSv1.3", cipher="TLS_AES_128_GCM_SHA256", alpn="h2", seconds=0.004),
        "page": answer(),
        "nowhere": answer(404),
    }
    return OverTcp(where=where, **{**usual, **more})


def closed(where: Where = HERE, reply: Reply = Reply.REFUSED, **more: Any) -> OverTcp:
    return OverTcp(where=where, reply=reply, **more)


def udp(where: Where = HERE, **more: Any) -> Udp:
    usual: dict[str, Any] = {
        "reply": Reply.ANSWERED,
        "versions": (0x2A2A2A2A, 1),
        "is_quic": True,
        "seconds": 0.001,
    }
    return Udp(where=where, **{**usual, **more})


def no_udp(where: Where = HERE, reply: Reply = Reply.SILENT, **more: Any) -> Udp:
    return Udp(where=where, reply=reply, **more)


def healthy(**changes: Any) -> Walk:
    walk = Walk(
        target=parse("https://shop.test/"),
        now=NOW,
        names=Names(addresses=(HERE.address,), seconds=0.003, query="shop.test"),
        tcp=(over_tcp(),),
        udp_port=443,
        udp=(udp(),),
        quic=(visit(),),
        h3=answer(protocol=Protocol.H3),
        again=answer(),
        parity=Parity(tcp_status=200, tcp_asks=False, quic=visit()),
        resumed=(visit(resumed=True),) * 8,
        early=Early(had_ticket=True),
        migration=visit(moved=True),
        mtu=tuple((size, visit(largest=size)) for size in (1200, 1252, 1350, 1452)),
    )
    return replace(walk, **changes)


def without_quic(**changes: Any) -> Walk:
    """Where no handshake came through, so that nothing behind it was measured."""
    nothing: dict[str, Any] = {
        "udp": (no_udp(),),
        "quic": (no_visit(),),
        "h3": None,
        "again": None,
        "parity": None,
        "resumed": (),
        "early": None,
        "migration": None,
        "mtu": (),
    }
    return healthy(**{**nothing, **changes})
