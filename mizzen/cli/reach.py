"""The instance that a verb is about: the one of this machine, or that of a cluster."""

import asyncio
import functools
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import click

from mizzen.cli import options, running
from mizzen.client.admin_pages import show
from mizzen.lazy import dataclass
from mizzen.node import instance
from mizzen.status import Status

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

Connect = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Target(Protocol):
    """What can be asked."""

    def status(self) -> Status:
        """What the control plane knows of each Envoy."""

    def key(self, wanted: str | None) -> str:
        """The Envoy that is meant."""

    def admin(self, key: str, target: str) -> str:
        """What that Envoy answers."""

    def tunnel(self, key: str) -> AbstractAsyncContextManager[Connect]:
        """What carries connections to that Envoy's admin interface."""


@dataclass(frozen=True, slots=True)
class Local:
    """`mizzen up` on this machine."""

    run_dir: Path

    def status(self) -> Status:
        return running.status(self.run_dir)

    def key(self, wanted: str | None) -> str:
        status = self.status()
        keys = frozenset(one.key for one in status.proxies if one.kind == "sidecar")
        return running.gateway_key(sorted(status.gateways), wanted, keys)

    def admin(self, key: str, target: str) -> str:
        return running.admin(self.run_dir, key, target)

    @asynccontextmanager
    async def tunnel(self, key: str) -> AsyncIterator[Connect]:
        socket = instance.Instance(self.run_dir).admin_socket(key)

        async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await show(socket, reader, writer)
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
                click.echo(f"the Envoy of {key} does not answer: {error}", err=True)
                writer.close()

        yield connect


@dataclass(frozen=True, slots=True)
class Remote:
    """A cluster, over its API server."""

    cluster: options.WhichCluster
    namespace: str
    system_namespace: str

    def status(self) -> Status:
        from mizzen.client import remote

        return self._run(lambda kube: remote.status(kube, self.system_namespace))

    def key(self, wanted: str | None) -> str:
        """POD.NAMESPACE"""
        from mizzen.client import remote

        if wanted is None:
            names = sorted(self.status().gateways)
            return running.gateway_key(names, None)

        async def find(kube: Any) -> str:
            namespace, pod = await remote.pod_named(kube, wanted, self.namespace or kube.namespace)
            return f"{pod}.{namespace}"

        return self._run(find)

    def admin(self, key: str, target: str) -> str:
        from mizzen.client import remote

        pod, _, namespace = key.rpartition(".")
        return self._run(lambda kube: remote.admin(kube, namespace, pod, target))

    @asynccontextmanager
    async def tunnel(self, key: str) -> AsyncIterator[Connect]:
        from mizzen.agent.pod import READING_PORT
        from mizzen.kube.client import KubeError
        from mizzen.kube.port_forward import tunnel

        pod, _, namespace = key.rpartition(".")
        kube = self.cluster.connect()

        async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await tunnel(kube, namespace, pod, READING_PORT, reader, writer)
            except KubeError as error:
                click.echo(str(error), err=True)
            writer.close()

        yield connect
        await kube.close()

    def _run(self, ask: Callable[[Any], Awaitable[T]]) -> T:
        from mizzen.client.remote import NotFound
        from mizzen.kube.client import KubeError

        async def run() -> T:
            kube = self.cluster.connect()
            try:
                return await ask(kube)
            finally:
                await kube.close()

        try:
            return asyncio.run(run())
        except (KubeError, NotFound, json.JSONDecodeError) as error:
            raise click.ClickException(str(error)) from None


istio_namespace_option = click.option(
    "-i",
    "--istioNamespace",
    "istio_namespace",
    default="",
    help="Where the control plane of a cluster is.  [default: istio-system]",
)


def which(run_dir: Path, cluster: options.WhichCluster, namespace: str, istio_namespace: str) -> Target:
    """The instance that these options mean, as `target` says."""
    said = bool(cluster.kubeconfig or cluster.context or namespace or istio_namespace)
    if said or (not _runs(run_dir) and _has_kubeconfig()):
        return Remote(cluster, namespace, istio_namespace or "istio-system")
    return Local(run_dir)


def target(command: F) -> F:
    """`--run-dir`, `--kubeconfig`, `--context`, `-n`, `-i`; the command gets a Target as `target`.

    A cluster is meant when one of its options is given, or when no instance runs on this machine and there is a
    kubeconfig.
    """

    @options.with_options(
        options.run_dir,
        *options.CLUSTER,
        click.option(
            "-n",
            "--namespace",
            default="",
            help="Of the Pod or workload in a cluster.  [default: that of the kubeconfig]",
        ),
        istio_namespace_option,
    )
    @functools.wraps(command)
    def gathered(
        run_dir: Path, kubeconfig: str, context: str, namespace: str, istio_namespace: str, **others: Any
    ) -> Any:
        cluster = options.WhichCluster(kubeconfig=kubeconfig, context=context)
        return command(target=which(run_dir, cluster, namespace, istio_namespace), **others)

    return cast(F, gathered)


def _runs(run_dir: Path) -> bool:
    return instance.Instance(run_dir).control_socket.exists()


def _has_kubeconfig() -> bool:
    return bool(os.environ.get("KUBECONFIG")) or (Path.home() / ".kube" / "config").is_file()
