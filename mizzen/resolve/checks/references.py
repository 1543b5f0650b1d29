"""What VirtualServices name and is not there: Gateways, hosts of servers, delegates, services, ports, subsets."""

from collections.abc import Iterator, Mapping
from functools import partial

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.resolve import with_errors
from mizzen.resolve.checks.claims import check_claims
from mizzen.resolve.context import Context, grouped, mapped, step
from mizzen.resolve.discovery import why_not_discovered
from mizzen.resolve.gateways.attach import MESH, gateway_key, hosts_of
from mizzen.resolve.gateways.servers import normalised_hosts
from mizzen.resolve.hosts import overlap, usable_by
from mizzen.resolve.ingress.written import by_author
from mizzen.resolve.listeners.stages import ports
from mizzen.resolve.names import service_host
from mizzen.resolve.routes.delegates import check_delegates, delegate_of
from mizzen.resolve.routes.dynamic_names import odd_port
from mizzen.resolve.routes.redirects import REDIRECTS
from mizzen.resolve.services.destinations import Indexes, Target
from mizzen.resources.declaring.compile import nearest
from mizzen.resources.istio.gateway import Gateway
from mizzen.resources.istio.virtual_service import Destination, HTTPRoute, VirtualService
from mizzen.resources.world import Key, age_order

CODES = {
    "REF-001": "A VirtualService is bound to a Gateway that does not exist.",
    "REF-002": "A destination is no service that the gateway can see; requests to it fail with 503.",
    "REF-003": "A destination's service has no such port; requests to it fail with 503.",
    "REF-004": "No DestinationRule has the subset that a destination names; requests to it fail with 503.",
    "REF-005": "A host of a VirtualService is served by none of its Gateways.",
    "RT-001": "A destination names no port and its service has several; the server's port number is taken.",
    "RT-002": "A fault has no percentage, so it never happens.",
    "BE-010": "Requests go in plain text to a port that is declared for TLS.",
    "BE-011": "A Service's port says no protocol; HTTP/1.1 is spoken to it.",
    "RT-004": "The code of a redirect is one that Envoy cannot send; the rule answers 500.",
}

_TLS = frozenset({"HTTPS", "TLS"})  # what a port may be declared to carry that is no plain HTTP

Delegated = tuple[
    tuple[object, ...], frozenset[int]
]  # (age of the root, port numbers of the servers that have it)


def check_references(ctx: Context) -> None:
    """Report, once for each VirtualService that this gateway serves, what leads nowhere. To be called by the root of a
    resolution."""
    ctx.steps.views["ports"] = ctx.steps.published("ports", ports(ctx))
    delegates = grouped(ctx, _delegates, ctx.world.all_by_key(VirtualService))
    mapped(ctx, _check_delegate, delegates)


def _delegates(ctx: Context, key: Key, service: VirtualService) -> Mapping[Key, Delegated]:
    """Check a root; the delegates that it has."""
    if not service.spec.hosts:
        return {}
    check = partial(_check_root, ctx, service)
    found = attempt(Stage.RESOLVE, service.ref, check, ctx.report, ())
    return {delegate: ((*age_order(service), key), served) for delegate, served in found}


def _check_delegate(ctx: Context, key: Key, roots: Mapping[Key, Delegated]) -> None:
    """A delegate is checked once, for the youngest of its roots."""
    delegate = ctx.world.virtual_service_by_key.get(key)
    if delegate is not None:
        _, served = max(roots.values(), key=lambda pair: pair[0])
        attempt(Stage.RESOLVE, delegate.ref, _Checked(ctx, delegate, served).all, ctx.report, None)


def _check_root(ctx: Context, service: VirtualService) -> tuple[tuple[Key, frozenset[int]], ...]:
    """The keys of its delegates, and the port numbers of the servers that have them."""
    _check_gateways(ctx, service)
    check_delegates(ctx, service)
    known = ctx.steps.views["ports"]
    served = frozenset(port for key in _bound(service).values() for port in known.get(key, ()))
    if not served:
        return ()
    for part in by_author(service):
        _Checked(ctx, part, served).all()
    found = [delegate_of(ctx, service, route) for route in service.spec.http if route.delegate]
    return tuple((delegate.key, served) for delegate in found if delegate is not None)


def _bound(service: VirtualService) -> dict[int, str]:
    """Position in `gateways` -> key of the Gateway, without the mesh."""
    keys = {i: gateway_key(one, service.namespace) for i, one in enumerate(service.spec.gateways)}
    return {i: key for i, key in keys.items() if key != MESH}


def _key(written: str) -> Key:
    namespace, _, name = written.partition("/")
    return namespace, name


def _as_written(like: str) -> str:
    if like:
        return f"Did you mean {like}?"
    return "Write it as NAMESPACE/NAME, or NAME in the namespace of the VirtualService."


def _namespace_in(host: str) -> str:
    """The namespace of a host that is called as a Service is; "" of any other."""
    name, _, rest = host.partition(".")
    namespace = rest.partition(".")[0]
    return namespace if host == service_host(name, namespace) else ""


def _check_gateways(ctx: Context, service: VirtualService) -> None:
    known = ctx.world.gateway_by_key
    bound = {index: _key(key) for index, key in _bound(service).items()}
    for index, key in bound.items():
        if key not in known:
            if meant := with_errors.named(ctx, Gateway.__name__, *key):
                ctx.report(with_errors.problem(service.ref, f"spec.gateways[{index}]", meant))
                continue
            like = nearest("/".join(key), tuple("/".join(other) for other in known))
            ctx.report(
                Problem(
                    code="REF-001",
                    resource=service.ref,
                    field=f"spec.gateways[{index}]",
                    message=f"there is no Gateway {'/'.join(key)}",
                    hint=why_not_discovered(ctx, key[0]) or _as_written(like),
                )
            )
    gateways = [known[key] for key in bound.values() if key in known]
    if not gateways or len(gateways) < len(service.spec.gateways):
        return  # the mesh, or whoever is missing, might serve a host
    offered = [host for gateway in gateways for host in _offered(ctx, gateway.key, service.namespace)]
    for index, host in enumerate(hosts_of(service)):
        if not any(overlap(host, one) for one in offered):
            names = ", ".join(sorted({f"{one.namespace}/{one.name}" for one in gateways}))
            has = f"They serve {', '.join(sorted(set(offered))[:3])}." if offered else ""
            ctx.report(
                Problem(
                    severity=Severity.WARNING,
                    code="REF-005",
                    resource=service.ref,
                    field=f"spec.hosts[{index}]",
                    message=f"no server of {names} has the host {host} for the namespace {service.namespace}",
                    hint=has or "Add the host to a server of the Gateway.",
                )
            )


@step
def _offered(ctx: Context, key: Key, namespace: str) -> tuple[str, ...]:
    """The hosts that a Gateway has for VirtualServices of a namespace."""
    gateway = ctx.world.gateway_by_key[key]
    return tuple(
        host
        for server in gateway.spec.servers
        for host in usable_by(normalised_hosts(server.hosts, gateway.namespace), namespace)
    )


@dataclass(frozen=True, slots=True)
class _Checked:
    """One VirtualService, a root or a delegate, and the port numbers of the servers that have it."""

    ctx: Context
    service: VirtualService
    served: frozenset[int]

    @property
    def indexes(self) -> Indexes:
        """Where services and their policies are looked up."""
        found: Indexes = self.ctx.steps.views["indexes"]
        return found

    def all(self) -> None:
        check_claims(self.ctx, self.service)
        for destination in _destinations(self.service):
            self._check(destination)
        for route in self.service.spec.http:
            self._check_fault(route)
            self._check_redirect(route)
            for sent in _sent(route):
                self._check_plain(sent)
                self._check_protocol(sent)

    def _check(self, destination: Destination) -> None:
        target = self.indexes.target(destination, self.service.namespace, min(self.served))
        if target.service is None:
            self._unknown_host(destination, target)
            return
        if target.service.alias_of:
            self._check_alias(destination, target, self.indexes.services.behind(target.service))
            return
        if destination.port is None and len(target.service.ports) > 1:
            self._ambiguous_port(destination, target)
        elif target.service.port(target.port) is None:
            ports = ", ".join(str(port.number) for port in target.service.ports) or "no port"
            field = f"{destination.at}.port.number" if destination.port else f"{destination.at}.host"
            self._report("REF-003", field, f"{target.host} has no port {target.port}", f"It has {ports}.")
        in_http = destination.at.startswith("spec.http")
        if in_http and (odd := odd_port(self.indexes, target, self.service.ref, f"{destination.at}.host")):
            self.ctx.report(odd)
        if destination.subset:
            self._check_subset(destination, target)

    def _unknown_host(self, destination: Destination, target: Target) -> None:
        at = f"{destination.at}.host"
        if meant := with_errors.service(self.ctx, target.host):
            self.ctx.report(with_errors.problem(self.service.ref, at, meant))
            return
        known = tuple(one.host for one in self.indexes.services.all)
        hidden = self._hidden(target.host)
        like = nearest(target.host, known)
        if left_out := why_not_discovered(self.ctx, _namespace_in(target.host)):
            hint = left_out
        elif hidden is not None:
            hint = f"{hidden} is not exported to {self.ctx.proxy.namespace}, the namespace of the gateway."
        elif like:
            hint = f"Did you mean {like}?"
        else:
            hint = "A name without dots is a Service of the VirtualService's namespace; others are written in full."
        self._report("REF-002", at, f"there is no service {target.host}", hint)

    def _hidden(self, host: str) -> ResourceRef | None:
        """The object that has the host, but is not for the gateway to see."""
        name, _, rest = host.partition(".")
        found = self.ctx.world.service_by_key.get((rest.partition(".")[0], name))
        if found is not None and host == service_host(found.name, found.namespace):
            return found.ref
        return next((one.ref for one in self.ctx.world.service_entries if host in one.spec.hosts), None)

    def _check_alias(self, destination: Destination, target: Target, hosts: tuple[str, ...]) -> None:
        """An ExternalName leads to another host, which must be a service too."""
        behind = self.indexes.services.get(target.host)
        if behind is not None and behind.alias_of:
            chain = " -> ".join((destination.host, *hosts))
            hint = "Lead one of them to a host that is a service."
            self._report(
                "REF-002", f"{destination.at}.host", f"ExternalNames lead in a circle: {chain}", hint
            )
            return
        if behind is not None and behind.port(target.port) is not None:
            return
        what = f"has no port {target.port}" if behind else "is no service"
        self._report(
            "REF-002",
            f"{destination.at}.host",
            f"{destination.host} is an ExternalName for {target.host}, which {what}",
            f"Write a ServiceEntry for {target.host} with port {target.port}.",
        )

    def _ambiguous_port(self, destination: Destination, target: Target) -> None:
        assert target.service is not None
        numbers = {port.number for port in target.service.ports}
        if self.served <= numbers:
            return  # each server's own number is one of them
        ports = ", ".join(str(number) for number in sorted(numbers))
        self._report(
            "RT-001",
            f"{destination.at}.port",
            f"{target.host} has the ports {ports}, and none is named: {target.port} is taken, as the server's is",
            "Name one with port: {number: ...}.",
        )

    def _check_subset(self, destination: Destination, target: Target) -> None:
        assert target.service is not None
        rule = self.indexes.policies.rule(target.host, target.service.namespace)
        if rule is not None and (rule.is_failing or rule.subset(destination.subset) is not None):
            return  # what fails has its own problem
        if meant := with_errors.rule(self.ctx, target.host):
            self.ctx.report(with_errors.problem(self.service.ref, f"{destination.at}.subset", meant))
            return
        names = ", ".join(one.name for one in rule.subsets) if rule else ""
        hint = f"{rule.ref} has {names}." if rule and names else f"Write a DestinationRule for {target.host}."
        message = f"no DestinationRule has a subset {destination.subset!r} of {target.host}"
        self._report("REF-004", f"{destination.at}.subset", message, hint)

    def _check_plain(self, destination: Destination) -> None:
        """Istio speaks TLS to a backend where a DestinationRule says so, whatever its port is called."""
        target = self.indexes.target(destination, self.service.namespace, min(self.served))
        if target.service is None or target.protocol not in _TLS:
            return
        policies = self.indexes.policies
        rule = policies.rule(target.host, target.service.namespace)
        policy = policies.policy(rule, target.port, target.subset)
        if policy.tls is not None or (rule is not None and rule.is_failing):
            return
        self._report(
            "BE-010",
            f"{destination.at}.host",
            f"port {target.port} of {target.host} is declared for {target.protocol}, and requests go there in plain text",
            f"Write a DestinationRule for {target.host} with trafficPolicy: {{tls: {{mode: SIMPLE}}}}; or, where the "
            "port takes plain HTTP, name it http.",
            Severity.WARNING,
        )

    def _check_protocol(self, destination: Destination) -> None:
        """Istio's sidecars look at what is sent to a port that says nothing; a gateway speaks HTTP/1.1 to it."""
        target = self.indexes.target(destination, self.service.namespace, min(self.served))
        written = target.service.kubernetes if target.service else None
        if written is None or target.protocol:
            return
        for port in written.spec.ports:
            if port.port == target.port and port.protocol != "UDP":
                self.ctx.report(
                    Problem(
                        severity=Severity.INFO,
                        code="BE-011",
                        resource=written.ref,
                        field=f"{port.at}.name",
                        message=f"port {port.port} says no protocol by its name: HTTP/1.1 is spoken to it",
                        hint="Name it http, http2, grpc ... (alone or before a dash), or write appProtocol.",
                    )
                )

    def _check_fault(self, route: HTTPRoute) -> None:
        fault = route.fault
        if fault is None:
            return
        never = []
        if fault.delay is not None and fault.delay.percentage is None and not fault.delay.percent:
            never.append(fault.delay.at)
        if fault.abort is not None and fault.abort.percentage is None:
            never.append(fault.abort.at)
        for at in never:
            self._report(
                "RT-002",
                f"{at}.percentage",
                "without a percentage the fault never happens",
                "Write percentage: {value: 100} for every request.",
                Severity.WARNING,
            )

    def _check_redirect(self, route: HTTPRoute) -> None:
        code = route.redirect.redirect_code if route.redirect else 0
        if route.redirect and code and code not in REDIRECTS:
            known = ", ".join(str(one) for one in sorted(REDIRECTS))
            self._report(
                "RT-004",
                f"{route.redirect.at}.redirectCode",
                f"{code} is not a redirect that can be sent: the rule answers 500",
                f"Use one of {known}.",
            )

    def _report(
        self, code: str, field: str, message: str, hint: str, severity: Severity = Severity.ERROR
    ) -> None:
        self.ctx.report(
            Problem(
                severity=severity,
                code=code,
                resource=self.service.ref,
                field=field,
                message=message,
                hint=hint,
            )
        )


def _sent(route: HTTPRoute) -> Iterator[Destination]:
    """Where the requests of a rule, and copies of them, go."""
    yield from (one.destination for one in route.route)
    if route.mirror is not None:
        yield route.mirror
    yield from (one.destination for one in route.mirrors)


def _destinations(service: VirtualService) -> Iterator[Destination]:
    for route in service.spec.http:
        yield from _sent(route)
    for connection in service.spec.tcp:
        yield from (one.destination for one in connection.route)
    for passed in service.spec.tls:
        yield from (one.destination for one in passed.route)
