"""What is done with a request: rules of a VirtualService -> actions, faults and CORS."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from mizzen.lazy import dataclass
from mizzen.model.route import (
    Action,
    Copy,
    Cors,
    Exact,
    Fail,
    Fault,
    Forward,
    Fraction,
    Grpc,
    HeaderMatch,
    Respond,
    Rewrite,
    Weighted,
)
from mizzen.resolve.context import Context
from mizzen.resolve.listeners.tracing import trace_headers
from mizzen.resolve.routes.delegates import Rule
from mizzen.resolve.routes.dynamic_names import OUTSIDE, are_allowed, names_allowed
from mizzen.resolve.routes.header_changes import header_changes
from mizzen.resolve.routes.matches import text_match
from mizzen.resolve.routes.redirects import Where, redirect_of
from mizzen.resolve.routes.retries import retry
from mizzen.resolve.services.destinations import GRPC, Indexes, Target
from mizzen.resources.istio.virtual_service import (
    Abort,
    CorsPolicy,
    Destination,
    HTTPFaultInjection,
    HTTPRoute,
    HTTPRouteDestination,
    Percent,
)
from mizzen.resources.rules.http_parts import GRPC_STATUSES

_NO_REWRITE = Rewrite()
_EVERY = Fraction(numerator=100, of=100)


@dataclass(frozen=True, slots=True)
class Actions:
    """Makes the actions of rules for one place."""

    ctx: Context
    where: Where
    indexes: Indexes

    @property
    def tells_operation(self) -> bool:
        """Does the backend's proxy learn by a header what a trace calls the request? Where there is a tracer, it sees to that."""
        return trace_headers(self.ctx) is not None

    def of(self, rule: Rule) -> tuple[tuple[Action, bool], ...]:
        """The actions of a rule, each with whether it is for requests alone whose Host names a port; the last is for all
        others. A redirect goes before a direct response, and that before a route, as in Istio."""
        if rule.route.redirect is not None:
            return tuple(redirect_of(self.ctx, rule.route.redirect, self.where))
        return ((self._answer(rule), False),)

    def _answer(self, rule: Rule) -> Action:
        route = rule.route
        if route.direct_response is not None:
            body = route.direct_response.body
            text = body.string if body else None
            content = text.encode() if text is not None else (body.bytes_ if body else None)
            return Respond(status=route.direct_response.status, body=content, body_is_text=text is not None)
        return self._forward(rule)

    def _forward(self, rule: Rule) -> Action:
        route = rule.route
        targets = [self._target(rule, one.destination) for one in route.route]
        shares = tuple(_shares(route.route, targets))
        if not shares:
            return Fail(status=500, because="no destination has a weight")
        hashes = tuple(hash_on for one in targets if (hash_on := self.indexes.hash_on(one)) is not None)
        return Forward(
            to=shares,
            timeout=route.timeout,
            retry=retry(
                route.retries,
                self.ctx.mesh.default_http_retry_policy,
                keeps_to_one=len(route.route) == 1 and bool(hashes),
            ),
            copies=tuple(self._copies(rule)),
            hash_on=hashes,
            rewrite=self._rewrite(route),
            grpc=_grpc(targets),
        )

    def names(self, rule: Rule, action: Forward) -> tuple[HeaderMatch, ...] | None:
        """What the authority of its requests must be like; None: it is known already, and must not be."""
        targets = self._by_name(rule)
        host = action.rewrite.host
        known = [host] if host else [share.host_rewrite for share in action.to if share.host_rewrite]
        if not all(are_allowed(self.indexes, targets, one) for one in known):
            return None
        return () if host else names_allowed(self.indexes, targets)

    def without_names(self, rule: Rule, action: Forward) -> Action:
        """What becomes of requests whose authority must not be connected to: copies of them are not made."""
        found = {one.backend for one in self._by_name(rule) if one.is_dynamic}
        if any(share.backend in found for share in action.to):
            return Fail(status=503, because=OUTSIDE)
        return replace(action, copies=tuple(one for one in action.copies if one.backend not in found))

    def _by_name(self, rule: Rule) -> list[Target]:
        """All that its requests, and copies of them, may be sent to."""
        route = rule.route
        mirrors = (*(one.destination for one in route.mirrors), *((route.mirror,) if route.mirror else ()))
        return [self._target(rule, one) for one in (*(one.destination for one in route.route), *mirrors)]

    def _target(self, rule: Rule, destination: Destination) -> Target:
        return self.indexes.target(destination, rule.namespace, self.where.port)

    def _backend(self, rule: Rule, destination: Destination) -> str:
        return self._target(rule, destination).backend

    def _copies(self, rule: Rule) -> Iterator[Copy]:
        route = rule.route
        if route.mirror is not None:
            share = _mirror_share(route)
            if share is not None:
                yield Copy(backend=self._backend(rule, route.mirror), share=share)
        for mirror in route.mirrors:
            share = _EVERY if mirror.percentage is None else _share(mirror.percentage)
            if share is not None:
                yield Copy(backend=self._backend(rule, mirror.destination), share=share)

    def _rewrite(self, route: HTTPRoute) -> Rewrite:
        """The host of `rewrite` goes over one that `headers` sets. proxyHeaders.xForwardedHost counts also where headers
        say the host, of the rule or of its one destination (Envoy does not do it for one among several)."""
        host = header_changes(route.headers).host
        headers = self.ctx.proxy.config.proxy_headers
        keeps = bool(headers and headers.x_forwarded_host and headers.x_forwarded_host.enabled)
        if route.rewrite is None:
            return Rewrite(host=host, forward_original_host=keeps) if host or keeps else _NO_REWRITE
        written = route.rewrite
        host = written.authority or host
        regex = written.uri_regex_rewrite
        return Rewrite(
            prefix=written.uri or None if regex is None else None,
            regex=regex.match if regex else "",
            substitution=regex.rewrite if regex else "",
            host=host,
            forward_original_host=keeps,
        )


# --- shares -----------------------------------------------------------------------------------------


def _shares(destinations: tuple[HTTPRouteDestination, ...], targets: Iterable[Target]) -> Iterator[Weighted]:
    """The weight of a single destination says nothing; of several, those with none get nothing."""
    alone = len(destinations) == 1
    for destination, target in zip(destinations, targets, strict=True):
        if not alone and destination.weight <= 0:
            continue
        changed = header_changes(destination.headers)
        yield Weighted(
            backend=target.backend,
            weight=1 if alone else destination.weight,
            headers=changed.changes,
            host_rewrite=changed.host,
        )


def _grpc(targets: Iterable[Target]) -> Grpc | None:
    """How any of the destinations speaks gRPC."""
    spoken = {GRPC.get(target.protocol) for target in targets}
    return next((grpc for grpc in (Grpc.WEB, Grpc.NATIVE) if grpc in spoken), None)


def _share(percentage: Percent) -> Fraction | None:
    """None for nothing. Istio counts in millionths."""
    numerator = int(percentage.value * 10_000)
    return Fraction(numerator=numerator, of=1_000_000) if numerator > 0 else None


def _mirror_share(route: HTTPRoute) -> Fraction | None:
    if route.mirror_percentage is not None:
        return _share(route.mirror_percentage)
    if route.mirror_percent is not None:
        return Fraction(numerator=route.mirror_percent, of=100) if route.mirror_percent else None
    return _EVERY


# --- faults -----------------------------------------------------------------------------------------


def fault(wanted: HTTPFaultInjection | None) -> Fault | None:
    """What goes wrong on purpose. Without a percentage it never does, as the API says."""
    if wanted is None:
        return None
    delay, abort = wanted.delay, wanted.abort
    waits = delay is not None and delay.fixed_delay is not None
    share = None
    if delay is not None and waits:
        share = _share(delay.percentage) if delay.percentage else Fraction(numerator=delay.percent, of=100)
    return Fault(
        delay=delay.fixed_delay if delay and waits else None,
        delay_share=share,
        abort_status=abort.http_status if abort else None,
        abort_grpc=_grpc_status(abort),
        abort_share=_share(abort.percentage) if abort and abort.percentage else None,
    )


def _grpc_status(abort: Abort | None) -> int | None:
    if abort is None or abort.grpc_status not in GRPC_STATUSES:
        return None
    return GRPC_STATUSES.index(abort.grpc_status)


def cors(wanted: CorsPolicy | None) -> Cors | None:
    """Which pages of other origins may read answers."""
    if wanted is None:
        return None
    listed = tuple(found for one in wanted.allow_origins if (found := text_match(one)) is not None)
    return Cors(
        origins=listed or tuple(Exact(one) for one in wanted.allow_origin),
        methods=wanted.allow_methods,
        allow_headers=wanted.allow_headers,
        expose_headers=wanted.expose_headers,
        max_age=wanted.max_age,
        credentials=wanted.allow_credentials,
        forward_unmatched_preflights=wanted.unmatched_preflights != "IGNORE",
    )
