"""The verdicts on what is answered over HTTP/3: whether, and whether it is what HTTP/2 answers."""

import hashlib

from mizzen.doctor.links import Link, Name
from mizzen.doctor.measured import Walk
from mizzen.doctor.verdicts.common import (
    broken,
    fine,
    first_connected,
    milliseconds,
    no_quic,
    pages,
    unlooked,
)
from mizzen.doctor.verdicts.over_tcp import no_page
from mizzen.probe.client import Answer

# What differs from one answer to the next, whatever carries it.
_OWN = frozenset(
    [
        "date",
        "age",
        "expires",
        "x-request-id",
        "x-envoy-upstream-service-time",
        "server-timing",
        "alt-svc",
        "connection",
        "keep-alive",
        "transfer-encoding",
        "upgrade",
        "via",
        "traceparent",
        "x-b3-traceid",
    ]
)
# What is told of a body, and differs where that does.
_OF_BODY = frozenset(
    ("content-length", "content-md5", "content-digest", "digest", "repr-digest", "etag", "last-modified")
)
_TOO_LONG = 63  # CURLE_FILESIZE_EXCEEDED
_SHOWN = 12


def h3(walk: Walk) -> Link:
    """A whole answer over HTTP/3, by libcurl and by aioquic."""
    if because := no_quic(walk):
        return unlooked(Name.H3, because)
    answer, visit = walk.h3, first_connected(walk.quic)
    assert visit is not None
    if answer is None or not answer.status:
        if visit.asked_for_certificate and not walk.has_certificate:
            return unlooked(
                Name.H3, "the server demands a client certificate and none was given (--cert, --key)"
            )
        why = visit.close_reason or (str(answer.error) if answer and answer.error else "no answer")
        return broken(
            Name.H3,
            f"the handshake came through, but a request was not answered: {why}",
            "see the access log of the gateway, and the close codes of the QUIC listener (quic_connection_close_error_code in its statistics)",
        )
    if answer.error and answer.error.code != _TOO_LONG and not _is_endless(walk, answer):
        return broken(
            Name.H3,
            f"HTTP/3 {answer.status}, but not all of the answer: {answer.error}",
            "see whether large answers get lost (mtu), and the access log of the gateway",
        )
    trusted = "; the certificate is not trusted" if walk.distrust_h3 else ""
    first = milliseconds(answer.timings.first_byte.total_seconds())
    return fine(Name.H3, f"HTTP/3 {answer.status} in {first}, {len(answer.body)} bytes{trusted}")


def _is_endless(walk: Walk, answer: Answer) -> bool:
    """Whether the answer did not end in time over TCP either (server-sent events, slow downloads)."""
    return any(
        one.page and one.page.error and answer.error and one.page.error.code == answer.error.code
        for one in pages(walk)
    )


def answers(walk: Walk) -> Link:
    """Status, headers and body as over TCP; what TCP itself answers differently each time is left out."""
    if because := no_quic(walk):
        return unlooked(Name.ANSWERS, because)
    page = next((one.page for one in pages(walk)), None)
    if page is None:
        return unlooked(Name.ANSWERS, no_page(walk))
    if walk.h3 is None or not walk.h3.status:
        return unlooked(Name.ANSWERS, "HTTP/3 answered nothing")
    again = walk.again if walk.again and walk.again.status else page
    differences = differing(page, again, walk.h3)
    if differences:
        return broken(
            Name.ANSWERS,
            f"HTTP/3 does not answer what {_spoken(page)} answers: {'; '.join(differences)}",
            "see whether the UDP port leads to the same gateway and revision as TCP, and whether routes or filters differ between the "
            "listeners",
        )
    body = _body_said(page, again, walk.h3)
    names = len(_steady(page, again))
    return fine(Name.ANSWERS, f"the same as over {_spoken(page)}: {page.status}, {names} headers, {body}")


def differing(page: Answer, again: Answer, h3: Answer) -> list[str]:
    """In what an answer over HTTP/3 differs from two over TCP, of what these agree in."""
    found = []
    if h3.status not in (page.status, again.status):
        found.append(f"status {h3.status}, not {page.status}")
        return found  # of another answer everything differs
    over_h3 = _headers(h3)
    for name, values in sorted(_steady(page, again).items()):
        other = over_h3.get(name)
        if other != values:
            there = ", ".join(other) if other else "nothing"
            found.append(f"{name}: {there}, not {', '.join(values)}")
    known = _headers(page).keys() | _headers(again).keys() | _OWN
    found += [f"{name}: only over HTTP/3" for name in sorted(over_h3.keys() - known)]
    if _is_steady(page, again) and h3.ok and h3.body != page.body:
        found.append(f"body {digest(h3)} ({len(h3.body)} bytes), not {digest(page)} ({len(page.body)})")
    return found


def digest(answer: Answer) -> str:
    """The beginning of the SHA-256 of a body."""
    return hashlib.sha256(answer.body).hexdigest()[:_SHOWN]


def _body_said(page: Answer, again: Answer, h3: Answer) -> str:
    if _is_steady(page, again) and h3.ok:
        return f"body {digest(page)} ({len(page.body)} bytes)"
    return (
        "a body that is another each time"
        if page.ok and again.ok
        else "a body too long, or too slow, to compare"
    )


def _is_steady(page: Answer, again: Answer) -> bool:
    return page.ok and again.ok and page.body == again.body


def _headers(answer: Answer) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in answer.headers:
        if name.lower() not in _OWN:
            found[name.lower()] = (*found.get(name.lower(), ()), value)
    return found


def _steady(page: Answer, again: Answer) -> dict[str, tuple[str, ...]]:
    """Headers that two answers over TCP agree in; of a body that is another each time none is told by them."""
    second = _headers(again)
    changing = frozenset() if page.body == again.body else _OF_BODY
    return {
        name: values
        for name, values in _headers(page).items()
        if second.get(name) == values and name not in changing
    }


def _spoken(answer: Answer) -> str:
    return answer.protocol.value if answer.protocol else "TCP"
