"""`mizzen proxy`: one gateway or sidecar on a machine of its own."""

import os

# gRPC reads these once, when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import json
import logging
import sys
from pathlib import Path

import click

from mizzen.cli import options

TOKEN_VARIABLE = "MIZZEN_JOIN_TOKEN"


@click.command("proxy")
@click.argument("kind", type=click.Choice(["router", "sidecar"]))
@click.option(
    "--pilot", required=True, metavar="HOST[:PORT]", help="The control plane.  [default port: 15012]"
)
@click.option(
    "--join", metavar="HOST:PORT", help="Where it takes join tokens.  [default: port 15013 of the pilot]"
)
@click.option("--name", required=True, help="Of the gateway, or of the WorkloadEntry of a sidecar.")
@click.option("-n", "--namespace", required=True)
@click.option("-s", "--service-account", required=True, help="Whose certificate it gets.")
@click.option("--trust-domain", default="cluster.local", show_default=True)
@click.option(
    "--root-cert",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Roots of the mesh (root-cert.pem of the control plane); needed to join.",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=f"A join token.  [default: ${TOKEN_VARIABLE}]",
)
@click.option(
    "--address", default="127.0.0.1", show_default=True, help="Of this machine, for the control plane."
)
@click.option(
    "--port",
    "ports",
    multiple=True,
    metavar="NAME:PORT:APPLICATION",
    help="A sidecar of a process that no WorkloadEntry names: the port to open, and the application's. The name "
    "tells the protocol (http, grpc-api, tcp). Repeatable.",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="KEY=VALUE",
    help="Of that process: Services select it. Repeatable.",
)
@click.option("--status-port", default=15021, show_default=True, help="Health checks.")
@click.option("--prometheus-port", default=15090, show_default=True, help="Metrics.")
@click.option(
    "--drain", default=45.0, show_default=True, metavar="SECONDS", help="How long clients get to leave."
)
@click.option(
    "--lame-duck",
    default=0.0,
    show_default=True,
    metavar="SECONDS",
    help="Between not being ready any more and asking clients to leave.",
)
@options.run_dir
def command(
    kind: str,
    pilot: str,
    join: str | None,
    name: str,
    namespace: str,
    service_account: str,
    trust_domain: str,
    root_cert: Path | None,
    token_file: Path | None,
    address: str,
    ports: tuple[str, ...],
    labels: tuple[str, ...],
    status_port: int,
    prometheus_port: int,
    drain: float,
    lame_duck: float,
    run_dir: Path,
) -> None:
    """Run an Envoy that a `mizzen pilot` elsewhere configures.

    It gets a certificate of the mesh (with a join token the first time), keeps its key here, renews it, and
    is served what its identity may have. SIGTERM drains: not ready, then clients are asked to leave.
    """
    from mizzen.authority.identity import Identity, IdentityError
    from mizzen.proxy.binary import envoy_binary
    from mizzen.proxy.bootstrap import Pilot, ProxySpec
    from mizzen.run.agent import ProxyPlan, serve
    from mizzen.run.instance import Instance
    from mizzen.run.keeper import StartFailed
    from mizzen.run.network import JOIN_PORT, PILOT_ACCOUNT, PILOT_NAMESPACE, SECURE_PORT

    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    host, port = host_and_port(pilot, SECURE_PORT)
    try:
        identity = Identity(trust_domain=trust_domain, namespace=namespace, service_account=service_account)
        own = Identity(trust_domain=trust_domain, namespace=PILOT_NAMESPACE, service_account=PILOT_ACCOUNT)
    except IdentityError as error:
        raise click.ClickException(str(error)) from None
    instance = Instance(run_dir.absolute())
    key = f"{name}.{namespace}"
    spec = ProxySpec(
        kind=kind,
        name=name,
        namespace=namespace,
        ads_socket=instance.ads_socket,
        sds_socket=instance.run_dir / "sds.sock",
        admin_socket=instance.admin_socket(key),
        health_socket=instance.health_socket(key),
        status_port=status_port,
        prometheus_port=prometheus_port,
        address=address,
        metadata=workload(address, ports, labels),
        pilot=Pilot(host=host, port=port, identity=own.uri),
    )
    token = token_file.read_text() if token_file else os.environ.get(TOKEN_VARIABLE, "")
    plan = ProxyPlan(
        instance=instance,
        spec=spec,
        identity=identity,
        secure=f"{host}:{port}",
        join=join or f"{host}:{JOIN_PORT}",
        roots=root_cert.read_bytes() if root_cert else b"",
        token=token.strip(),
        envoy=envoy_binary(),
        drain_seconds=drain,
        lame_duck_seconds=lame_duck,
    )
    try:
        serve(plan, lambda text: print(text, flush=True))
    except StartFailed as error:
        raise click.ClickException(str(error)) from None


def workload(address: str, ports: tuple[str, ...], labels: tuple[str, ...]) -> dict[str, str]:
    """What a sidecar says of its process, for its node's metadata; {} when a WorkloadEntry says it."""
    from mizzen.run.registration import METADATA, WorkloadPort, workload_metadata

    if not ports:
        return {}
    found = []
    for text in ports:
        name, *numbers = text.split(":")
        if (
            len(numbers) != 2
            or not all(one.isdecimal() and 0 < int(one) < 65536 for one in numbers)
            or not name
        ):
            raise click.BadParameter(f"{text!r} is not NAME:PORT:APPLICATION", param_hint="--port")
        found.append(WorkloadPort(name=name, number=int(numbers[0]), application=int(numbers[1])))
    pairs = dict(one.partition("=")[::2] for one in labels)
    return {METADATA: json.dumps(workload_metadata(address, pairs, found), sort_keys=True)}


def host_and_port(text: str, default: int) -> tuple[str, int]:
    """Of "HOST" or "HOST:PORT"; an IPv6 address stands in brackets when a port follows."""
    host, colon, port = text.rpartition(":")
    if not colon or (text.count(":") > 1 and not host.endswith("]")):
        return text.strip("[]"), default
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise click.BadParameter(f"{port!r} is no port", param_hint="--pilot")
    return host.strip("[]"), int(port)
