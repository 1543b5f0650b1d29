"""`mizzen dns`: the HTTPS records (RFC 9460) that configuration and announcements justify."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mizzen.cli import options, printing, reach
from mizzen.cli.faults import in_a_sentence
from mizzen.dns.compared import differences
from mizzen.dns.endpoints import dns_endpoint
from mizzen.dns.json_values import differences_value, json_values
from mizzen.dns.justified import Justified, Served, justified
from mizzen.dns.nsupdate import nsupdate
from mizzen.dns.sources import Wishes, of_model, of_status
from mizzen.dns.zone_file import remarks, zone_file
from mizzen.errors import MOST_SHOWN, Problem, ResourceRef, Severity, first_of
from mizzen.lazy import dataclass
from mizzen.resources.formats import checks
from mizzen.resources.rules.dns_settings import LONGEST_TTL, is_owner, server_of

if TYPE_CHECKING:
    from mizzen.pipeline import Build


def _address(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if not checks.is_ip(value):
            raise click.BadParameter(f"{value!r} is not an IP address", ctx, parameter)
    return values


def _name(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    if value and (wrong := checks.fqdn(value)):
        raise click.BadParameter(wrong, ctx, parameter)
    return f"{value.rstrip('.').lower()}." if value else ""


def _owner(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    if not is_owner(value):
        raise click.BadParameter("up to 100 letters, digits, dots, dashes, slashes", ctx, parameter)
    return value


def _server(ctx: click.Context, parameter: click.Parameter, value: str) -> tuple[str, int] | None:
    if not value:
        return None
    if (found := server_of(value)) is None:
        raise click.BadParameter("say ADDRESS or ADDRESS:PORT", ctx, parameter)
    return found


_WHICH = (
    click.option("--gateway", metavar="NAME[.NAMESPACE]", help="Only what this gateway serves."),
    click.option("--zone", default="", callback=_name, help="Only names in this zone."),
)
_SAYING = (
    click.option(
        "--address",
        "addresses",
        multiple=True,
        metavar="IP",
        callback=_address,
        help="Address hints, in the place of those of policies and Services. Repeatable.",
    ),
    click.option(
        "--ttl",
        type=click.IntRange(1, int(LONGEST_TTL.total_seconds())),
        metavar="SECONDS",
        help="The TTL: for so long a withdrawal is not heard of.  [default: that of policies, else 60]",
    ),
    click.option("--target", default="", metavar="NAME", callback=_name, help="TargetName.  [default: .]"),
    click.option(
        "--owner",
        default="mizzen",
        show_default=True,
        callback=_owner,
        help="With -o nsupdate: who registers the records as his.",
    ),
    click.option(
        "--server",
        metavar="ADDRESS[:PORT]",
        default="",
        callback=_server,
        help="With -o nsupdate: which name server takes the updates.  [default: nsupdate finds it]",
    ),
    click.option(
        "--against",
        metavar="ADDRESS[:PORT]",
        default="",
        callback=_server,
        help="Ask this name server, and print where it says something else. Exit status 2 if it does.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Saying:
    """What is said in the records, and how they are printed."""

    output: str
    zone: str
    owner: str
    server: tuple[str, int] | None
    namespace: str


@click.command("dns")
@options.optional_inputs
@reach.istio_namespace_option
@options.run_dir
@options.with_options(*_WHICH, *_SAYING)
@options.cluster
@options.output("zone", "nsupdate", "external-dns", "json")
def command(
    inputs: options.Inputs,
    cluster: options.WhichCluster,
    run_dir: Path,
    istio_namespace: str,
    gateway: str | None,
    addresses: tuple[str, ...],
    ttl: int | None,
    target: str,
    against: tuple[str, int] | None,
    **saying: Any,
) -> None:
    """Print the HTTPS records (RFC 9460) of the hosts that have HTTP/3.

    With -f: those that are justified once each mirror has been proven. Without: those of the mirrors that are
    announced now, by the instance of this machine or the control plane of a cluster.
    """
    wishes = Wishes(addresses=addresses, ttl=timedelta(seconds=ttl) if ttl else None, target=target)
    if inputs.files:
        served = _of_files(inputs)
    else:
        served = of_status(reach.which(run_dir, cluster, "", istio_namespace).status().gateways)
    if gateway is not None:
        served = _of_gateway(served, gateway)
    how = _Saying(namespace=inputs.namespace, **saying)
    found = justified(map(wishes.applied, served))
    if how.zone:
        found = found.within(how.zone)
    if against is not None:
        _compare(found, against, how)
    else:
        click.echo(_text(found, how, is_proven=not inputs.files), nl=False)


def _of_files(inputs: options.Inputs) -> tuple[Served, ...]:
    from mizzen.pipeline import analysed, build
    from mizzen.sources.files import Files

    with in_a_sentence():
        listing = Files(inputs.files).listing()
        made = build(listing.objects, listing.problems, inputs.settings(listing.objects))
    for problem in first_of(analysed(made, datetime.now(UTC)), MOST_SHOWN)[0]:
        if problem.severity is not Severity.INFO:
            click.echo(str(problem), err=True)
    return served_of(made)


def served_of(made: "Build") -> tuple[Served, ...]:
    """The servers of all gateways of a build."""

    def place(ref: ResourceRef, at: str) -> str:
        return str(made.world.located(Problem(code="", resource=ref, field=at, message="")).origin)

    return tuple(
        served
        for one in made.gateways
        if one.proxy.kind == "router"
        for served in of_model(one.proxy.called, one.model, place)
    )


def _of_gateway(served: tuple[Served, ...], wanted: str) -> tuple[Served, ...]:
    found = tuple(one for one in served if wanted in (one.gateway, one.gateway.partition(".")[0]))
    if not found:
        there = ", ".join(sorted({one.gateway for one in served})) or "none"
        raise click.ClickException(f"no gateway with HTTPS servers is called {wanted!r}; there is: {there}")
    return found


def _text(found: Justified, how: _Saying, *, is_proven: bool) -> str:
    match how.output:
        case "nsupdate":
            server = f"{how.server[0]} {how.server[1]}" if how.server else ""
            return nsupdate(found, owner=how.owner, is_proven=is_proven, server=server, zone=how.zone)
        case "external-dns":
            told = remarks(found, is_proven=is_proven)
            if not found.listed:
                return told
            return told + printing.as_text(dns_endpoint("mizzen", how.namespace, found.listed), "yaml")
        case "json":
            return printing.as_text(json_values(found, is_proven=is_proven), "json")
        case _:
            return zone_file(found, is_proven=is_proven)


def _compare(found: Justified, against: tuple[str, int], how: _Saying) -> None:
    """Print what a name server says otherwise, and exit with 2 if there is something."""
    from mizzen.plane.name_server import NameServer, Unanswered

    server = NameServer(address=against[0], port=against[1])
    try:
        other = asyncio.run(server.differing(found))
    except Unanswered as error:
        raise click.ClickException(str(error)) from None
    if how.output == "json":
        click.echo(printing.as_text(differences_value(other), "json"), nl=False)
    else:
        click.echo(differences(other), nl=False)
    sys.exit(2 if other else 0)
