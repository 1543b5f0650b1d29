"""The verdicts on who may come and come back: client certificates, resumption, early data, a client that moves."""

from mizzen.doctor.links import Link, Name
from mizzen.doctor.measured import Parity, Visit, Walk
from mizzen.doctor.verdicts.common import broken, fine, first_connected, no_quic, unlooked

_WEAKER = (
    "demand over QUIC what TCP demands: require_client_certificate and the CA on the QUIC chain (mizzen does so by itself; Istio's "
    "mirrors do not). Until then close the UDP port"
)
_TOO_EARLY = 425


def client_certificate(walk: Walk) -> Link:
    """Who shows no certificate, or a stranger's, gets the same over both; never more over QUIC."""
    if because := no_quic(walk):
        return unlooked(Name.CLIENT_CERTIFICATE, because)
    parity = walk.parity
    if parity is None or parity.quic is None or parity.tcp_asks is None:
        return unlooked(Name.CLIENT_CERTIFICATE, "nothing was answered over TCP to compare with")
    visits = (parity.quic, *parity.others)
    for fault in (*(_weaker(parity, visit) for visit in visits), _stranger(parity), _resumed(parity)):
        if fault:
            return broken(Name.CLIENT_CERTIFICATE, fault, _WEAKER)
    if parity.tcp_status and not parity.quic.status and parity.quic.asked_for_certificate:
        return broken(
            Name.CLIENT_CERTIFICATE,
            f"without a certificate TCP answers {parity.tcp_status}, QUIC refuses: {_refusal(parity.quic)}",
            "demand the same over both: who comes without one never gets HTTP/3",
        )
    return fine(Name.CLIENT_CERTIFICATE, _same(parity))


def _weaker(parity: Parity, visit: Visit) -> str:
    if not parity.tcp_asks:
        return ""
    if not parity.tcp_status and visit.status:
        return (
            f"over TCP a client without a certificate is refused, over QUIC ({visit.where}) it is answered {visit.status}: anybody "
            "comes in that way"
        )
    if visit.connected and not visit.asked_for_certificate:
        return f"TCP asks for a client certificate, QUIC ({visit.where}) does not: the backend never learns who came that way"
    return ""


def _stranger(parity: Parity) -> str:
    if parity.stranger_tcp is False and parity.stranger_quic:
        return "a certificate of an unknown issuer is refused over TCP and let in over QUIC"
    return ""


def _resumed(parity: Parity) -> str:
    if parity.tcp_status or parity.resumed is None or not parity.resumed.resumed or not parity.resumed.status:
        return ""
    return (
        f"a client that comes back over QUIC with a session ticket and without its certificate is answered {parity.resumed.status}: the "
        "ticket stands for it"
    )


def _same(parity: Parity) -> str:
    quic = parity.quic
    assert quic is not None
    if not parity.tcp_asks and not quic.asked_for_certificate:
        return "neither TCP nor QUIC asks for one"
    if parity.tcp_status:
        return "both ask for one and serve clients without"
    back = ", also when it comes back with a ticket" if parity.resumed else ""
    return f"both refuse a client without one{back} (QUIC: {_refusal(quic)})"


def _refusal(visit: Visit) -> str:
    return f"code {visit.close_code:#x}" if visit.close_code is not None else "no answer"


def resumption(walk: Walk) -> Link:
    """How many of some visits could resume a session, and so save the certificate's bytes and a signature."""
    if because := no_quic(walk):
        return unlooked(Name.RESUMPTION, because)
    visit, tries = first_connected(walk.quic), walk.resumed
    assert visit is not None
    if not tries:
        if visit.asked_for_certificate:
            return fine(
                Name.RESUMPTION, "no tickets are given, as it must be where client certificates are asked for"
            )
        if not visit.status:
            return unlooked(Name.RESUMPTION, "no request was answered over QUIC")
        return fine(
            Name.RESUMPTION,
            "no tickets are given: every visit makes a whole handshake",
            "give session tickets",
        )
    came_back = sum(one.resumed for one in tries)
    said = f"{came_back} of {len(tries)} visits resumed with a ticket"
    if came_back == len(tries):
        return fine(Name.RESUMPTION, said)
    remedy = "give all workers and replicas the same ticket keys (session_ticket_keys by SDS): a ticket of one is worth nothing to another"
    return fine(Name.RESUMPTION, said, remedy) if came_back else broken(Name.RESUMPTION, said, remedy)


def early_data(walk: Walk) -> Link:
    """0-RTT data can be replayed by anybody who saw them: refused, or taken for harmless methods alone."""
    if because := no_quic(walk):
        return unlooked(Name.EARLY_DATA, because)
    early = walk.early
    if early is None or not early.had_ticket:
        return fine(Name.EARLY_DATA, "refused: there are no tickets to come back with")
    if early.get is None:
        return fine(Name.EARLY_DATA, "refused: the tickets take none")
    if not early.get.early:
        return fine(
            Name.EARLY_DATA,
            "refused, though the tickets name it: the request is made again after the handshake",
        )
    post = early.post
    if post is not None and not post.connected:
        because = "a GET in 0-RTT data is taken, and no connection came about on which to try a POST"
        return unlooked(Name.EARLY_DATA, because)
    if post is not None and (not post.early or post.status == _TOO_EARLY):
        answer = f"answered {post.status}" if post.early else "not taken"
        return fine(
            Name.EARLY_DATA,
            f"a GET is taken ({early.get.status}), a POST is {answer}: opted in, for what can be repeated",
        )
    answered = f" and a POST too ({post.status})" if post else ""
    return broken(
        Name.EARLY_DATA,
        f"a GET in 0-RTT data is answered {early.get.status}{answered}: whoever copies the packets can repeat the request",
        "turn it off (enable_early_data: false; Envoy's default is on), or answer 425 to what must not be repeated (mizzen: earlyData in an "
        "HTTP3Policy does)",
    )


def migration(walk: Walk) -> Link:
    """A client whose port changes amid a connection is answered on it."""
    if because := no_quic(walk):
        return unlooked(Name.MIGRATION, because)
    visit = walk.migration
    if visit is None or visit.moved is None:
        return unlooked(Name.MIGRATION, "no request was answered over QUIC")
    if visit.moved:
        return fine(Name.MIGRATION, "a request from another port was answered on the same connection")
    why = f"closed with code {visit.close_code:#x}" if visit.close_code is not None else "no answer"
    return broken(
        Name.MIGRATION,
        f"after the client's port had changed, a request on the same connection got {why}",
        "clients behind NATs change ports: let the balancer route by connection id (QUIC-LB; mizzen: connectionIds in an HTTP3Policy), or keep UDP flows of one client at one "
        "gateway",
    )
