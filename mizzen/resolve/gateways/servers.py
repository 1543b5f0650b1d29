"""Which servers of which Gateways one gateway serves, where each listens, and who wins a conflict.

The rules are Istio's (`mergeGateways` and `MergeGateways` of pilot), with four differences that
docs/differences-from-istio.md explains: binds and hosts are compared as Envoy will see them (the final
address, and the SNI in lower case without a namespace), every bind of a port is remembered, TCP servers
look at TCP ports of the Service, and a catch-all chain never stands beside another one.
"""

from collections.abc import Iterator
from dataclasses import field, replace
from functools import lru_cache, partial

from mizzen.errors import Problem, ResourceRef, Severity
from mizzen.guard import Stage, attempt
from mizzen.lazy import dataclass
from mizzen.resolve.context import PRIVILEGED_BELOW, ByService, Context, Proxy, mapped, step
from mizzen.resolve.http3_choices import choices
from mizzen.resolve.selecting import fits
from mizzen.resolve.unix import UNIX, is_unix, permits
from mizzen.resources.istio.gateway import Gateway, Server
from mizzen.resources.withheld import UNKNOWN_PORT, ClosedGateway
from mizzen.resources.world import Key

CODES = {
    "GW-001": "A server conflicts with an earlier server on its address and port, and takes no part.",
    "GW-002": "A host is already served on this port by an earlier server; the later server takes no part.",
    "GW-003": "The port is below 1024 and the gateway may not bind it.",
    "GW-004": "The gateway's Service does not open this port; it is bound as it is written.",
    "GW-006": "A server cannot be served as it is written.",
    "GW-007": "The port belongs to the gateway itself (health, metrics).",
}

HTTP_FAMILY = frozenset({"HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTP_PROXY"})
RESERVED_PORTS = frozenset({15021, 15090})  # health and metrics, which every gateway serves itself
_PLAIN = "http:"  # plain servers that redirect, and TLS servers, do not take each other's hosts


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedServer:
    """One server of a Gateway that takes part, and where it listens."""

    gateway: Gateway
    server: Server
    key: str  # "namespace/name" of the Gateway
    hosts: tuple[str, ...]  # normalised; an entry may begin with "namespace/"
    bound_port: int  # 0 with a Unix socket
    bind: str  # as written; "" is the wildcard address
    listener_name: str  # "0.0.0.0_8443"
    route_table: str  # "https.443.https.gateway.namespace", "http.8080"; "" when it carries no HTTP
    kind: str  # "http", "https", "tcp", "tls", "passthrough", "auto_passthrough"
    protocol: str  # in capitals, of the first server that is merged on the route table
    at: str  # "spec.servers[0]"
    ref: ResourceRef
    only: bool = False  # it is had over HTTP/3 alone: nobody is answered over TCP

    @property
    def number(self) -> int:
        """The port as the Gateway names it (what matches and virtual host names go by)."""
        return self.server.port.number

    @property
    def server_names(self) -> tuple[str, ...]:
        """The SNI that a connection must ask for, sorted; () takes any (a host is "*")."""
        names = sni_names(self.hosts)
        return () if "*" in names else tuple(sorted(names))

    @property
    def address(self) -> str:
        """The IP address, or the path of the Unix socket."""
        return self.bind.removeprefix(UNIX) if self.bind else self.listener_name.rpartition("_")[0]


def normalised_hosts(hosts: tuple[str, ...], namespace: str) -> tuple[str, ...]:
    """`./h` names the Gateway's own namespace, `*/h` is `h`, and one `*/*` makes the list ("*",)."""
    out = []
    for host in hosts:
        prefix, slash, name = host.partition("/")
        if not slash:
            out.append(host)
        elif prefix == "*":
            if name == "*":
                return ("*",)
            out.append(name)
        else:
            out.append(f"{namespace if prefix == '.' else prefix}/{name}")
    return tuple(out)


@lru_cache(maxsize=2**16)
def sni_names(hosts: tuple[str, ...]) -> frozenset[str]:
    """What TLS clients ask for: hosts in lower case, without a namespace."""
    return frozenset(host.rpartition("/")[2].lower() for host in hosts)


def selects(gateway: Gateway, proxy_labels: dict[str, str], proxy_namespace: str, scoped: bool) -> bool:
    """Whether a Gateway is for a proxy: every label of its selector must be there, none asks for nothing."""
    if scoped and gateway.namespace != proxy_namespace:
        return False
    return fits(gateway.spec.selector, proxy_labels)


def kind_of(server: Server) -> str:
    """The kind of a server, or "" when it is one that cannot be (HTTPS or TLS without `tls`)."""
    protocol = server.port.protocol.upper()
    if protocol in HTTP_FAMILY:
        return "http"
    if server.tls is None:
        return "" if protocol in {"HTTPS", "TLS"} else "tcp"
    if server.tls.mode == "PASSTHROUGH":
        return "passthrough"
    if server.tls.mode == "AUTO_PASSTHROUGH":
        return "auto_passthrough"
    return "https" if protocol == "HTTPS" else "tls"


def bound_port(proxy: Proxy, number: int, *, udp_first: bool = False) -> int | None:
    """The port to bind for a Service port; None when the gateway's Service has no such port.

    TCP ports go before UDP ports of the same number (`udp_first`: the other way round); with a UDP port alone, TCP binds
    where it leads.
    """
    matching = [t for t in proxy.targets if t.translate and t.port == number]
    for udp in (udp_first, not udp_first):
        for target in matching:
            if target.udp is udp:
                return target.target_port
    return None


def dialled_port(proxy: Proxy, server: MergedServer) -> int:
    """The port that clients dial for a server, over TCP and UDP."""
    external = proxy.external_ports
    if isinstance(external, ByService):
        return server.number
    return next((dialled for dialled, bound in external if bound == server.bound_port), server.bound_port)


def is_told(proxy: Proxy, server: MergedServer) -> bool:
    """Was it said with an option which port clients dial for a server?"""
    external = proxy.external_ports
    return not isinstance(external, ByService) and any(bound == server.bound_port for _, bound in external)


@dataclass(slots=True)
class _Address:
    """What is known of one address and port while servers are merged onto it."""

    plaintext: MergedServer | None = None
    claimed: dict[str, MergedServer] = field(default_factory=dict)  # host or SNI -> who has it


@dataclass(slots=True)
class _Merge:
    """The state of one merge: addresses by listener name, and the route tables of HTTPS servers."""

    ctx: Context
    addresses: dict[str, _Address] = field(default_factory=dict)
    route_tables: set[str] = field(default_factory=set)

    def place(self, candidate: MergedServer) -> MergedServer | None:
        """The server as it is merged, or None (and a problem) when it loses a conflict."""
        address = self.addresses.setdefault(candidate.listener_name, _Address())
        if not self._may_claim(candidate, address):
            return None
        if candidate.kind in {"http", "tcp"}:
            merged = self._place_plaintext(candidate, address)
        else:
            merged = self._place_tls(candidate, address)
        if merged is not None:
            address.claimed.update((claim, merged) for claim in _claims(merged))
        return merged

    def _may_claim(self, candidate: MergedServer, address: _Address) -> bool:
        for claim in sorted(_claims(candidate)):
            owner = address.claimed.get(claim)
            if owner is not None:
                self._drop(
                    candidate,
                    "GW-002",
                    f"{candidate.at}.hosts",
                    f"host {claim.removeprefix(_PLAIN)!r} is already served on port {candidate.number} by {_name(owner)}",
                    "Of two servers that end or pass on TLS, one may have a host; the older Gateway "
                    "(then by name, then by namespace) keeps it.",
                )
                return False
        return True

    def _place_plaintext(self, candidate: MergedServer, address: _Address) -> MergedServer | None:
        first = address.plaintext
        if first is None:
            everything = address.claimed.get("*")
            if everything is not None and everything.kind in {"https", "tls"}:
                self._conflict(candidate, everything)  # two chains would take any connection
                return None
            address.plaintext = candidate
            return candidate
        if first.kind == "http" and candidate.kind == "http":
            return replace(candidate, route_table=first.route_table, protocol=first.protocol)
        self._conflict(candidate, first)
        return None

    def _place_tls(self, candidate: MergedServer, address: _Address) -> MergedServer | None:
        if address.plaintext is not None:
            self._conflict(candidate, address.plaintext)
            return None
        if candidate.kind == "https":
            if candidate.route_table in self.route_tables:
                self._drop(
                    candidate,
                    "GW-001",
                    f"{candidate.at}.port.name",
                    f"port name {candidate.server.port.name!r} is already used by another server "
                    f"of this Gateway on port {candidate.number}",
                    "Give every server of a Gateway a port name of its own.",
                )
                return None
            self.route_tables.add(candidate.route_table)
        return candidate

    def _conflict(self, candidate: MergedServer, first: MergedServer) -> None:
        self._drop(
            candidate,
            "GW-001",
            f"{candidate.at}.port",
            f"{candidate.server.port.protocol} cannot share {candidate.listener_name} with "
            f"{first.server.port.protocol} of {_name(first)}",
            "Only HTTP servers share a port without TLS; use another port or bind.",
        )

    def _drop(self, server: MergedServer, code: str, at: str, message: str, hint: str) -> None:
        self.ctx.report(Problem(code=code, resource=server.ref, field=at, message=message, hint=hint))


def _name(server: MergedServer) -> str:
    ref = server.ref  # of what it is written in: a Gateway, an Ingress
    return f"{ref.kind} {ref.namespace}/{ref.name} ({server.at})"


def _claims(server: MergedServer) -> frozenset[str]:
    """What no two servers of one address may both have.

    Servers that end TLS: their SNI. Servers that pass TLS on, and plain ones that redirect: the hosts as
    written, with their namespaces, which Istio lets stand side by side.
    """
    if server.kind in {"https", "tls"}:
        return sni_names(server.hosts)
    if server.server.tls is not None:
        prefix = _PLAIN if server.kind == "http" else ""
        return frozenset(prefix + host for host in server.hosts)
    return frozenset()


def _route_table(kind: str, gateway: Gateway, server: Server, port: int) -> str:
    bind = f".{server.bind}" if server.bind else ""
    if kind == "http":
        return f"http.{port}{bind}"
    if kind == "https":
        number, name = server.port.number, server.port.name
        return f"https.{number}.{name}.{gateway.name}.{gateway.namespace}{bind}"
    return ""


def _candidates(ctx: Context) -> Iterator[MergedServer]:
    """The servers of every Gateway that is for this proxy, before anybody has won or lost."""
    found = mapped(ctx, _candidates_of, ctx.world.all_by_key(Gateway))
    for gateway in ctx.world.gateways:
        yield from found[gateway.key]


def _candidates_of(ctx: Context, _: Key, gateway: Gateway) -> tuple[MergedServer, ...]:
    return attempt(Stage.RESOLVE, gateway.ref, partial(_of_gateway, ctx, gateway), ctx.report, ())


def _of_gateway(ctx: Context, gateway: Gateway) -> tuple[MergedServer, ...]:
    labels, scoped = dict(ctx.proxy.labels), ctx.switches.scope_gateway_to_namespace
    if not selects(gateway, labels, ctx.proxy.namespace, scoped):
        return ()
    found = []
    for index, server in enumerate(gateway.spec.servers):
        at = server.at or f"spec.servers[{index}]"
        make = partial(_candidate, ctx, gateway, server, at)
        found.append(attempt(Stage.RESOLVE, gateway.ref, make, ctx.report, None, at))
    return tuple(one for one in found if one is not None)


def _candidate(ctx: Context, gateway: Gateway, server: Server, at: str) -> MergedServer | None:
    kind = kind_of(server)
    if not kind:
        _report_shapeless(ctx, gateway, server, at)
        return None
    only = kind == "https" and choices(ctx, gateway, server).server.mode == "only"
    found = bound_port(ctx.proxy, server.port.number, udp_first=only)
    port = server.port.number if found is None else found
    if not _may_bind(ctx, gateway, server, at, port):
        return None
    if found is None and not is_unix(server.bind) and not only:
        _report_closed(ctx, gateway, server, at, port)
    wildcard = "::" if ctx.proxy.ipv6_only else "0.0.0.0"
    return MergedServer(
        gateway=gateway,
        server=server,
        key=f"{gateway.namespace}/{gateway.name}",
        hosts=normalised_hosts(server.hosts, gateway.namespace),
        bound_port=port,
        bind=server.bind,
        listener_name=f"{server.bind or wildcard}_{port}",
        route_table=_route_table(kind, gateway, server, port),
        kind=kind,
        protocol=server.port.protocol.upper(),
        at=at,
        ref=gateway.ref,
        only=only,
    )


def _report_shapeless(ctx: Context, gateway: Gateway, server: Server, at: str) -> None:
    ctx.report(
        Problem(
            code="GW-006",
            resource=gateway.ref,
            field=f"{at}.tls",
            message=f"protocol {server.port.protocol} needs a `tls` block",
            hint="Say tls: {mode: SIMPLE, credentialName: ...}, or PASSTHROUGH.",
        )
    )


def _may_bind(ctx: Context, gateway: Gateway, server: Server, at: str, port: int) -> bool:
    if is_unix(server.bind):
        return permits(ctx, server.bind, gateway.ref, f"{at}.bind")
    if port in RESERVED_PORTS:
        code, message = "GW-007", f"port {port} is where the gateway answers for its own health and metrics"
        hint = "Choose another port."
    elif ctx.proxy.unprivileged and port < PRIVILEGED_BELOW:
        code, message = "GW-003", f"the gateway may not bind port {port}"
        hint = (
            f"Let the gateway's Service map {server.port.number} to a port above 1023 "
            f"({{port: {server.port.number}, targetPort: {8000 + port}}}), "
            "or set ISTIO_META_UNPRIVILEGED_POD to false for the gateway."
        )
    else:
        return True
    ctx.report(
        Problem(code=code, resource=gateway.ref, field=f"{at}.port.number", message=message, hint=hint)
    )
    return False


def _report_closed(ctx: Context, gateway: Gateway, server: Server, at: str, port: int) -> None:
    if not ctx.proxy.targets or any(t.target_port == port and not t.udp for t in ctx.proxy.targets):
        return
    ctx.report(
        Problem(
            severity=Severity.WARNING,
            code="GW-004",
            resource=gateway.ref,
            field=f"{at}.port.number",
            message=f"the Service of {ctx.proxy.called} does not open port {server.port.number}; "
            f"{port} is bound as it is",
            hint="Add the port to k8s.service.ports of the gateway, or use one that it has.",
        )
    )


def merged_servers(ctx: Context) -> tuple[MergedServer, ...]:
    """The servers that take part, in the order in which they were merged (oldest Gateway first).

    Every server that does not is reported once, with the reason. HTTP servers that share a port share the
    route table of the first.
    """
    return merged_and_lost(ctx)[0]


@step
def merged_and_lost(ctx: Context) -> tuple[tuple[MergedServer, ...], tuple[MergedServer, ...]]:
    """As `merged_servers`, and the servers that lost a conflict or belong to a Gateway that has an error."""
    merge = _Merge(ctx)
    merged, lost = [], []
    for candidate in _candidates(ctx):
        place = partial(merge.place, candidate)
        placed = attempt(Stage.RESOLVE, candidate.ref, place, ctx.report, None, candidate.at)
        if placed is None:
            lost.append(candidate)
        else:
            merged.append(placed)
    for closed in ctx.world.closed_gateways:
        lost += attempt(Stage.RESOLVE, closed.ref, partial(_withheld, ctx, closed, merged), ctx.report, ())
    return tuple(merged), tuple(lost)


def _withheld(ctx: Context, closed: ClosedGateway, merged: list[MergedServer]) -> tuple[MergedServer, ...]:
    """The servers of a Gateway that has an error; where its port cannot be read, on every address."""
    gateway = Gateway(meta=closed.meta, ref=closed.ref, spec=closed.spec)
    silent = replace(ctx, report=lambda _: None)  # its error is told of already
    scoped = ctx.switches.scope_gateway_to_namespace
    if not selects(gateway, dict(ctx.proxy.labels), ctx.proxy.namespace, scoped):
        return ()
    found: list[MergedServer] = []
    addresses = {one.listener_name: one for one in merged}
    for server in closed.spec.servers:
        if server.port.number != UNKNOWN_PORT:
            one = _candidate(silent, gateway, server, server.at)
            found += [one] if one is not None else []
            continue
        for other in addresses.values():
            hosts = normalised_hosts(server.hosts, gateway.namespace)
            key = f"{gateway.namespace}/{gateway.name}"
            found.append(
                replace(
                    other,
                    gateway=gateway,
                    server=server,
                    key=key,
                    hosts=hosts,
                    kind="https",
                    route_table="",
                    at=server.at,
                    ref=closed.ref,
                )
            )
    return tuple(found)
