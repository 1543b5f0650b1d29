"""What an address does over TCP: the connection, a TLS handshake, the page of the URL and one that nobody has."""

import socket
import ssl
import time
from contextlib import closing
from dataclasses import replace

import pycurl

from mizzen.doctor.measured import Handshake, OverTcp, Reply, Where
from mizzen.doctor.sockets import connected, failure, reply_of
from mizzen.lazy import dataclass
from mizzen.probe.client import Received, Request, configure, fetch
from mizzen.probe.client import failure as curl_failure

# libcurl's errors of a certificate that is not trusted: CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE ...
DISTRUST = (60, 90, 91)
_REQUEST_OF_CERTIFICATE = b"Request CERT"


def look(where: Where, page: Request, nowhere: Request, patience: float) -> OverTcp:
    """Dial, shake hands, ask. Blocks for `patience` twice, and for what the requests may take."""
    begun = time.monotonic()
    try:
        with closing(connected(where, socket.SOCK_STREAM, patience)) as plain:
            seconds = time.monotonic() - begun
            shaken = shake(plain, page.host)
    except OSError as error:
        return OverTcp(
            where=where,
            reply=reply_of(error),
            seconds=time.monotonic() - begun,
            detail=failure(error),
        )
    answer = fetch(page)
    distrust = ""
    if answer.error and answer.error.code in DISTRUST:
        distrust = answer.error.text
        answer = fetch(trusting(page))
    missing, asks = None, False
    if answer.status:
        missing = fetch(trusting(nowhere) if distrust else nowhere)
    elif answer.error and not answer.error.is_timeout:
        asks = uncertified(trusting(page)).asks
    return OverTcp(
        where=where,
        reply=Reply.ANSWERED,
        seconds=seconds,
        handshake=shaken,
        page=answer,
        nowhere=missing,
        asks=asks,
        distrust=distrust,
    )


def trusting(request: Request) -> Request:
    """The same, whoever answers."""
    return replace(request, verify=False)


def shake(plain: socket.socket, name: str) -> Handshake:
    """A handshake that offers HTTP/2 and HTTP/1.1 and verifies nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2", "http/1.1"])
    begun = time.monotonic()
    try:
        secured = context.wrap_socket(plain, server_hostname=name)
    except OSError as error:
        return Handshake(error=_tls_error(error))
    with secured:
        cipher = secured.cipher()
        return Handshake(
            version=secured.version() or "",
            cipher=cipher[0] if cipher else "",
            alpn=secured.selected_alpn_protocol() or "",
            seconds=time.monotonic() - begun,
        )


def _tls_error(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "").replace("_", " ").lower()
        return "it closed the connection" if "eof" in reason else reason or str(error)
    if isinstance(error, TimeoutError):
        return "no answer"
    return "it closed the connection" if isinstance(error, ConnectionError) else failure(error)


@dataclass(frozen=True, slots=True)
class Uncertified:
    """What a client without a certificate (or with a stranger's) gets over TCP."""

    status: int  # 0: refused
    asks: bool  # the server sent a CertificateRequest
    error: str


def uncertified(request: Request) -> Uncertified:
    """Ask, and listen whether a certificate is asked for: libcurl tells of every TLS message to who wants to hear it."""
    seen: list[bytes] = []
    received = Received()
    with closing(pycurl.Curl()) as curl:
        configure(curl, request, received)
        curl.setopt(pycurl.VERBOSE, 1)
        curl.setopt(pycurl.DEBUGFUNCTION, lambda kind, text: seen.append(text) if kind == 0 else None)
        error = ""
        try:
            curl.perform()
        except pycurl.error as failed:
            error = curl_failure(failed).text
        status = curl.getinfo(pycurl.RESPONSE_CODE)
    return Uncertified(status, any(_REQUEST_OF_CERTIFICATE in text for text in seen), error)
