"""The verdicts on the way over TCP: connection, TLS, ALPN, the answer."""

from mizzen.doctor.links import Link, Name
from mizzen.doctor.measured import OverTcp, Reply, Walk
from mizzen.doctor.verdicts.common import (
    broken,
    fine,
    is_out_of_reach,
    listed,
    milliseconds,
    not_over_tcp,
    pages,
    reached,
    replied,
    unlooked,
    wants_certificate,
    without_tcp,
)

_NO_ADDRESS = "no address is known"


def tcp(walk: Walk) -> Link:
    """Every address takes a connection."""
    if because := without_tcp(walk):
        return unlooked(Name.TCP, because)
    if not walk.tcp:
        return unlooked(Name.TCP, _NO_ADDRESS)
    here = [one for one in walk.tcp if not is_out_of_reach(walk, one.where, one.reply)]
    silent = [one for one in here if one.reply is not Reply.ANSWERED]
    good = [f"{one.where} in {milliseconds(one.seconds)}" for one in here if one.reply is Reply.ANSWERED]
    beyond = [f"{one.where} cannot be reached from here" for one in walk.tcp if one not in here]
    if silent or not good:
        said = [replied(one.where, one.reply, one.detail) for one in silent]
        return broken(
            Name.TCP, listed([*said, *beyond, *(f"{one} is fine" for one in good)]), _way_out(silent)
        )
    return fine(Name.TCP, listed([*good, *beyond]))


def _way_out(silent: list[OverTcp]) -> str:
    if not silent:
        return "look from a machine that has a route to these addresses"
    port = silent[0].where.port
    remedies = {
        Reply.REFUSED: f"nothing listens on TCP {port} there: see whether the gateway runs and binds the address, and "
        "whether the load balancer has the port; or take the address out of the DNS",
        Reply.SILENT: f"open TCP {port} in the firewall or load balancer before it; or take the address out of the DNS",
    }
    return remedies.get(silent[0].reply, "mend the route to it, or take the address out of the DNS")


def tls(walk: Walk) -> Link:
    """A handshake with each address."""
    here = reached(walk)
    if not here:
        return unlooked(Name.TLS, not_over_tcp(walk))
    failed = [
        one
        for one in here
        if one.handshake is None or (one.handshake.error and not (one.page and one.page.ok))
    ]
    good = [
        f"{one.where} {one.handshake.version}, {one.handshake.cipher}, {milliseconds(one.handshake.seconds)}"
        for one in here
        if one.handshake and not one.handshake.error
    ]
    if not failed:
        return fine(Name.TLS, listed(good) or "TLS with the client's certificate")
    errors = [f"{one.where}: {one.handshake.error if one.handshake else 'no handshake'}" for one in failed]
    said = f"no TLS handshake for {walk.target.host} with {listed(errors)}"
    return broken(Name.TLS, listed([said, *(f"{one} is fine" for one in good)]), _tls_remedy(walk, errors[0]))


def _tls_remedy(walk: Walk, error: str) -> str:
    if "wrong version" in error or "http request" in error:
        return "something else than TLS speaks there: an HTTP server's port, or a load balancer that ends TLS or speaks the PROXY protocol"
    return (
        f"see whether a server of the Gateway has {walk.target.host} among its hosts, and whether its Secret is there: the "
        "gateway closes handshakes for names that it does not know"
    )


def alpn(walk: Walk) -> Link:
    """What is spoken over TCP."""
    here = [one for one in reached(walk) if one.handshake and not one.handshake.error]
    if not here:
        return unlooked(Name.ALPN, "there was no TLS handshake" if reached(walk) else not_over_tcp(walk))
    chosen = {one.handshake.alpn for one in here if one.handshake}
    if chosen == {"h2"}:
        return fine(Name.ALPN, "h2 of h2 and http/1.1")
    said = listed(f"{one.where} takes {one.handshake.alpn or 'none'}" for one in here if one.handshake)
    return fine(
        Name.ALPN, f"of h2 and http/1.1: {said}", "let TLS offer h2 (ALPN): HTTP/2 is not spoken without"
    )


def http(walk: Walk) -> Link:
    """An answer from each address."""
    here = reached(walk)
    asked = [one for one in here if one.page and (one.page.status or not _is_refused(one))]
    if not asked:
        return unlooked(Name.HTTP, "there was no TLS handshake" if here else not_over_tcp(walk))
    if wants_certificate(walk):
        because = "the server demands a client certificate and none was given (--cert, --key)"
        return unlooked(Name.HTTP, because)
    failed = [one for one in asked if one.page and not one.page.status]
    bad = [one for one in asked if one.page and one.page.status >= 500]
    good = [_answered(one) for one in asked if one not in failed]
    if failed:
        said = [f"{one.where}: {one.page.error}" for one in failed if one.page]
        return broken(Name.HTTP, listed([*said, *good]), _http_remedy(walk, failed))
    if bad:
        return broken(
            Name.HTTP,
            listed(good),
            "the gateway answers, what is behind it does not: see whether the backend runs, and the response flags in the access log",
        )
    return fine(Name.HTTP, listed(good))


def _is_refused(one: OverTcp) -> bool:
    """Whether there was no TLS, and so nothing to ask over."""
    return one.handshake is None or bool(one.handshake.error)


def _answered(one: OverTcp) -> str:
    page = one.page
    assert page is not None
    spoken = page.protocol.value if page.protocol else "HTTP"
    first = milliseconds(page.timings.first_byte.total_seconds())
    return f"{one.where} {spoken} {page.status} in {first}, {len(page.body)} bytes"


def _http_remedy(walk: Walk, failed: list[OverTcp]) -> str:
    if any(one.asks for one in failed) and walk.has_certificate:
        return "the server does not take this client certificate: see whether the Secret's ca.crt issued it"
    if any(one.page and one.page.error and one.page.error.is_timeout for one in failed):
        return "see whether the route and the backend answer in time"
    return "see the gateway's access log for what became of the request"


def no_page(walk: Walk) -> str:
    """Why no answer over TCP can be looked at; "" where there is one."""
    if pages(walk):
        return ""
    if wants_certificate(walk):
        return "the server demands a client certificate and none was given (--cert, --key)"
    return without_tcp(walk) or "nothing was answered over TCP"
