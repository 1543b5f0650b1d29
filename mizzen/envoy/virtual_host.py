"""One virtual host: domains, and their routes in the order they are tried."""

from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus

from mizzen._api import pb
from mizzen.envoy.filters.announcement import announcement_cleared, announcement_taken_back
from mizzen.envoy.filters.meeting import switched_off
from mizzen.envoy.parts import packed
from mizzen.envoy.route import route
from mizzen.envoy.violations import is_sound, sound
from mizzen.errors import Report
from mizzen.guard import Stage, attempt
from mizzen.model.route import Fail, Host, Route, RouteMatch

MISDIRECTED = "misdirected"
NO_ROUTE = "no-route"


def virtual_host(
    host: Host, report: Report, *, ends: bool = False, announcement: str | None = None
) -> pb.VirtualHost:
    """A route that cannot be translated, or that Envoy would refuse, is reported, and fails its requests.

    `ends`: its last route answers 404, so that every request has a route (else Envoy itself answers 404). `announcement`: of
    its table.
    """
    out = _made(host, report, route, ends)
    # Nearly every host is sound, and known to be: its routes are judged apart only where it is not.
    out = out if is_sound(out) else sound(_made(host, report, _sound_route, ends))
    if announcement is not None and not host.http3:
        out.typed_per_filter_config[announcement].CopyFrom(packed(announcement_cleared()))
    return out


def _made(host: Host, report: Report, make: Callable[[Route], pb.Route], ends: bool) -> pb.VirtualHost:
    out = closed_host(host)
    out.routes.extend(_routes(host, report, make))
    if ends and not any(one.match.is_catch_all for one in host.routes):
        last = out.routes.add(name=NO_ROUTE, match=pb.RouteMatch(prefix="/"))
        last.direct_response.status = HTTPStatus.NOT_FOUND
    out.include_request_attempt_count = host.count_attempts
    return out


def closed_host(host: Host) -> pb.VirtualHost:
    """The domains alone: every request gets 404."""
    return pb.VirtualHost(name=host.name, domains=host.domains)


def _routes(host: Host, report: Report, make: Callable[[Route], pb.Route]) -> Iterator[pb.Route]:
    """Where not even the match can be told, every request fails that no narrower route takes."""
    unmatched: list[pb.Route] = []
    first = host.answered_plain
    for one in (*host.routes[:first], *host.to_https, *host.routes[first:]):
        if one.match.is_catch_all:
            yield from unmatched
            unmatched = []
        made = attempt(Stage.TRANSLATE, one.origin, partial(make, one), report, None, one.at)
        if made is None:
            made = _failing(one)
        if made is None:
            unmatched = [route(_replaced(one, RouteMatch()))]
        else:
            yield made
    yield from unmatched


def _sound_route(one: Route) -> pb.Route:
    return sound(route(one))


def _failing(one: Route) -> pb.Route | None:
    """The same match, and a failure; None where it is the match that cannot be told."""
    try:
        return _sound_route(_replaced(one, one.match))
    except Exception:  # noqa: BLE001  # reported already
        return None


def _replaced(one: Route, match: RouteMatch) -> Route:
    action = Fail(status=500, because="a fault of mizzen")
    return Route(name="", match=match, action=action, origin=one.origin, at=one.at)


def misdirected_host(
    domains: tuple[str, ...], announcement: str | None, *, scoped: bool = False
) -> pb.VirtualHost:
    """Domains of other servers of the port: 421, and no word about HTTP/3, which the other server may not have.

    `scoped`: its route may be found when the filters of the request have been chosen already (`host_case`).
    """
    out = pb.VirtualHost(name=MISDIRECTED, domains=domains)
    everything = out.routes.add(name=MISDIRECTED, match=pb.RouteMatch(prefix="/"))
    everything.direct_response.status = HTTPStatus.MISDIRECTED_REQUEST
    if announcement is not None:
        silence = packed(announcement_taken_back()) if scoped else switched_off()
        out.typed_per_filter_config[announcement].CopyFrom(silence)
    return out
