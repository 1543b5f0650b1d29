"""What the control plane knows of a URL's server: its mirror, its announcement, its Service, what was refused. Pure."""

from collections.abc import Iterable, Iterator

from mizzen.doctor.links import Name
from mizzen.doctor.operator_check import Check, at
from mizzen.doctor.operator_sight import EnvoySight, Sight
from mizzen.http3.eligibility import Reason
from mizzen.resolve.hosts import is_off
from mizzen.status import EnvoyStatus, MirrorStatus, PortStatus, ServiceStatus

_H3 = "h3="
_SHED = "shed:"  # how the reason begins where HTTP/3 is given up for want of CPU (mizzen.http3.shedding)
_SPARE = (
    "more CPU or replicas, or another cpuBudget (docs/tuning-http3.md, shedding); it comes back by itself"
)
_TOLD = ("H3-001", "H3-002", "H3-008", "PORT-", "XDS-")  # by the other checks
_OF_THE_SERVICE = frozenset({Reason.NO_UDP_PORT.value, Reason.OTHER_UDP_TARGET.value})
_SWITCH = 'switch it on: mizzen.dev/http3: "on" at the Gateway, or for all (docs/http3.md, Choosing)'
_LOAD_BALANCER = "use a load balancer that takes TCP and UDP on one address (docs/kubernetes.md, UDP)"


def unknown_host(sight: Sight, host: str, port: int) -> Check:
    """No server of the gateways that were asked is for the host."""
    every = [one for envoy in sight.envoys for one in envoy.status.mirrors]
    named = ", ".join(sorted({name for one in every for name in one.hosts})[:10]) or "none"
    gone = dict.fromkeys(f"{one.server} (until {one.promised_until})" for one in every if not one.resource)
    remembered = f"; servers that are gone, and that clients remember: {', '.join(gone)}" if gone else ""
    return Check(
        check="server",
        ok=None,
        said=f"no gateway of {sight.where} ends TLS for {host}:{port}; hosts there: {named}{remembered}",
        remedy="name the gateway's instance or cluster, or add the host to an HTTPS server of a Gateway; of a host whose "
        "TLS is passed through (PASSTHROUGH), HTTP/3 is its backend's affair",
        links=(Name.TLS,),
    )


def server(mirror: MirrorStatus, port: int) -> Check:
    """Which server answers, and at which port clients are to dial it."""
    where = at(mirror.resource, mirror.origin)
    chosen = f" ({mirror.choice})" if mirror.choice else ""
    if mirror.port in (0, port):  # 0: a control plane that does not tell
        return Check(check="server", ok=True, said=f"{where} serves it{chosen}")
    return Check(
        check="server",
        ok=None,
        said=f"{where} serves it, and says that clients dial port {mirror.port}, not {port}",
        remedy=f"if something forwards {port} to it, start mizzen with --external-port {port}:{mirror.port}",
    )


def connections(envoys: Iterable[EnvoySight]) -> Iterator[Check]:
    """Is each Envoy there, and does it hold what it shall?"""
    fine = []
    for envoy in envoys:
        status = envoy.status
        if status.lost:
            yield Check(check="listeners", ok=False, said=f"{envoy.name}: {status.lost}", links=(Name.TCP,))
        if not status.version:
            said = f"the Envoy {envoy.name} is not connected to the control plane: it serves what it had, if it runs"
            yield Check(check="envoy", ok=False, said=said, remedy="see its log, and mizzen proxy-status")
        elif not status.synced:
            said = f"the Envoy {envoy.name} does not hold the newest configuration: {status.reason}"
            yield Check(check="envoy", ok=False, said=said, remedy="see mizzen proxy-status")
        else:
            fine.append(envoy.name)
    if fine:
        yield Check(check="envoy", ok=True, said=f"holds the newest configuration: {', '.join(fine)}")


def rejected(envoys: Iterable[EnvoySight]) -> Iterator[Check]:
    """What an Envoy refused: what it held before stays in force."""
    seen = set()
    for envoy in envoys:
        for one in envoy.status.rejected:
            if one not in seen:
                seen.add(one)
                yield Check(
                    check="rejected",
                    ok=False,
                    said=f"{at(one.resource, one.origin)}: {one.message}",
                    remedy="change that object so that the reason goes away; what Envoy held before stays in force",
                    links=_links_of_listener(one.message, envoy.status),
                )
    if not seen:
        yield Check(check="rejected", ok=True, said="Envoy has refused nothing")


def ports(envoys: Iterable[EnvoySight], mirror: MirrorStatus) -> Iterator[Check]:
    """Ports that could not be opened, because somebody else has them or a right is missing."""
    address, _, number = mirror.listener.removeprefix("udp_").rpartition("_")
    for one in dict.fromkeys(each for envoy in envoys for each in envoy.status.occupied):
        is_of_mirror = one.message.startswith(f"UDP {address}:{number} ")
        is_of_twin = one.message.startswith(f"TCP {address}:{number} ")
        yield Check(
            check="ports",
            ok=False,
            said=f"{one.message} ({at(one.resource, one.origin)})",
            remedy=one.hint,
            links=(Name.UDP,) if is_of_mirror else (Name.TCP,) if is_of_twin else (),
        )


def _links_of_listener(message: str, status: EnvoyStatus) -> tuple[Name, ...]:
    """A refused listener is the link whose port it would open."""
    for listener in status.listeners:
        if f" {listener.name}:" in f"{message}:" or f" {listener.name} " in message:
            return (Name.UDP,) if listener.transport == "quic" else (Name.TCP,)
    return ()


# --- the mirror and its announcement ----------------------------------------------------------------


def mirror(sight: Sight, one: MirrorStatus, udp: Check | None = None) -> Iterator[Check]:
    """Is there one, and what are clients told of it? `udp`: what is said already of a Service that does not open UDP."""
    remedy = udp.remedy if udp and one.reason in _OF_THE_SERVICE else _hint(sight, one)
    remedy = remedy or ("" if one.expected else _SWITCH)
    if one.reason.startswith(_SHED):
        remedy = _SPARE
    if one.listener:
        yield _announcement(one, remedy)
        return
    told = f"; answers say {one.announced}{_until(one)}" if one.announced else ""
    yield Check(
        check="mirror",
        ok=False,
        said=f"there is no HTTP/3 mirror: {one.reason} ({at(one.resource, one.origin)}){told}",
        remedy=remedy,
        links=(Name.ALT_SVC,) if udp else (Name.ALT_SVC, Name.UDP),
    )


def switched_off(one: MirrorStatus, host: str) -> Iterator[Check]:
    """A host of a server that others have HTTP/3 at."""
    if is_off(host.lower().rstrip("."), one.hosts, one.hosts_off):
        yield Check(
            check="announcement",
            ok=False,
            said=f"{host} is not had over HTTP/3, other hosts of its server are: {one.choice}",
            remedy="take the host out of that HTTP3Policy",
            links=(Name.ALT_SVC,),
        )


def _announcement(one: MirrorStatus, remedy: str) -> Check:
    if one.announced.startswith(_H3):
        return Check(check="announcement", ok=True, said=_promised(one))
    told = "answers say clear" if one.announced else "answers say nothing of HTTP/3"
    since = f" since {one.since}" if one.since else ""
    why = one.reason or _last_reason(one) or one.state or "the control plane does not say why"
    return Check(
        check="announcement",
        ok=False,
        said=f"{told}{since}: {why} ({at(one.resource, one.origin)}){_until(one)}",
        remedy=remedy,
        links=(Name.ALT_SVC,),
    )


def _until(one: MirrorStatus) -> str:
    return f"; clients may remember a promise until {one.promised_until}" if one.promised_until else ""


def _promised(one: MirrorStatus) -> str:
    parts = [f"announced: {one.announced}"]
    if one.stages > 1:
        parts.append(f"stage {one.stage} of {one.stages}")
    if one.since:
        why = _last_reason(one)
        parts.append(f"since {one.since}" + (f" ({why})" if why else ""))
    if one.next_stage:
        parts.append(f"the next stage at {one.next_stage}")
    if one.promised_until:
        parts.append(f"clients may remember it until {one.promised_until}")
    return ", ".join(parts)


def _last_reason(one: MirrorStatus) -> str:
    """Why what clients are told became what it is."""
    return one.history[-1].reason if one.history else ""


def _hint(sight: Sight, one: MirrorStatus) -> str:
    """What the problem about it says to do."""
    about = [p for p in sight.problems if p.resource == one.resource and p.hint]
    told = [p.hint for p in about if one.reason and one.reason in p.message]
    told += [p.hint for p in about if p.code.startswith("H3-") and p.severity != "info"]
    return told[0] if told else ""


def problems(sight: Sight, one: MirrorStatus) -> Iterator[Check]:
    """What else is wrong with the Gateway, besides what is told of its mirror."""
    for problem in sight.problems:
        is_told = problem.code.startswith(_TOLD) or bool(one.reason and one.reason in problem.message)
        if problem.resource == one.resource and problem.severity != "info" and not is_told:
            yield Check(
                check="problems",
                ok=False if problem.severity == "error" else None,
                said=f"{problem.code} {problem.message} ({at(problem.resource, problem.origin)})",
                remedy=problem.hint,
            )


# --- the Service ------------------------------------------------------------------------------------


def services(sight: Sight, envoys: Iterable[EnvoySight], one: MirrorStatus) -> Iterator[Check]:
    """Which ports of the gateway's Services lead to the server, over TCP and UDP, and what the load balancer made of it."""
    found = tuple(dict.fromkeys(each for envoy in envoys for each in envoy.status.services))
    if not found:
        yield Check(check="service", ok=None, said="no Service is known that leads to the gateway")
        return
    tcp, udp = _ports(found, "TCP", one.number), _ports(found, "UDP", one.number)
    if not tcp and not udp:
        yield _not_opened(found[0], one)
        return
    service, first = (tcp or udp)[0]
    where = at(service.resource, service.origin)
    if not udp:
        yield Check(
            check="service",
            ok=False,
            said=f"{where} opens {one.number}/TCP and not {one.number}/UDP",
            remedy=_add(service, "http3", "UDP", one.number, first.target),
            links=(Name.UDP,),
        )
    elif tcp and not {port.target for _, port in udp} & {port.target for _, port in tcp}:
        told, wrong = udp[0]
        yield Check(
            check="service",
            ok=False,
            said=f"{where} leads {one.number}/TCP to {first.target}, and {one.number}/UDP to {wrong.target}",
            remedy=f"set targetPort: {first.target} at its port {wrong.name or f'{one.number}/UDP'}{_in(told)}",
            links=(Name.UDP,),
        )
    elif not tcp and one.tcp_listener:
        yield Check(
            check="service",
            ok=False,
            said=f"{where} opens {one.number}/UDP and not {one.number}/TCP",
            remedy=_add(service, "https", "TCP", one.number, first.target),
            links=(Name.TCP,),
        )
    else:
        both = f"{one.number}/TCP and {one.number}/UDP, both" if tcp else f"{one.number}/UDP"
        yield Check(check="service", ok=True, said=f"{where} opens {both} to {first.target}")
    if sight.nodes:  # elsewhere nothing makes load balancers
        yield from _load_balancer([*tcp, *udp])


def _ports(
    services: Iterable[ServiceStatus], protocol: str, number: int
) -> list[tuple[ServiceStatus, PortStatus]]:
    return [
        (one, port)
        for one in services
        for port in one.ports
        if (port.protocol, port.port) == (protocol, number)
    ]


def _not_opened(service: ServiceStatus, one: MirrorStatus) -> Check:
    return Check(
        check="service",
        ok=None,
        said=f"{at(service.resource, service.origin)} does not open {one.number}: the port is bound as it is written",
        remedy=_add(service, "https", "TCP", one.number, str(one.number)),
    )


def _add(service: ServiceStatus, name: str, protocol: str, number: int, target: str) -> str:
    line = f"- {{name: {name}, port: {number}, protocol: {protocol}, targetPort: {target}}}"
    return f"add this line to {service.field} of {service.resource}{_in(service)}: {line}"


def _in(service: ServiceStatus) -> str:
    return f" ({service.origin})" if service.origin else ""


def _load_balancer(ports: Iterable[tuple[ServiceStatus, PortStatus]]) -> Iterator[Check]:
    for service, port in ports:
        link = Name.UDP if port.protocol == "UDP" else Name.TCP
        if service.type == "LoadBalancer" and port.refused:
            said = f"{at(service.resource, service.origin)}: {port.refused}"
            yield Check(check="load-balancer", ok=False, said=said, remedy=_LOAD_BALANCER, links=(link,))
    for service in dict.fromkeys(service for service, _ in ports):
        if service.type == "LoadBalancer" and service.resource.startswith("Service/"):
            yield _addressed(service)


def _addressed(service: ServiceStatus) -> Check:
    if service.addresses:
        said = f"{service.resource} has the addresses {', '.join(service.addresses)}"
        return Check(check="load-balancer", ok=True, said=said)
    return Check(
        check="load-balancer",
        ok=None,
        said=f"{service.resource} is of type LoadBalancer and has no address yet",
        remedy="see its events (kubectl describe service)",
    )


def client_addresses(sight: Sight, envoys: Iterable[EnvoySight], one: MirrorStatus) -> Iterator[Check]:
    """What nodes make of a client's address: externalTrafficPolicy."""
    found = tuple(dict.fromkeys(each for envoy in envoys for each in envoy.status.services))
    outside = [
        each for each, _ in _ports(found, "UDP", one.number) if each.type in ("LoadBalancer", "NodePort")
    ]
    for service in outside if sight.nodes else ():
        if service.external_traffic_policy == "Local":
            said = f"{service.resource} keeps the addresses of clients (externalTrafficPolicy: Local)"
            yield Check(check="client-addresses", ok=True, said=said)
            continue
        more = (
            f" and may send a client that moves to another Pod ({sight.nodes} nodes)"
            if sight.nodes > 1
            else ""
        )
        yield Check(
            check="client-addresses",
            ok=None,
            said=f"{service.resource} hides the addresses of clients behind those of nodes{more}: "
            "externalTrafficPolicy is Cluster",
            remedy=f"set externalTrafficPolicy: Local in {at(service.resource, service.origin)} where policies or logs "
            "look at addresses",
        )
