"""The verdict on alt-svc: whether clients learn of HTTP/3, and the right thing."""

from mizzen.doctor.alternatives import Alternative, Announced, announced
from mizzen.doctor.links import Link, Name
from mizzen.doctor.measured import Walk
from mizzen.doctor.verdicts.common import broken, fine, first_connected, listed, pages, unlooked
from mizzen.doctor.verdicts.over_tcp import no_page

SHORT = 60  # seconds: the first stage of an announcement


def alt_svc(walk: Walk) -> Link:
    """The same h3 on every address and every answer, at a port where it is served."""
    if because := no_page(walk):
        return unlooked(Name.ALT_SVC, because)
    on_page = [(one.where, announced(one.page.all("alt-svc"))) for one in pages(walk) if one.page]
    if cleared := [where for where, spoken in on_page if spoken.clear]:
        return _cleared(
            f"{cleared[0]} says clear: HTTP/3 is withdrawn, and clients forget what they were told"
        )
    told = next((spoken.h3 for _, spoken in on_page if spoken.h3), None)
    if told is None:
        return _nothing(walk, on_page[0][1])
    unlike = [f"{where} says {spoken.text or 'nothing'}" for where, spoken in on_page if spoken.h3 != told]
    if unlike:
        said = listed([*(f"{where} says {one.text}" for where, one in on_page if one.h3 == told), *unlike])
        return broken(
            Name.ALT_SVC,
            f"not the same on each address: {said}",
            "let every gateway behind the name say the same: a client keeps what it heard last",
        )
    return _other_answers(walk, told) or _port(walk, told) or _age(walk, told, on_page[0][1])


def _cleared(said: str) -> Link:
    return broken(
        Name.ALT_SVC,
        said,
        "where that is not meant: see in `mizzen http3 status` why the mirror is withdrawn; it is announced again once it is proven",
    )


def _nothing(walk: Walk, spoken: Announced) -> Link:
    if any("h3" in record.alpn for record in walk.names.records):
        said = "no alt-svc: only clients that ask for HTTPS records learn of HTTP/3"
        return Link(Name.ALT_SVC, None, said, 'say alt-svc: h3=":PORT" too')
    said = (
        f"alt-svc: {spoken.text} names no h3" if spoken.text else "no alt-svc: clients never learn of HTTP/3"
    )
    served = first_connected(walk.quic)
    if served:
        said += f", though it is served at UDP {served.where}"
        remedy = f'say alt-svc: h3=":{walk.udp_port}" on every answer over TLS'
    else:
        remedy = 'mirror the server (PILOT_ENABLE_QUIC_LISTENERS, or mizzen.dev/http3: "on" at its Gateway); `mizzen http3 status` says what withholds it'
    return broken(Name.ALT_SVC, said, remedy)


def _other_answers(walk: Walk, told: Alternative) -> Link | None:
    """What a 404 and an answer over HTTP/3 say against the page."""
    for one in walk.tcp:
        if one.nowhere is None or not one.nowhere.status:
            continue
        spoken = announced(one.nowhere.all("alt-svc"))
        if spoken.text and spoken.h3 != told:
            return broken(
                Name.ALT_SVC,
                f"h3 at {told.port} on {one.page.status if one.page else 200}, but {spoken.text} on {one.nowhere.status}",
                "say the same on every answer: each one replaces what a client knows",
            )
    for visit in walk.quic:
        spoken = announced(value for name, value in visit.headers if name.lower() == "alt-svc")
        if spoken.clear:
            return _cleared(
                f"h3 at {told.port} over TCP, but clear over HTTP/3: who comes that way forgets it"
            )
        if spoken.h3 and (spoken.h3.port, spoken.h3.host) != (told.port, told.host):
            return broken(
                Name.ALT_SVC,
                f"h3 at {told.port} over TCP, but {spoken.text} over HTTP/3",
                "say the same over both: each answer replaces what a client knows",
            )
    return None


def _port(walk: Walk, told: Alternative) -> Link | None:
    """A port where nobody speaks QUIC, while somebody does at the URL's."""
    if first_connected(walk.quic) or not first_connected(walk.url_quic):
        return None
    return broken(
        Name.ALT_SVC,
        f"it leads to UDP {told.port}, where nothing speaks QUIC; HTTP/3 is served at UDP {walk.target.port}",
        f"announce the port that clients reach: {walk.target.port} (with mizzen: --external-port, or the ports of the gateway's Service)",
    )


def _age(walk: Walk, told: Alternative, spoken: Announced) -> Link:
    said = f"{spoken.text} on {listed(str(one.page.status) for one in pages(walk) if one.page)}"
    missing = [one.nowhere for one in walk.tcp if one.nowhere and one.nowhere.status]
    other = [one for one in missing if one.status != 200]
    silent = [one for one in other if not announced(one.all("alt-svc")).text]
    if other and not silent:
        said += f" and on {listed(str(one.status) for one in other)}"
    if len(pages(walk)) > 1:
        said += ", the same on each address"
    if told.max_age == 0:
        return broken(
            Name.ALT_SVC, f"{said}; ma=0: clients forget it at once", "say a life of hours (ma=86400)"
        )
    if silent:
        return fine(Name.ALT_SVC, f"{said}; none on {silent[0].status}", "say it on every answer, errors too")
    if told.max_age < SHORT:
        return fine(
            Name.ALT_SVC, said, f"clients remember it for {told.max_age} s only: let ma grow to a day"
        )
    return fine(Name.ALT_SVC, said)
