"""Looking at the gateways behind a URL, for verbs that judge what clients meet: asks, and hands out values."""

import functools
import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar, cast
from urllib.parse import quote

import click
import msgspec
from click.core import ParameterSource

from mizzen.cli import reach
from mizzen.doctor.links import Report
from mizzen.doctor.operator import Explained, explained
from mizzen.doctor.operator_sight import (
    MOST_ENVOYS,
    STATS,
    EnvoySight,
    Sight,
    listeners_of,
    serving,
    stats_of,
)
from mizzen.lazy import dataclass
from mizzen.node.udp_sockets import UDP_SOCKETS, kernel_udp
from mizzen.status import EnvoyStatus, KernelUdp, Status

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

_PATIENCE = 3.0  # seconds after the clients, for gateways that nobody named
_LISTENERS = "/config_dump?resource=dynamic_listeners&name_regex="


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateways:
    """The gateways that a command may look at."""

    target: reach.Target
    where: str
    gateway: str | None = None  # the only one that is meant
    is_named: bool = False  # the user said where they are: then it is an error that they cannot be asked

    def look(self, host: str, port: int) -> Sight | None:
        """At those that serve `host`. None when nobody said where gateways are, and none here serves it.

        Raises: click.ClickException: what was named does not answer.
        """
        try:
            status = self.target.status()
            key = self.target.key(self.gateway) if self.gateway else ""
        except (click.ClickException, ValueError) as error:
            if not self.is_named:
                return None
            if isinstance(error, click.ClickException):
                raise
            raise click.ClickException(f"{self.where} tells what cannot be read: {error}") from None
        if key and key not in status.gateways:
            raise click.ClickException(f"{key} is not connected to the control plane of {self.where}")
        names = (key,) if key else serving(status, host, port)
        if not names and not self.is_named:
            return None
        asked = names or tuple(sorted(status.gateways))
        return Sight(
            where=self.where,
            envoys=tuple(
                self._envoy(name, status, is_asked=number < MOST_ENVOYS and bool(names))
                for number, name in enumerate(asked)
            ),
            problems=status.problems,
            nodes=status.nodes,
        )

    def _envoy(self, name: str, status: Status, *, is_asked: bool) -> EnvoySight:
        envoy = status.gateways[name]
        if not is_asked:
            return EnvoySight(name=name, status=envoy, silent="it was not asked")
        try:
            return self._asked(name, envoy, status.pid)
        except (click.ClickException, ValueError) as error:
            why = error.message if isinstance(error, click.ClickException) else str(error)
            return EnvoySight(name=name, status=envoy, silent=why)

    def _asked(self, name: str, envoy: EnvoyStatus, pid: int) -> EnvoySight:
        mirrors = sorted({one.listener for one in envoy.mirrors if one.listener})
        pattern = quote(f"^({'|'.join(mirrors).replace('.', '[.]')})$", safe="")
        ask = functools.partial(self.target.admin, name)
        return EnvoySight(
            name=name,
            status=envoy,
            stats=stats_of(json.loads(ask(f"/stats?format=json&filter={quote(STATS, safe='')}"))),
            listeners=listeners_of(json.loads(ask(_LISTENERS + pattern))) if mirrors else (),
            kernel=self._kernel(name, pid),
        )

    def _kernel(self, name: str, pid: int) -> KernelUdp | None:
        if isinstance(self.target, reach.Local):
            return kernel_udp(pid)
        try:
            return msgspec.json.decode(self.target.admin(name, UDP_SOCKETS), type=KernelUdp)
        except (click.ClickException, msgspec.MsgspecError):
            return None  # an agent that does not tell it yet


class Operator:
    """Looks at the gateways of some hosts and ports while somebody else looks as their clients do."""

    def __init__(self, gateways: Gateways, hosts: Sequence[tuple[str, int]]) -> None:
        self._gateways, self._hosts = gateways, hosts
        self._looking: Future[list[Sight | None]] | None = None
        self._before: list[Sight | None] = []

    def look(self) -> None:
        """Before the clients: what grows meanwhile happens now. At once, where gateways are named; else beside them."""
        if self._before:
            return  # that of the round before
        if self._gateways.is_named:
            self._before = self._look()
        else:
            self._looking = _beside(self._look)

    def explain(self, reports: Sequence[Report]) -> list[Explained]:
        """What clients met, with what is known at their gateways. Raises: click.ClickException, as Gateways.look."""
        before = self._before or self._looked()
        now = self._look() if any(before) else before
        self._before = now if any(now) else []
        return [
            explained(report, sight, *host, earlier) if sight else Explained(report=report)
            for report, sight, host, earlier in zip(reports, now, self._hosts, before, strict=True)
        ]

    def _looked(self) -> list[Sight | None]:
        """What nobody asked for is not waited for: a cluster of the kubeconfig may be behind a network that is down."""
        try:
            return self._looking.result(_PATIENCE) if self._looking else self._look()
        except TimeoutError:
            return [None] * len(self._hosts)

    def _look(self) -> list[Sight | None]:
        return [self._gateways.look(host, port) for host, port in self._hosts]


def _beside(look: Callable[[], T]) -> "Future[T]":
    """In a thread of its own, which keeps nobody from ending."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(look())
        except Exception as error:  # noqa: BLE001 - for whoever asks for the result
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def gateways(command: F) -> F:
    """`--gateway` and the options of `reach.target`; the command gets Gateways as `gateways`."""

    @click.option(
        "--gateway",
        metavar="NAME",
        default=None,
        help="The gateway whose side is looked at too.  [default: those that serve the URL's host]",
    )
    @reach.target
    @functools.wraps(command)
    def gathered(target: reach.Target, gateway: str | None, **others: Any) -> Any:
        named = bool(gateway) or any(
            click.get_current_context().get_parameter_source(one) is ParameterSource.COMMANDLINE
            for one in ("run_dir", "kubeconfig", "context", "namespace", "istio_namespace")
        )
        found = Gateways(target=target, where=_where(target), gateway=gateway, is_named=named)
        return command(gateways=found, **others)

    return cast(F, gathered)


def _where(target: reach.Target) -> str:
    if isinstance(target, reach.Remote):
        cluster = target.cluster
        return f"the cluster of {cluster.context or cluster.kubeconfig or 'the current context'}"
    return f"mizzen up in {target.run_dir}" if isinstance(target, reach.Local) else "what was named"
