"""Which HTTPS servers get an HTTP/3 mirror, what is announced of it, and why not where there is none."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from mizzen.errors import Problem, Severity
from mizzen.guard import Stage, attempt
from mizzen.http3.eligibility import BY_CHOICE, Facts, Reason, may_linger, why_not
from mizzen.lazy import dataclass
from mizzen.model.announcement import Announcement
from mizzen.model.listener import Mirror
from mizzen.model.tls import Certificate, ServerTls
from mizzen.persistent import PersistentMap
from mizzen.resolve.context import Context, mapped
from mizzen.resolve.gateways.servers import MergedServer, dialled_port
from mizzen.resolve.http3_choices import Choice, Choices, choices
from mizzen.resolve.listeners.bindings import binding
from mizzen.resolve.listeners.early_data import takes_early_data
from mizzen.resolve.listeners.lingering import is_remembered
from mizzen.resolve.listeners.rollouts import rollout
from mizzen.resolve.listeners.tracing import trace_headers
from mizzen.resolve.listeners.udp import judge_client_addresses, udp_refusal
from mizzen.resolve.tls.pem import Chain, read_chain
from mizzen.resolve.tls.secrets import certificate_of
from mizzen.resolve.unix import is_unix

CODES = {
    "H3-001": "An HTTPS server has no HTTP/3 mirror: the gateway's Service does not open its port for UDP.",
    "H3-002": "An HTTPS server has no HTTP/3 mirror: UDP leads to another target port than TCP.",
    "H3-003": "An HTTPS server has no HTTP/3 mirror: QUIC would not keep to its TLS policy.",
    "H3-004": "An HTTPS server has no HTTP/3 mirror: client addresses come by the PROXY protocol.",
    "H3-005": "A cipher list binds neither TLS 1.3 nor HTTP/3.",
    "H3-006": "With an RSA and an ECDSA certificate, HTTP/3 always shows the ECDSA one.",
    "H3-007": "HTTP/3 carries no OCSP staple.",
    "H3-008": "HTTP/3 is not announced: the load balancer of the gateway's Service does not carry its UDP port.",
    "H3-009": "A policy judges client addresses, and the gateway's Service hides them.",
    "H3-010": "A server shall be had over HTTP/3 alone and has no mirror: nobody is answered.",
}

_CODE = {
    Reason.NO_UDP_PORT: "H3-001",
    Reason.OTHER_UDP_TARGET: "H3-002",
    Reason.MAX_VERSION: "H3-003",
    Reason.CURVES: "H3-003",
    Reason.PROXY_PROTOCOL: "H3-004",
}
_FAULT = "a fault of mizzen"
_FIELD = {
    Reason.NO_UDP_PORT: "port",
    Reason.OTHER_UDP_TARGET: "port",
    Reason.MAX_VERSION: "tls.maxProtocolVersion",
    Reason.CURVES: "tls.ecdhCurves",
    Reason.PROXY_PROTOCOL: "port",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirrored:
    """What became of the HTTPS servers that end TLS, in their order."""

    mirrors: tuple[Mirror, ...]
    announcements: tuple[Announcement, ...]
    route_tables: frozenset[str]  # of the servers that have a mirror
    hosts_off: Mapping[str, tuple[str, ...]]  # by them, of those with hosts that are not had over HTTP/3
    early_data: frozenset[str]  # of these that take early data


def quic_listener_name(server: MergedServer) -> str:
    """Istio's name of the mirror's listener: "udp_0.0.0.0_8443"."""
    return f"udp_{server.listener_name}"


def announcement_name(route_table: str) -> str:
    """The name of the announcement of an HTTPS server."""
    return f"alt-svc/{route_table}"


def mirrored(
    ctx: Context, servers: tuple[MergedServer, ...], tls: Mapping[str, ServerTls | None]
) -> Mirrored:
    """Judge every HTTPS server; `tls` by route table. Missing mirrors that were asked for are reported.

    Every server that ends TLS has an announcement, mirror or not: so turning HTTP/3 on or off never
    changes its listener, and a promise can be taken back.
    """
    ending = {
        server.route_table: (server, tls.get(server.route_table))
        for server in servers
        if server.kind == "https"
    }
    made = mapped(ctx, _mirror_of, PersistentMap(ending))
    mirrors = [made[name][0] for name in ending]
    announcements = [one for name in ending if (one := made[name][1]) is not None]
    attempt(Stage.RESOLVE, ctx.proxy.origin, partial(judge_client_addresses, ctx), ctx.report, None)
    return Mirrored(
        mirrors=tuple(mirrors),
        announcements=tuple(announcements),
        route_tables=frozenset(one.server for one in mirrors if one.quic_listener),
        hosts_off={
            name: chosen.hosts_off
            for name, (mirror, _, chosen, _) in made.items()
            if mirror.quic_listener and chosen.off
        },
        early_data=frozenset(name for name, one in made.items() if one[3]),
    )


def _mirror_of(
    ctx: Context, _: str, ending: tuple[MergedServer, ServerTls | None]
) -> tuple[Mirror, Announcement | None, Choices, bool]:
    """Also what is chosen of the server, and whether its mirror takes early data."""
    server, ends = ending
    chosen = choices(ctx, server.gateway, server.server)
    without = (_without(ctx, server, _FAULT), None)
    make = partial(_mirror, ctx, server, ends, chosen)
    mirror, port = attempt(Stage.RESOLVE, server.ref, make, ctx.report, without, server.at)
    if ends is None:
        return mirror, None, chosen, False
    judge = partial(takes_early_data, ctx, server, ends)
    early = bool(mirror.quic_listener) and attempt(
        Stage.RESOLVE, server.ref, judge, ctx.report, False, server.at
    )
    if server.only and mirror.quic_listener and chosen.off:
        _report_hosts_unserved(ctx, server, chosen)
    if early:
        mirror = replace(mirror, choice="; ".join(filter(None, (mirror.choice, "takes early data"))))
    topology = ctx.proxy.config.gateway_topology
    has_proxies = topology is not None and bool(topology.num_trusted_proxies)
    describe = partial(binding, ctx, server, () if server.only else ends.alpn, chosen)
    comes, public_address = rollout(ctx, server)
    announcement = Announcement(
        name=announcement_name(server.route_table),
        port=port,
        why=mirror.reason if port is None else "",
        rollout=comes,
        listener=mirror.quic_listener,
        public_address=public_address,
        server_names=server.server_names,
        certificates=ends.certificates,
        trace_headers=trace_headers(ctx),
        strips_early_data=early and not has_proxies,
        hosts_off=chosen.hosts_off,
        binding=attempt(Stage.RESOLVE, server.ref, describe, ctx.report, None, server.at),
        origin=server.ref,
    )
    return mirror, announcement, chosen, early


def _mirror(
    ctx: Context, server: MergedServer, ends: ServerTls | None, chosen: Choices
) -> tuple[Mirror, int | None]:
    """What becomes of a server that ends TLS, and the port at which its mirror is announced."""
    facts = _facts(ctx, server, ends, chosen.server)
    reason = why_not(facts)
    if reason is None and ends is not None:
        _warn(ctx, server, ends)
    elif reason in _CODE:
        _report(ctx, server, reason)
    if reason is not None:
        if server.only:
            _report_unserved(ctx, server, reason.value, chosen.server.by)
        why = f"{reason.value} by {chosen.server.by}" if reason is Reason.CHOSEN_OFF else reason.value
        listener = _lingering(ctx, server) if may_linger(facts) else ""
        expected = reason not in BY_CHOICE
        return replace(_without(ctx, server, why), expected=expected, quic_listener=listener), None
    refusal = udp_refusal(ctx, server.number)
    if refusal:
        _report_refusal(ctx, server, refusal)
    mirror = replace(
        _without(ctx, server, refusal), quic_listener=quic_listener_name(server), choice=_told(chosen)
    )
    return mirror, None if refusal else dialled_port(ctx.proxy, server)


def _lingering(ctx: Context, server: MergedServer) -> str:
    """The QUIC listener where clients may still come to a server that has no mirror any more; "": none."""
    name = quic_listener_name(server)
    return name if is_remembered(ctx, announcement_name(server.route_table), name) else ""


def _told(chosen: Choices) -> str:
    """What was chosen of a server with a mirror, and of its hosts, for people."""
    words = {"on": "switched on", "only": "without TCP", "off": "switched off"}
    told = [f"{words[chosen.server.mode]} by {chosen.server.by}"] if chosen.server.by else []
    by: dict[str, list[str]] = {}
    for host, who in chosen.off:
        by.setdefault(who, []).append(host)
    told += [f"{', '.join(hosts)} switched off{f' by {who}' if who else ''}" for who, hosts in by.items()]
    return "; ".join(told)


def _without(ctx: Context, server: MergedServer, why: str) -> Mirror:
    """No mirror of a server."""
    return Mirror(
        server=server.route_table,
        hosts=server.server_names,
        number=server.number,
        dialled=dialled_port(ctx.proxy, server),
        tcp_listener="" if server.only else server.listener_name,
        quic_listener="",
        expected=True,
        reason=why,
        origin=server.ref,
        at=server.at,
    )


def _facts(ctx: Context, server: MergedServer, tls: ServerTls | None, chosen: Choice) -> Facts:
    topology = ctx.proxy.config.gateway_topology
    return Facts(
        switched_on=chosen.mode != "off",
        chosen_off=chosen.mode == "off" and bool(chosen.by),
        unix_socket=is_unix(server.bind),
        has_tls=tls is not None,
        proxy_protocol=topology is not None and topology.proxy_protocol is not None,
        max_version=tls.policy.max_version if tls else "",
        curves=tls.policy.curves if tls else (),
        bound_port=server.bound_port,
        udp_targets=tuple(t.target_port for t in ctx.proxy.targets if t.udp and t.port == server.number),
    )


def _report(ctx: Context, server: MergedServer, reason: Reason) -> None:
    ctx.report(
        Problem(
            severity=Severity.WARNING,
            code=_CODE[reason],
            resource=server.ref,
            field=f"{server.at}.{_FIELD[reason]}",
            message=f"there is no HTTP/3 mirror: {reason.value}",
            hint=_hint(ctx, server, reason),
        )
    )


def _hint(ctx: Context, server: MergedServer, reason: Reason) -> str:
    port = f"{{name: http3, port: {server.number}, protocol: UDP, targetPort: {server.bound_port}}}"
    match reason:
        case Reason.NO_UDP_PORT:
            return f"Add {port} to the ports of the Service of {ctx.proxy.called}."
        case Reason.OTHER_UDP_TARGET:
            return f"Let UDP lead where TCP leads: {port}."
        case Reason.PROXY_PROTOCOL:
            return "Without gatewayTopology.proxyProtocol there would be one."
        case _:
            return f"HTTP/3 would be weaker than what this server asks for over TCP; without {_FIELD[reason]} there would be a mirror."


def _report_unserved(ctx: Context, server: MergedServer, why: str, by: str) -> None:
    ctx.report(
        Problem(
            code="H3-010",
            resource=server.ref,
            field=server.at,
            message=f"nobody is answered: it shall be had over HTTP/3 alone ({by}), and {why}",
            hint="Choose on in the place of only, or mend what keeps HTTP/3 from it.",
        )
    )


def _report_hosts_unserved(ctx: Context, server: MergedServer, chosen: Choices) -> None:
    who = ", ".join(dict.fromkeys(by for _, by in chosen.off))
    ctx.report(
        Problem(
            code="H3-010",
            resource=server.ref,
            field=f"{server.at}.hosts",
            message=f"nobody is answered at {', '.join(chosen.hosts_off)}: the server is had over HTTP/3 alone "
            f"({chosen.server.by}), and there these are switched off ({who})",
            hint="Give them a server with TCP, or switch them on.",
        )
    )


def _report_refusal(ctx: Context, server: MergedServer, refusal: str) -> None:
    ctx.report(
        Problem(
            severity=Severity.WARNING,
            code="H3-008",
            resource=server.ref,
            field=f"{server.at}.port",
            message=f"HTTP/3 is not announced: {refusal}",
            hint="Use a load balancer that takes TCP and UDP on one address; docs/kubernetes.md names what to look for.",
        )
    )


def _warn(ctx: Context, server: MergedServer, tls: ServerTls) -> None:
    """What a mirror does differently from its TCP twin, though no weaker."""

    def tell(severity: Severity, code: str, field: str, message: str, hint: str = "") -> None:
        ctx.report(
            Problem(
                severity=severity,
                code=code,
                resource=server.ref,
                field=f"{server.at}.tls.{field}",
                message=message,
                hint=hint,
            )
        )

    if tls.policy.ciphers:
        tell(
            Severity.INFO,
            "H3-005",
            "cipherSuites",
            "cipherSuites bind TLS 1.2 and below; TLS 1.3, over TCP and in HTTP/3, has its own",
        )
    settings = server.server.tls
    found = [certificate_of(ctx, name) for name in tls.certificates]
    pairs = [one for one in found if isinstance(one, Certificate)]
    chains = [read_chain(pair.chain) for pair in pairs]
    if {chain.algorithm for chain in chains if isinstance(chain, Chain)} >= {"RSA", "ECDSA"}:
        tell(
            Severity.WARNING,
            "H3-006",
            "credentialNames" if settings and settings.credential_names else "tlsCertificates",
            "over HTTP/3 every client gets the ECDSA certificate, also one that knows RSA alone",
            "Such a client falls back to TCP.",
        )
    if any(pair.ocsp_staple for pair in pairs):
        tell(Severity.INFO, "H3-007", "credentialName", "over HTTP/3 the OCSP staple is not sent")
