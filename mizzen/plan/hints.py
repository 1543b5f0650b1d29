"""The milder way to the same end, where there is one, and what to know where there is none."""

from dataclasses import replace

from mizzen._api import pb
from mizzen.envoy.config import ENDPOINTS
from mizzen.plan.chains import Chain
from mizzen.plan.effects import Change, Effect
from mizzen.plan.surface import Surface

_OWN_SERVER = (
    "Only the hosts of this server differ. Give hosts that come a server of their own (with another port name), and nobody "
    "reconnects."
)
_NAMES = (
    "Envoy knows a server by its Gateway, port and port name: as long as these stay, connections stay. Serve the host by the "
    "new one first where that is not possible."
)
_SECRET = "Put the new certificate into the Secret that is named now: then only new connections meet it."
_ASKED = "Clients are asked to leave and come again at once; what still runs when the drain time ends is cut."
_SENT_AWAY = "Connections stay, and requests for this host get 421 on them: clients come again on others."
_QUIET = (
    "The listener is emptied first: answers say clear, new connections go back to TCP at once, who is connected is asked to leave; when the "
    "drain time is over HTTP/3 is offered again. Choose a quiet hour, and make several such changes at once."
)
_CLEAR = "Clients are told so (alt-svc: clear) and go back to TCP."
_UNTIL = f"{_CLEAR} Until then who remembers HTTP/3 is served on, or refused within a round trip where that would be weaker than TCP."
_EMPTY = "No endpoint is left: requests get 503."
_ANEW = (
    "It takes effect when Envoy is started anew: `mizzen up` lets it run as it is until somebody does that; Pods of a cluster "
    "are replaced one by one."
)
_MOVED = "Serve it at its new place beside the old one first, and take it from here when clients have moved."
_IDS = "It is the key of connection ids: open connections keep theirs, so the balancer must know both keys until these have ended."
_KEPT = "Envoy keeps the certificate that it has as long as it runs."


def with_hint(change: Change, old: Surface | None, new: Surface | None, *, moves: bool) -> Change:
    """The change, with what may be done in its place. `moves`: its host opens somewhere else."""
    hint = _hint(change, old, new, moves=moves)
    return replace(change, hint=hint) if hint else change


def _hint(change: Change, old: Surface | None, new: Surface | None, *, moves: bool) -> str:
    match change.effect:
        case Effect.RECONNECTS:
            return _of_reconnecting(change, old, new)
        case Effect.CLOSES_H3:
            return _QUIET
        case Effect.WITHDRAWS_H3:
            return _CLEAR if change.until is None else _UNTIL
        case Effect.ENDPOINTS:
            return _EMPTY if new is not None and any(_is_empty(new, facet) for facet in change.facets) else ""
        case Effect.CLOSES_ALL:
            return _ANEW
        case Effect.UNSERVED:
            return _MOVED if moves else ""
        case Effect.CERTIFICATE:
            if change.host is None:
                return _IDS
            return _KEPT if new is not None and any(_is_gone(new, facet) for facet in change.facets) else ""
        case _:
            return ""


def _is_gone(new: Surface, facet: tuple[str, ...]) -> bool:
    return facet[0] == "secret" and new.facet(facet) is None


def _is_empty(new: Surface, facet: tuple[str, ...]) -> bool:
    """A list of endpoints without any; a backend that is told none is another matter."""
    body = new.body(ENDPOINTS, facet[1]) if facet[0] == "endpoints" else None
    if body is None:
        return False
    return not any(group.lb_endpoints for group in pb.ClusterLoadAssignment.FromString(body).endpoints)


def _of_reconnecting(change: Change, old: Surface | None, new: Surface | None) -> str:
    for facet in change.facets:
        if facet[0] != "chain":
            continue
        before, after = _chain(old, facet), _chain(new, facet)
        if before is None or after is None:
            continue
        if before.name != after.name:
            return _NAMES
        if before.but_names == after.but_names:
            return _OWN_SERVER
        if before.certificates != after.certificates and len(before.certificates) == len(after.certificates):
            return _SECRET
    if all(facet[0] == "host" for facet in change.facets):
        return _SENT_AWAY
    return _ASKED


def _chain(surface: Surface | None, facet: tuple[str, ...]) -> Chain | None:
    listener = surface.listeners.get(facet[1]) if surface is not None else None
    return listener.taking(facet[2]) if listener is not None else None
