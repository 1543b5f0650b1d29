"""What a control plane tells Prometheus, under Istio's names where Istio has one."""

from collections.abc import Iterator

from mizzen import __version__
from mizzen.http3.announcement import Phase
from mizzen.plane.loop import ControlPlane

_Sample = tuple[str, dict[str, str], float]


def metrics(plane: ControlPlane | None) -> str:
    """In Prometheus' text format."""
    lines: list[str] = []
    named = ""
    for name, labels, value in _samples(plane):
        if name != named:
            lines += [f"# HELP {name} {_HELP[name]}", f"# TYPE {name} gauge"]
            named = name
        shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"{name}{{{shown}}} {value:.15g}" if shown else f"{name} {value:.15g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """As the exposition format has the value of a label."""
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


_HELP = {
    "mizzen_info": "The version that runs.",
    "pilot_xds": "Proxies that are connected to this replica.",
    "pilot_services": "Services that are known.",
    "pilot_total_xds_rejects": "Resources that an Envoy refuses now.",
    "mizzen_generation": "How often the configuration was resolved.",
    "mizzen_problems": "What is wrong now, by severity.",
    "mizzen_http3_servers": "HTTPS servers by what clients are told of HTTP/3.",
    "mizzen_http3_phase": "1 for what the clients of an HTTPS server are told of HTTP/3.",
    "mizzen_http3_stage": "The stage that the announcement of an HTTPS server has come to, from 1; 0 when it is not announced.",
    "mizzen_http3_max_age_seconds": "For how long clients of an HTTPS server are told to remember that it speaks HTTP/3.",
    "mizzen_http3_promised_until_timestamp": "Until when clients may come over HTTP/3, in seconds since 1970; 0: none may.",
    "mizzen_http3_unwell_intervals": "How many intervals of Envoy's counters were bad, one after the other.",
    "citadel_server_root_cert_expiry_timestamp": "When the root of the mesh ends, in seconds since 1970.",
}


def _samples(plane: ControlPlane | None) -> Iterator[_Sample]:
    yield "mizzen_info", {"version": __version__}, 1
    if plane is None or plane.result is None:
        return
    gateways = plane.state.gateways.values()
    clients = [one for gateway in gateways for one in gateway.clients.values()]
    yield "pilot_xds", {"version": __version__}, len(clients)
    yield "pilot_services", {}, len(plane.result.world.services)
    yield "pilot_total_xds_rejects", {}, sum(len(one.stream.rejections) for one in clients)
    yield "mizzen_generation", {}, plane.generation
    problems = plane.problems()
    for severity in ("error", "warning", "info"):
        yield "mizzen_problems", {"severity": severity}, sum(p.severity.value == severity for p in problems)
    states = [
        plane.state.server(gateway.translated.called, name).phase.value
        for gateway in gateways
        for name in gateway.translated.targets
    ]
    for phase in Phase:
        yield "mizzen_http3_servers", {"state": phase.value}, states.count(phase.value)
    yield from _announcements(plane)
    yield "citadel_server_root_cert_expiry_timestamp", {}, plane.mesh.roots.active.ends.timestamp()


def _announcements(plane: ControlPlane) -> Iterator[_Sample]:
    """The life of each announcement."""
    servers = sorted(plane.state.servers.items())
    named = [({"gateway": called, "server": name.partition("/")[2]}, one) for (called, name), one in servers]
    for labels, server in named:
        for phase in Phase:
            yield "mizzen_http3_phase", {**labels, "phase": phase.value}, server.phase is phase
    for labels, server in named:
        is_announced = server.phase is Phase.ANNOUNCED
        yield "mizzen_http3_stage", labels, server.state.stage + 1 if is_announced else 0
    for labels, server in named:
        is_announced = server.phase is Phase.ANNOUNCED
        yield (
            "mizzen_http3_max_age_seconds",
            labels,
            server.state.max_age.total_seconds() if is_announced else 0,
        )
    for labels, server in named:
        until = server.promised_until
        yield "mizzen_http3_promised_until_timestamp", labels, until.timestamp() if until is not None else 0
    for labels, server in named:
        yield "mizzen_http3_unwell_intervals", labels, server.state.health.bad
