"""What a control plane tells Prometheus, under Istio's names where Istio has one."""

from collections.abc import Iterator

from mizzen import __version__
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
        lines.append(f"{name}{{{shown}}} {value:g}" if shown else f"{name} {value:g}")
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
    for state in ("announced", "withheld", "withdrawn"):
        yield "mizzen_http3_servers", {"state": state}, states.count(state)
    yield "citadel_server_root_cert_expiry_timestamp", {}, plane.mesh.roots.active.ends.timestamp()
