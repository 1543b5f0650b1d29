"""`mizzen proxy`: one gateway or sidecar on a machine of its own."""

import os

# gRPC reads these once, when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import json
import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mizzen.cli import options

if TYPE_CHECKING:
    from mizzen.agent.agent import ProxyPlan
    from mizzen.node.instance import Instance
    from mizzen.proxy.bootstrap import ProxySpec
    from mizzen.resources.istio.mesh import ProxyConfig

TOKEN_VARIABLE = "MIZZEN_JOIN_TOKEN"


@click.command("proxy")
@click.argument("kind", type=click.Choice(["router", "sidecar"]))
@click.option(
    "--pilot",
    required=True,
    envvar="CA_ADDR",
    metavar="HOST[:PORT]",
    help="The control plane.  [default: $CA_ADDR, port 15012]",
)
@click.option(
    "--join", metavar="HOST:PORT", help="Where it takes tokens.  [default: port 15013 of the pilot]"
)
@click.option(
    "--name",
    required=True,
    envvar="POD_NAME",
    help="Of the gateway, or of the WorkloadEntry of a sidecar.  [default: $POD_NAME]",
)
@click.option("-n", "--namespace", required=True, envvar="POD_NAMESPACE", help="[default: $POD_NAMESPACE]")
@click.option(
    "-s",
    "--service-account",
    required=True,
    envvar="SERVICE_ACCOUNT",
    help="Whose certificate it gets.  [default: $SERVICE_ACCOUNT]",
)
@click.option("--trust-domain", default="cluster.local", show_default=True, envvar="TRUST_DOMAIN")
@click.option(
    "--root-cert",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Roots of the mesh (root-cert.pem of the control plane); needed to join.",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"A join token, or that of a ServiceAccount; read anew each time.  [default: ${TOKEN_VARIABLE}]",
)
@click.option(
    "--address",
    default="127.0.0.1",
    show_default=True,
    envvar="INSTANCE_IP",
    help="Of this machine, for the control plane.",
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
    "--drain",
    type=float,
    metavar="SECONDS",
    help="How long clients get to leave.  [default: 45; in a Pod 20]",
)
@click.option(
    "--lame-duck",
    type=float,
    metavar="SECONDS",
    help="Between not being ready any more and asking clients to leave.  [default: 0; of a gateway in a Pod 5]",
)
@options.certificate_folders
@options.hung_after
@options.run_dir
def command(kind: str, run_dir: Path, **given: Any) -> None:
    """Run an Envoy that a `mizzen pilot` elsewhere configures.

    It gets a certificate of the mesh (with a join token the first time), keeps its key here, renews it, and
    is served what its identity may have. SIGTERM drains: not ready, then clients are asked to leave. In a Pod,
    everything is told by its environment.
    """
    from mizzen.agent.agent import serve
    from mizzen.node.restarting_process import StartFailed

    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    try:
        serve(plan(kind, run_dir, given, os.environ), lambda text: print(text, flush=True))
    except StartFailed as error:
        raise click.ClickException(str(error)) from None


def plan(kind: str, run_dir: Path, given: Mapping[str, Any], environment: Mapping[str, str]) -> "ProxyPlan":
    """What to run, of the options `given`."""
    from mizzen.agent.agent import ProxyPlan
    from mizzen.agent.pod import READING_PORT, in_pod, leaving_seconds, proxy_config
    from mizzen.authority.identity import Identity, IdentityError
    from mizzen.inject.container import AGENT_PORT, ROOTS, TOKEN
    from mizzen.node.instance import Instance
    from mizzen.plane.network import JOIN_PORT, SECURE_PORT
    from mizzen.proxy.binary import envoy_binary
    from mizzen.resolve.context import FileFolders
    from mizzen.resources.istio.mesh import ProxyConfig

    host, port = host_and_port(given["pilot"], SECURE_PORT)
    is_pod = in_pod(environment)
    try:
        identity = Identity(
            trust_domain=given["trust_domain"],
            namespace=given["namespace"],
            service_account=given["service_account"],
        )
    except IdentityError as error:
        raise click.ClickException(str(error)) from None
    instance = Instance(run_dir.absolute())
    drain, lame_duck = (20.0, 5.0 if kind == "router" else 0.0) if is_pod else (45.0, 0.0)
    config = proxy_config(environment) if is_pod else ProxyConfig()
    if is_pod and (leaving := leaving_seconds(config, environment)) is not None:
        drain = leaving
    return ProxyPlan(
        instance=instance,
        spec=_spec(kind, instance, given, environment, (host, port), config),
        identity=identity,
        secure=f"{host}:{port}",
        join=given["join"] or f"{host}:{JOIN_PORT}",
        roots=_reader(given["root_cert"] or (Path(ROOTS) if is_pod else None)),
        token=_token(given["token_file"] or (Path(TOKEN) if is_pod else None), environment),
        envoy=envoy_binary(),
        drain_seconds=drain if given["drain"] is None else given["drain"],
        reading_port=READING_PORT if is_pod else None,
        app_port=AGENT_PORT if is_pod else None,
        probers=_probers(environment),
        patience=given["hung_after"],
        certificate_folders=FileFolders(allowed=given["certificates_in"], closed=(str(run_dir.resolve()),)),
        lame_duck_seconds=lame_duck if given["lame_duck"] is None else given["lame_duck"],
    )


def _spec(
    kind: str,
    instance: "Instance",
    given: Mapping[str, Any],
    environment: Mapping[str, str],
    pilot: tuple[str, int],
    config: "ProxyConfig",
) -> "ProxySpec":
    from mizzen.agent.pod import (
        POD_FOLDER,
        concurrency,
        counts_cpu,
        drain_seconds,
        in_pod,
        node_metadata,
        pod_labels,
        server_id,
    )
    from mizzen.plane.network import pilot_identity
    from mizzen.proxy.bootstrap import DRAIN_SECONDS, Pilot, ProxySpec

    is_pod = in_pod(environment)
    # The name of a Pod may be too long for the path of a socket.
    folder = POD_FOLDER if is_pod else f"{given['name']}.{given['namespace']}"
    return ProxySpec(
        kind=kind,
        name=given["name"],
        namespace=given["namespace"],
        labels=pod_labels() if is_pod else {},
        ads_socket=instance.ads_socket,
        sds_socket=instance.run_dir / "sds.sock",
        admin_socket=instance.admin_socket(folder),
        health_socket=instance.health_socket(folder),
        status_port=given["status_port"],
        prometheus_port=given["prometheus_port"],
        concurrency=concurrency(config),
        drain_seconds=drain_seconds(config) or DRAIN_SECONDS,
        runtime=config.runtime_values,
        address=given["address"],
        server_id=server_id(environment),
        is_contained=is_pod and counts_cpu(),
        bind="::" if ":" in given["address"] else "0.0.0.0",
        metadata={
            **workload(given["address"], given["ports"], given["labels"]),
            **node_metadata(environment),
        },
        pilot=Pilot(
            host=pilot[0], port=pilot[1], identity=pilot_identity(pilot[0], given["trust_domain"]).uri
        ),
    )


def _probers(environment: Mapping[str, str]) -> dict[str, Any]:
    from mizzen.agent.app_health import ProbersError, probers

    try:
        return probers(environment.get("ISTIO_KUBE_APP_PROBERS", ""))
    except ProbersError as error:
        raise click.ClickException(str(error)) from None


def _reader(path: Path | None) -> Callable[[], bytes]:
    """Of a file that may change; nothing of one that is not there."""

    def read() -> bytes:
        try:
            return path.read_bytes() if path else b""
        except OSError:
            return b""

    if path and not path.exists():
        raise click.ClickException(f"there is no {path}")
    return read


def _token(path: Path | None, environment: Mapping[str, str]) -> Callable[[], str]:
    read = _reader(path)
    return lambda: (read().decode("ascii", "replace") or environment.get(TOKEN_VARIABLE, "")).strip()


def workload(address: str, ports: tuple[str, ...], labels: tuple[str, ...]) -> dict[str, str]:
    """What a sidecar says of its process, for its node's metadata; {} when a WorkloadEntry says it."""
    from mizzen.plane.registration import METADATA, WorkloadPort, workload_metadata

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
