"""What an operator would check of a URL's gateway, as findings at the links of a client and checks of its own. Pure."""

from collections.abc import Iterator
from typing import Any

from mizzen.doctor import operator_envoy, operator_gateway
from mizzen.doctor.links import Finding, Name, Report, merged
from mizzen.doctor.operator_check import Check, findings, others
from mizzen.doctor.operator_sight import Sight, servers
from mizzen.doctor.table import Style, row
from mizzen.lazy import dataclass
from mizzen.status import MirrorStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """`findings` are merged into the client's links, `checks` are told beside them."""

    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """What a client meets, with its causes. `where` "": no gateway was looked at."""

    report: Report
    where: str = ""
    checks: tuple[Check, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """That of the report; with "gateway" where one was looked at."""
        gateway = {"gateway": [one.to_json() for one in self.checks]} if self.where else {}
        return {**self.report.to_json(), **gateway}

    def section(self, width: int, style: Style, *, whole: bool) -> str:
        """For a person, below the links; not `whole`: what is not fine alone."""
        shown = [one for one in self.checks if whole or one.ok is False or one.remedy]
        rows = [row(one.check, one.ok, one.said, one.remedy, width, style) for one in shown]
        return "".join((f"\ngateway, as {self.where} knows it:\n", *rows)) if rows else ""


def explained(report: Report, sight: Sight, host: str, port: int, before: Sight | None = None) -> Explained:
    """A report with what is known at the gateways."""
    found = judged(sight, host, port, before)
    return Explained(report=merged(report, found.findings), where=sight.where, checks=found.checks)


def judged(sight: Sight, host: str, port: int, before: Sight | None = None) -> Judgement:
    """`before`: an earlier look at the same gateways."""
    found = tuple(dict.fromkeys(_checks(sight, host, port, before)))
    meant = (_alone(mirror) for mirror, _ in _mirrors(sight, host, port))
    return Judgement(findings=(*findings(found), *filter(None, meant)), checks=others(found))


def _alone(mirror: MirrorStatus) -> Finding | None:
    """A server without TCP is closed there because somebody chose that. `number` 0: a control plane that does not tell."""
    if mirror.tcp_listener or not mirror.listener or not mirror.number:
        return None
    return Finding(Name.TCP, None, f"it has HTTP/3 alone ({mirror.choice})", meant=True)


def _checks(sight: Sight, host: str, port: int, before: Sight | None) -> Iterator[Check]:
    mirrors = _mirrors(sight, host, port)
    if not mirrors:
        yield operator_gateway.unknown_host(sight, host, port)
    yield from operator_gateway.connections(sight.envoys)
    yield from operator_gateway.rejected(sight.envoys)
    for mirror, names in mirrors:
        envoys = [one for one in sight.envoys if one.name in names]
        yield operator_gateway.server(mirror, port)
        of_service = tuple(operator_gateway.services(sight, envoys, mirror))
        yield from of_service
        udp = next((one for one in of_service if one.ok is False and Name.UDP in one.links), None)
        off = tuple(operator_gateway.switched_off(mirror, host))
        yield from off or operator_gateway.mirror(sight, mirror, udp)
        yield from operator_gateway.problems(sight, mirror)
        yield from operator_gateway.client_addresses(sight, envoys, mirror)
        yield from operator_gateway.ports(envoys, mirror)
        if mirror.listener:
            yield from operator_envoy.connection_ids(sight, envoys, mirror)
        for envoy in envoys:
            if mirror.listener not in {one.name for one in envoy.status.listeners}:
                continue  # there is none, or its port could not be opened: told above
            earlier = before.envoy(envoy.name) if before else None
            yield from operator_envoy.checks(envoy, mirror, earlier)


def _mirrors(sight: Sight, host: str, port: int) -> list[tuple[MirrorStatus, tuple[str, ...]]]:
    """The servers that the URL is about, and the names of the Envoys that have each. Compared: they hold what has no hash."""
    found: list[tuple[MirrorStatus, tuple[str, ...]]] = []
    for envoy in sight.envoys:
        for mirror in servers(envoy.status, host, port):
            at = next((index for index, (known, _) in enumerate(found) if known == mirror), None)
            if at is None:
                found.append((mirror, (envoy.name,)))
            else:
                found[at] = (mirror, (*found[at][1], envoy.name))
    return found
