"""`mizzen http3`: is HTTP/3 offered, and is it used?"""

import json
import re
from collections.abc import Mapping
from typing import Any

import click

from mizzen.cli import options, printing, reach, tables
from mizzen.status import MirrorStatus, to_json

HEADER = (
    "GATEWAY",
    "SERVER",
    "HTTP/3",
    "ALT-SVC",
    "STAGE",
    "SINCE",
    "PROMISED UNTIL",
    "H1",
    "H2",
    "H3",
    "REASON",
)
_VERSIONS = ("http1", "http2", "http3")
_REQUESTS = re.compile(r"http\.outbound_(?:udp_)?(.+?);?\.downstream_rq_(http[123])_total")
_FILTER = "downstream_rq_http[123]_total"


@click.group("http3", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """See HTTP/3 at the gateways."""


@command.command("status")
@click.argument("gateway", required=False)
@options.output("short", "json", "yaml")
@reach.target
def status(gateway: str | None, output: str, target: reach.Target) -> None:
    """Print each HTTPS server: its mirror, what clients are told, and how many requests came by which protocol.

    STAGE is how far the announcement has come, SINCE when that began; until PROMISED UNTIL a client may come over HTTP/3,
    whatever it is told now. -o json tells when the next stage may begin, and the last turns with their reasons.
    Requests are counted by Envoy for each port since it started; servers that share a port share the counts.
    """
    gateways = target.status().gateways
    if gateway is not None:
        key = target.key(gateway)
        gateways = {key: gateways[key]} if key in gateways else {}
    rows = []
    for key, one in sorted(gateways.items()):
        if one.mirrors:
            counts = requests(json.loads(target.admin(key, f"/stats?format=json&filter={_FILTER}")))
            rows += [server_value(key, mirror, counts) for mirror in one.mirrors]
    if output != "short":
        click.echo(printing.as_text(rows, output), nl=False)
    elif not rows:
        raise click.ClickException("no gateway has an HTTPS server that ends TLS")
    else:
        click.echo(tables.table(HEADER, [row(one) for one in rows], 3), nl=False)


def requests(stats: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Requests by the address of the port ("0.0.0.0_8443"), over TCP and UDP together, and by protocol."""
    found: dict[str, dict[str, int]] = {}
    for one in stats["stats"]:
        if match := _REQUESTS.fullmatch(one.get("name", "")):
            counts = found.setdefault(match[1], dict.fromkeys(_VERSIONS, 0))
            counts[match[2]] += int(one["value"])
    return found


def server_value(key: str, mirror: MirrorStatus, counts: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """One HTTPS server of one gateway, as JSON values."""
    return {
        "gateway": key,
        "server": mirror.server,
        "listener": mirror.listener,
        "announced": mirror.announced,
        "state": mirror.state,
        "stage": mirror.stage,
        "stages": mirror.stages,
        "since": mirror.since,
        "promisedUntil": mirror.promised_until,
        "nextStage": mirror.next_stage,
        "history": [to_json(turn) for turn in mirror.history],
        "requests": dict(counts.get(mirror.listener.removeprefix("udp_"), {})),
        "reason": mirror.reason,
        "choice": mirror.choice,
    }


def row(one: Mapping[str, Any]) -> tuple[str, ...]:
    """A line of the table."""
    counts = [str(one["requests"].get(version, "-")) for version in _VERSIONS]
    return (
        one["gateway"],
        one["server"],
        one["listener"] or "none",
        one["announced"] or "-",
        _stage(one),
        one["since"] or "-",
        one["promisedUntil"] or "-",
        *counts,
        "; ".join(filter(None, (one["reason"], one["choice"]))) or "-",
    )


def _stage(one: Mapping[str, Any]) -> str:
    """As "2/4"; where it is not announced, how it stands."""
    if one["state"] != "announced":
        return one["state"] or "-"
    return f"{one['stage']}/{one['stages']}"
