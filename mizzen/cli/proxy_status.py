"""`mizzen proxy-status`: what each Envoy has acknowledged, and its HTTP/3 mirrors."""

from collections.abc import Mapping

import click

from mizzen.cli import options, printing, reach, tables
from mizzen.status import EnvoyStatus, MirrorStatus, TypeSync, to_json

TYPES = ("CDS", "LDS", "EDS", "RDS", "SDS", "ECDS")
# A route table goes whole or host by host: the column of routes tells of both, the worse first.
_TOGETHER = {"RDS": ("RDS", "SRDS")}
_WORSE = ("ERROR", "STALE", "SYNCED", "NOT SENT")
HEADER = ("NAME", *TYPES, "VERSION")
MIRRORS = ("GATEWAY", "SERVER", "HTTP/3", "ALT-SVC", "REASON")


@click.command("proxy-status")
@click.argument("gateway", required=False)
@options.output("short", "json", "yaml")
@reach.target
def command(gateway: str | None, output: str, target: reach.Target) -> None:
    """Print what each Envoy has acknowledged, per type, what it rejected and why, and its HTTP/3 mirrors."""
    gateways = target.status().gateways
    if gateway is not None:
        key = target.key(gateway)
        if key not in gateways:
            raise click.ClickException(f"{key} is not connected to the control plane")
        gateways = {key: gateways[key]}
    if output != "short":
        click.echo(printing.as_text({key: to_json(one) for key, one in gateways.items()}, output), nl=False)
        return
    click.echo(report(gateways), nl=False)


def report(gateways: Mapping[str, EnvoyStatus]) -> str:
    """The table of acknowledgements, that of mirrors, then each rejection with its reason."""
    parts = [tables.table(HEADER, [sync_row(key, one) for key, one in sorted(gateways.items())], 5)]
    if mirrors := [mirror_row(key, m) for key, one in sorted(gateways.items()) for m in one.mirrors]:
        parts.append(tables.table(MIRRORS, mirrors, 3))
    parts += [
        f"{taken.origin}: {taken.resource}: {taken.message}\n"
        for one in gateways.values()
        for taken in one.occupied
    ]
    parts += [
        f"{rejected.origin}: {rejected.resource}: {rejected.message}\n"
        for one in gateways.values()
        for rejected in one.rejected
    ]
    return "\n".join(parts)


def sync_row(key: str, gateway: EnvoyStatus) -> tuple[str, ...]:
    """One Envoy: SYNCED, STALE, NOT SENT or ERROR for each type."""
    types = gateway.types
    states = [_state(types, _TOGETHER.get(kind, (kind,))) for kind in TYPES]
    return (key, *states, gateway.version or "not connected")


def _state(types: Mapping[str, TypeSync], kinds: tuple[str, ...]) -> str:
    found = [types[kind].state for kind in kinds if kind in types]
    return min(found, key=_WORSE.index, default="NOT SENT")


def mirror_row(key: str, mirror: MirrorStatus) -> tuple[str, ...]:
    """One HTTPS server: its QUIC listener or "none", what clients are told, and why not."""
    return (
        key,
        mirror.server,
        mirror.listener or "none",
        mirror.announced or "-",
        mirror.reason or "-",
    )
