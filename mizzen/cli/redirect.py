"""`mizzen redirect`: what the init container of an injected Pod runs. Its options are those of istio-iptables."""

import click

from mizzen.inject.redirect import Redirection, rules


@click.command("redirect")
@click.option("-p", "--envoy-port", default=15001, show_default=True, help="Where outgoing connections go.")
@click.option(
    "-z", "--inbound-capture-port", default=15006, show_default=True, help="Where incoming ones go."
)
@click.option("-u", "--proxy-uid", default=1337, show_default=True, help="Whose connections are left alone.")
@click.option(
    "-m", "--istio-inbound-interception-mode", "mode", type=click.Choice(["REDIRECT"]), default="REDIRECT"
)
@click.option(
    "-i", "--istio-service-cidr", "include", default="*", help="Ranges that are redirected; * for all."
)
@click.option("-x", "--istio-service-exclude-cidr", "exclude", default="", help="Ranges that are not.")
@click.option(
    "-b", "--istio-inbound-ports", "inbound", default="*", help="Ports that are redirected; * for all."
)
@click.option("-d", "--istio-local-exclude-ports", "closed", default="", help="Incoming ports that are not.")
@click.option(
    "-q", "--istio-outbound-ports", "outbound", default="", help="Outgoing ports beside the ranges."
)
@click.option(
    "-o", "--istio-local-outbound-ports-exclude", "free", default="", help="Outgoing ports that are not."
)
@click.option(
    "-c", "--istio-exclude-interfaces", "interfaces", default="", help="Interfaces that are left alone."
)
@click.option("--dry-run", is_flag=True, help="Print the rules, for iptables-restore.")
def command(
    envoy_port: int,
    inbound_capture_port: int,
    proxy_uid: int,
    mode: str,  # noqa: ARG001  # there is one
    include: str,
    exclude: str,
    inbound: str,
    closed: str,
    outbound: str,
    free: str,
    interfaces: str,
    dry_run: bool,
) -> None:
    """Redirect the TCP connections of this Pod to its sidecar. Needs NET_ADMIN and NET_RAW."""
    from mizzen.agent.redirect import RedirectError, has_ipv6, redirect

    what = Redirection(
        outbound_port=envoy_port,
        inbound_port=inbound_capture_port,
        user=proxy_uid,
        include_ranges=_list(include),
        exclude_ranges=_list(exclude),
        inbound_ports=_list(inbound),
        exclude_inbound_ports=_list(closed),
        outbound_ports=_list(outbound),
        exclude_outbound_ports=_list(free),
        exclude_interfaces=_list(interfaces),
    )
    if dry_run:
        click.echo(rules(what), nl=False)
        return
    try:
        redirect(what, ipv6=has_ipv6())
    except RedirectError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"TCP goes out through {envoy_port} and comes in through {inbound_capture_port}")


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
